#include "model/format_marker.h"

#include <array>
#include <utility>

#include "model/json_io.h"
#include "model/manifest.h"
#include "model/text.h"

namespace stepstore {
namespace {

using Versioning = BucketProbe::Versioning;

constexpr std::array<std::pair<Versioning, std::string_view>, 4> kVersioningNames{
    {{Versioning::unknown, "unknown"},
     {Versioning::off, "off"},
     {Versioning::enabled, "enabled"},
     {Versioning::suspended, "suspended"}}};

std::string_view name_of(Versioning versioning) {
  for (const auto& [value, name] : kVersioningNames) {
    if (value == versioning) return name;
  }
  return "unknown";
}

Versioning versioning_named(std::string_view name) {
  for (const auto& [value, known] : kVersioningNames) {
    if (known == name) return value;
  }
  return Versioning::unknown;
}

// The flags by their names in the document.
constexpr std::array<std::pair<const char*, bool BucketProbe::*>, 6> kFlags{
    {{"create_if_absent", &BucketProbe::create_if_absent},
     {"swap_if_unchanged", &BucketProbe::swap_if_unchanged},
     {"bare_etags", &BucketProbe::bare_etags},
     {"create_over_delete_marker", &BucketProbe::create_over_delete_marker},
     {"complete_if_absent", &BucketProbe::complete_if_absent},
     {"remove_if_unchanged", &BucketProbe::remove_if_unchanged}}};

nlohmann::ordered_json to_document(const BucketProbe& probe) {
  nlohmann::ordered_json out;
  out["probed_at"] = time_text(probe.probed_at);
  out["versioning"] = name_of(probe.versioning);
  for (const auto& [name, flag] : kFlags) out[name] = probe.*flag;
  return out;
}

// A probe that cannot be read is as good as none: it is only made again.
std::optional<BucketProbe> parse_probe(const nlohmann::json& document) {
  const auto found = document.find("probe");
  if (found == document.end() || !found->is_object()) return std::nullopt;
  BucketProbe probe;
  const auto time = found->find("probed_at");
  const auto versioning = found->find("versioning");
  if (time == found->end() || !time->is_string()) return std::nullopt;
  if (versioning == found->end() || !versioning->is_string()) return std::nullopt;
  const auto parsed = parse_time(time->get<std::string>());
  if (!parsed) return std::nullopt;
  probe.probed_at = *parsed;
  probe.versioning = versioning_named(versioning->get<std::string>());
  for (const auto& [name, flag] : kFlags) {
    const auto value = found->find(name);
    if (value == found->end() || !value->is_boolean()) return std::nullopt;
    probe.*flag = value->get<bool>();
  }
  return probe;
}

}  // namespace

std::vector<std::string> notes_of(const BucketProbe& probe) {
  std::vector<std::string> notes;
  if (!probe.create_if_absent) {
    notes.emplace_back(
        "The bucket does not enforce If-None-Match: two writers that create the same step at the "
        "same moment may both succeed; the step is whole, and the later one stays.");
  }
  if (!probe.swap_if_unchanged) {
    notes.emplace_back(
        "The bucket does not enforce If-Match: of two changes to the same step at the same moment "
        "one can be lost, and kept versions of it be damaged.");
  }
  if (!probe.create_over_delete_marker) {
    notes.emplace_back(
        "The bucket keeps versions and does not create over a delete marker: where a key was "
        "deleted, two first stores may race.");
  }
  if (!probe.complete_if_absent) {
    notes.emplace_back(
        "The bucket completes multipart uploads without judging conditions: large components get "
        "names of their own.");
  }
  return notes;
}

std::string to_json(const FormatMarker& marker) {
  std::string out = "{\n\"format\":\"" + std::string(kFormatVersion) +
                    "\",\n\"reader_min\":" + std::to_string(marker.reader_min) +
                    ",\n\"writer_min\":" + std::to_string(marker.writer_min);
  if (marker.probe) out += ",\n\"probe\":" + to_document(*marker.probe).dump();
  return out + "\n}\n";
}

FormatMarker parse_format_marker(std::string_view json, std::string_view key) {
  const nlohmann::json document = parse_object(json, key);
  return {.reader_min = member<std::uint32_t>(document, "reader_min", key),
          .writer_min = member<std::uint32_t>(document, "writer_min", key),
          .probe = parse_probe(document)};
}

std::string with_probe(std::string_view json, const BucketProbe& probe, std::string_view key) {
  (void)parse_object(json, key);  // throws for what is no object
  nlohmann::ordered_json document = nlohmann::ordered_json::parse(json);
  document["probe"] = to_document(probe);
  std::string out = "{";
  for (const auto& [name, value] : document.items()) {
    out +=
        (out.size() == 1 ? "\n" : ",\n") + nlohmann::ordered_json(name).dump() + ':' + value.dump();
  }
  return out + "\n}\n";
}

}  // namespace stepstore
