#include "model/json_io.h"

#include <algorithm>
#include <charconv>

#include "model/format_marker.h"

namespace stepstore {

std::string json_string(std::string_view text) {
  // Ids, names and numbers in text: nearly everything that is written here.
  const auto plain = [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; };
  if (!std::ranges::all_of(text, plain)) return nlohmann::json(text).dump();
  std::string out;
  out.reserve(text.size() + 2);
  out += '"';
  out += text;
  return out += '"';
}

void check_format(const nlohmann::json& document, std::string_view key) {
  const auto format = member<std::string>(document, "format", key);
  std::uint32_t major = 0;
  const auto [stop, bad] = std::from_chars(format.data(), format.data() + format.size(), major);
  if (bad != std::errc{} || stop == format.data() + format.size() || *stop != '.') {
    throw_corrupt(key, "'format' is not like \"1.0\"");
  }
  if (major > kFormatMajor) {
    error(ErrorCode::Unsupported, "parse", key,
          "it has format " + format + ", which is newer than this release",
          "Use a newer stepstore; nothing was changed.")
        .raise();
  }
}

nlohmann::json parse_object(std::string_view text, std::string_view key) {
  nlohmann::json document = nlohmann::json::parse(text.begin(), text.end(), nullptr, false);
  if (!document.is_object()) throw_corrupt(key, "it is not a JSON object");
  return document;
}

const nlohmann::json& array_member(const nlohmann::json& object, const char* name,
                                   std::string_view key) {
  static const nlohmann::json kNone = nlohmann::json::array();
  const auto found = object.find(name);
  if (found == object.end()) return kNone;
  if (!found->is_array()) throw_corrupt(key, std::string("'") + name + "' is not an array");
  return *found;
}

}  // namespace stepstore
