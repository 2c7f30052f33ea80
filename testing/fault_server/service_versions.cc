// What a bucket keeps of its keys when they are written and removed.
#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "testing/fault_server/service.h"

namespace stepstore::fault {

std::string Service::new_version() {
  ++count_;
  return fmt::format("v{:015x}{:016x}", count_, count_ * 0x9e3779b97f4a7c15U);
}

const Stored& Service::store(Bucket& bucket, const std::string& key, Stored object) {
  if (bucket.versioning != Versioning::never) {
    object.version = bucket.versioning == Versioning::enabled ? new_version() : "null";
    std::vector<Stored>& versions = bucket.history[key];
    if (bucket.versioning == Versioning::suspended) {
      std::erase_if(versions, [](const Stored& each) { return each.version == "null"; });
    }
    versions.push_back(object);
  }
  return bucket.objects[key] = std::move(object);
}

Stored Service::take_away(Bucket& bucket, const std::string& key) {
  bucket.objects.erase(key);
  if (bucket.versioning == Versioning::never) return {};
  Stored marker{.modified = clock_.now_ms(),
                .version = bucket.versioning == Versioning::enabled ? new_version() : "null",
                .marker = true};
  std::vector<Stored>& versions = bucket.history[key];
  if (bucket.versioning == Versioning::suspended) {
    std::erase_if(versions, [](const Stored& each) { return each.version == "null"; });
  }
  versions.push_back(marker);
  return marker;
}

Stored Service::take_away_version(Bucket& bucket, const std::string& key,
                                  const std::string& version) {
  if (bucket.versioning == Versioning::never) {
    if (version == "null") bucket.objects.erase(key);
    return {};
  }
  Stored taken{.version = version};
  const auto history = bucket.history.find(key);
  if (history == bucket.history.end()) return taken;
  std::vector<Stored>& versions = history->second;
  const auto found = std::ranges::find(versions, version, &Stored::version);
  if (found == versions.end()) return taken;
  taken = std::move(*found);
  versions.erase(found);
  if (versions.empty() || versions.back().marker) {
    bucket.objects.erase(key);
  } else {
    bucket.objects[key] = versions.back();
  }
  if (versions.empty()) bucket.history.erase(history);
  return taken;
}

}  // namespace stepstore::fault
