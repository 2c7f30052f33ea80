#include "manager/legacy.h"

#include "base/crc64.h"
#include "layout/keys.h"
#include "model/content_type.h"

namespace stepstore {

std::vector<ObjectInfo> find_legacy_files(ObjectStore& store, Clock& clock,
                                          const std::string& folder, const CallLimits& limits) {
  std::vector<ObjectInfo> files;
  const Timestamp newest = clock.now_ms() - kLegacyAgeMin;
  for (ObjectInfo& object : list_all(store, {.prefix = folder + "/", .delimited = true}, limits)) {
    const ParsedKey parsed = parse_key(object.key.text());
    if (parsed.role == FileRole::manifest) return {};
    if (!legacy_component(parsed.location)) continue;
    if (object.modified > newest) return {};
    files.push_back(std::move(object));
  }
  return files;
}

Manifest legacy_manifest(ObjectStore& store, const std::vector<ObjectInfo>& files,
                         std::string_view session_id, std::string_view step_id,
                         const std::string& folder, const CallLimits& limits) {
  Manifest manifest;
  manifest.session_id = session_id;
  manifest.step_id = step_id;
  for (const ObjectInfo& file : files) {
    const Bytes body = get_one(store, file.key, limits).value().body;
    std::string location = file.key.text().substr(folder.size() + 1);
    const std::string_view name = *legacy_component(location);
    if (manifest.find(name) != nullptr) continue;  // screenshot.jpg beside screenshot.png
    manifest.components.push_back({.name = std::string(name),
                                   .location = location,
                                   .content_type = std::string(content_type_of(location)),
                                   .size = body.size(),
                                   .crc64 = crc64(body.view())});
    manifest.created_at = std::max(manifest.created_at, file.modified);
  }
  return manifest;
}

}  // namespace stepstore
