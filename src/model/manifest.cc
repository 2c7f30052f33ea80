#include "model/manifest.h"

#include <algorithm>
#include <array>

#include "base/crc64.h"
#include "model/json_io.h"
#include "model/text.h"

namespace stepstore {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 3> kStates = {"live", "deleting", "deleted"};

// Members with these names come last and hold text that is kept to the byte. A line break followed
// by a quote cannot stand inside a JSON string, so the first line that begins with such a name is
// the member itself.
constexpr std::array<std::string_view, 2> kVerbatim = {"\n\"was\":", "\n\"metadata\":"};

// One member per line, so that people can read a manifest and verbatim members can be found.
class Lines {
 public:
  void add(std::string_view name, std::string_view value) {
    add_verbatim(name, json_string(value));
  }
  void add_verbatim(std::string_view name, std::string_view value) {
    text_ += text_.empty() ? "{\n\"" : ",\n\"";
    text_ += name;
    text_ += "\":";
    text_ += value;
  }
  // Spaces may follow a JSON document: they give it the size that tells its state.
  std::string finish(RootState state) && {
    text_ += "\n}";
    const auto size = [&] { return text_.size() + 1; };
    if (state != RootState::deleted && size() < kLiveBytesMin) {
      text_.append(kLiveBytesMin - size(), ' ');
    }
    while (state_by_size(size()) != state) text_ += ' ';
    text_ += '\n';
    return std::move(text_);
  }

 private:
  std::string text_;
};

std::string list_json(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) out += (out.size() > 1 ? "," : "") + json_string(text);
  return out += ']';
}

std::string kept_json(const KeptVersion& kept) {
  return R"({"version":)" + std::to_string(kept.version) + R"(,"commit":)" +
         json_string(kept.commit_id) + R"(,"location":)" + json_string(kept.location) +
         R"(,"locations":)" + list_json(kept.locations) + "}";
}

std::string component_json(const ManifestComponent& component) {
  std::string out = R"({"name":)" + json_string(component.name);
  out += R"(,"location":)" + json_string(component.location);
  out += R"(,"size":)" + std::to_string(component.size);
  out += R"(,"content_type":)" + json_string(component.content_type);
  out += R"(,"crc64nvme":)" + json_string(crc64_text(component.crc64));
  if (component.block_size != 0) {
    out += R"(,"block_size":)" + std::to_string(component.block_size);
    out += R"(,"block_crc64nvme":[)";
    for (std::size_t i = 0; i < component.block_crcs.size(); ++i) {
      if (i > 0) out += ',';
      out += json_string(crc64_text(component.block_crcs[i]));
    }
    out += ']';
  }
  return out += '}';
}

// Stored names are input too: a location may not lead out of the step's folder.
std::string location_member(const json& object, std::string_view key) {
  auto location = member<std::string>(object, "location", key);
  const std::string framed = "/" + location + "/";
  if (location.empty() || framed.find("//") != std::string::npos ||
      framed.find("/./") != std::string::npos || framed.find("/../") != std::string::npos ||
      std::any_of(location.begin(), location.end(), [](char c) { return c >= 0 && c < ' '; })) {
    throw_corrupt(key, "a location leads out of the step's folder");
  }
  return location;
}

std::uint64_t crc_of(const json& value, std::string_view key) {
  if (value.is_string()) {
    if (const auto crc = parse_crc64(value.get_ref<const std::string&>())) return *crc;
  }
  throw_corrupt(key, "a checksum does not have 16 hexadecimal digits");
}

ManifestComponent parse_component(const json& object, std::string_view key) {
  if (!object.is_object()) throw_corrupt(key, "a component is not an object");
  ManifestComponent component{.name = member<std::string>(object, "name", key),
                              .location = location_member(object, key),
                              .content_type = member<std::string>(object, "content_type", key),
                              .size = member<std::uint64_t>(object, "size", key)};
  if (object.contains("encoding") || object.contains("offset")) {
    error(ErrorCode::Unsupported, "parse", key, "a component is packed or encoded",
          "Use a newer stepstore; nothing was changed.")
        .raise();
  }
  component.crc64 = crc_of(object.value("crc64nvme", json()), key);
  if (object.contains("block_size")) {
    component.block_size = member<std::uint64_t>(object, "block_size", key);
    for (const json& crc : array_member(object, "block_crc64nvme", key)) {
      component.block_crcs.push_back(crc_of(crc, key));
    }
  }
  return component;
}

KeptVersion parse_kept(const json& object, std::string_view key) {
  if (!object.is_object()) throw_corrupt(key, "a kept version is not an object");
  KeptVersion kept{.version = member<std::uint64_t>(object, "version", key),
                   .commit_id = member<std::string>(object, "commit", key),
                   .location = location_member(object, key),
                   .locations = {}};
  for (const json& location : array_member(object, "locations", key)) {
    kept.locations.push_back(location_member(json{{"location", location}}, key));
  }
  return kept;
}

std::optional<Timestamp> time_member(const json& document, const char* name, std::string_view key) {
  if (!document.contains(name)) return std::nullopt;
  const auto time = parse_time(member<std::string>(document, name, key));
  if (!time)
    throw_corrupt(key, std::string("'") + name + "' is not a time like 2026-11-23T09:30:00.000Z");
  return time;
}

// The text of a member that comes last, without parsing it.
struct Split {
  std::string_view head;      // the document without that member; lacks its closing brace
  std::string_view name;      // "was", "metadata" or empty
  std::string_view verbatim;  // the member's text
};

Split split_verbatim(std::string_view text) {
  const std::size_t end = text.find_last_not_of(" \n");
  if (end == std::string_view::npos || text[end] != '}') return {text, {}, {}};
  // The first of them is the member; what looks like one further on is part of its text.
  std::size_t first = std::string_view::npos;
  std::string_view marker;
  for (const std::string_view candidate : kVerbatim) {
    const std::size_t at = text.find(candidate);
    if (at < first) {
      first = at;
      marker = candidate;
    }
  }
  if (marker.empty() || first == 0 || text[first - 1] != ',') return {text, {}, {}};
  const std::size_t begin = first + marker.size();
  std::string_view value = text.substr(begin, end - begin);
  if (value.ends_with('\n')) value.remove_suffix(1);
  return {text.substr(0, first - 1), marker.substr(2, marker.size() - 4), value};
}

RootState parse_state(const json& document, std::string_view key) {
  const auto word = member<std::string>(document, "state", key);
  const auto* const found = std::find(kStates.begin(), kStates.end(), word);
  if (found == kStates.end()) throw_corrupt(key, "'state' is not live, deleting or deleted");
  return static_cast<RootState>(found - kStates.begin());
}

}  // namespace

bool Manifest::has_commit(std::string_view id) const noexcept {
  return commit_id == id ||
         std::find(previous_commits.begin(), previous_commits.end(), id) != previous_commits.end();
}

std::vector<std::string> Manifest::named_locations() const {
  if (state == RootState::deleting && was) {
    return parse_manifest(*was, "the manifest in a deleting root").named_locations();
  }
  std::vector<std::string> named;
  for (const ManifestComponent& component : components) named.push_back(component.location);
  for (const KeptVersion& kept : kept_versions) {
    named.push_back(kept.location);
    named.insert(named.end(), kept.locations.begin(), kept.locations.end());
  }
  std::sort(named.begin(), named.end());
  named.erase(std::unique(named.begin(), named.end()), named.end());
  return named;
}

const ManifestComponent* Manifest::find(std::string_view name) const noexcept {
  const auto found = std::find_if(components.begin(), components.end(),
                                  [&](const ManifestComponent& c) { return c.name == name; });
  return found == components.end() ? nullptr : &*found;
}

RootState state_by_size(std::uint64_t size) noexcept {
  if (size < kLiveBytesMin) return RootState::deleted;
  return size % kLiveBytesMin == 1 ? RootState::deleting : RootState::live;
}

std::string to_json(const Manifest& manifest) {
  Lines lines;
  lines.add("format", kFormatVersion);
  lines.add("state", kStates[static_cast<std::size_t>(manifest.state)]);
  // A deleted root must stay small whatever the ids; its key says which step it is.
  if (manifest.state != RootState::deleted) {
    lines.add("session", manifest.session_id);
    lines.add("step", manifest.step_id);
  }
  lines.add_verbatim("version", std::to_string(manifest.version));
  lines.add("commit", manifest.commit_id);
  lines.add_verbatim("previous_commits", list_json(manifest.previous_commits));
  lines.add("write", manifest.write_id);
  lines.add("created_at", time_text(manifest.created_at));
  if (manifest.expires_at) lines.add("expires_at", time_text(*manifest.expires_at));
  if (manifest.state == RootState::live) {
    std::string components = "[";
    for (const ManifestComponent& component : manifest.components) {
      components += (components.size() > 1 ? ",\n " : "\n ") + component_json(component);
    }
    lines.add_verbatim("components", components + "]");
    if (!manifest.kept_versions.empty()) {
      std::string kept = "[";
      for (const KeptVersion& version : manifest.kept_versions) {
        kept += (kept.size() > 1 ? "," : "") + kept_json(version);
      }
      lines.add_verbatim("kept_versions", kept + "]");
    }
  }
  if (manifest.was) lines.add_verbatim("was", *manifest.was);
  if (manifest.metadata) lines.add_verbatim("metadata", *manifest.metadata);
  return std::move(lines).finish(manifest.state);
}

Manifest parse_manifest(std::string_view json_text, std::string_view key) {
  const std::string_view text = json_text;
  if (text.size() > kManifestBytesMax) throw_corrupt(key, "it is too large for a manifest");
  Split split = split_verbatim(text);
  json document = split.name.empty() ? parse_object(text, key)
                                     : parse_object(std::string(split.head) + "}", key);
  // Another tool may have sorted the members: then the verbatim one is not the last, and takes
  // others along.
  if (!split.name.empty() && !document.contains("state")) {
    split = {};
    document = parse_object(text, key);
  }
  check_format(document, key);
  Manifest manifest;
  manifest.state = parse_state(document, key);
  if (manifest.state != RootState::deleted) {
    manifest.session_id = member<std::string>(document, "session", key);
    manifest.step_id = member<std::string>(document, "step", key);
  }
  manifest.version = member<std::uint64_t>(document, "version", key);
  manifest.commit_id = member<std::string>(document, "commit", key);
  for (const json& commit : array_member(document, "previous_commits", key)) {
    if (!commit.is_string()) throw_corrupt(key, "a commit id is not a string");
    manifest.previous_commits.push_back(commit.get<std::string>());
  }
  manifest.write_id = member<std::string>(document, "write", key);
  manifest.created_at = time_member(document, "created_at", key).value_or(Timestamp{});
  manifest.expires_at = time_member(document, "expires_at", key);
  if (manifest.state == RootState::live && !document.contains("components")) {
    throw_corrupt(key, "'components' is missing");
  }
  for (const json& object : array_member(document, "components", key)) {
    manifest.components.push_back(parse_component(object, key));
  }
  for (const json& object : array_member(document, "kept_versions", key)) {
    manifest.kept_versions.push_back(parse_kept(object, key));
  }
  if (split.name == "was") manifest.was = split.verbatim;
  if (split.name == "metadata") manifest.metadata = split.verbatim;
  // Another tool may have rewritten the document; then the members are where JSON puts them.
  if (document.contains("was")) manifest.was = document["was"].dump();
  if (document.contains("metadata")) manifest.metadata = document["metadata"].dump();
  if (manifest.state == RootState::deleting && !manifest.was) {
    throw_corrupt(key, "a deleting root lacks the manifest that it was");
  }
  return manifest;
}

}  // namespace stepstore
