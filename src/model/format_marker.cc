#include "model/format_marker.h"

#include "model/json_io.h"
#include "model/manifest.h"

namespace stepstore {

std::string to_json(const FormatMarker& marker) {
  return "{\n\"format\":\"" + std::string(kFormatVersion) +
         "\",\n\"reader_min\":" + std::to_string(marker.reader_min) +
         ",\n\"writer_min\":" + std::to_string(marker.writer_min) + "\n}\n";
}

FormatMarker parse_format_marker(std::string_view json, std::string_view key) {
  const nlohmann::json document = parse_object(json, key);
  return {.reader_min = member<std::uint32_t>(document, "reader_min", key),
          .writer_min = member<std::uint32_t>(document, "writer_min", key)};
}

}  // namespace stepstore
