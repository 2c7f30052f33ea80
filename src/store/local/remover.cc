#include <set>

#include "store/local/writer.h"

namespace stepstore::local {
namespace {

// Removes the directories that have become empty, upwards. The parent of the last one that went
// must be fsynced; that is what is returned.
std::string prune(Core& core, int root, std::string dir) {
  while (!dir.empty() && dir != kControl) {
    const int gone = core.files.remove_directory(root, dir.c_str());
    if (gone < 0 && gone != -ENOENT) break;
    core.forget_directory(dir);
    dir = parent_of(dir);
  }
  return dir;
}

}  // namespace

std::vector<Result<Done>> remove(Core& core, std::span<const ObjectKey> keys,
                                 const CallLimits& limits) {
  std::vector<Result<Done>> outcomes;
  outcomes.reserve(keys.size());
  std::set<std::string> touched;
  int root = -1;
  for (const ObjectKey& key : keys) {
    outcomes.push_back(item<Done>("remove", key.text(), [&]() -> Result<Done> {
      check_limits(limits, core.clock, "remove");
      core.refuse_reserved(key, "remove");
      core.refuse_when_failed("remove", key.text());
      root = core.root_to_read("remove");
      if (root < 0) return Done{};
      const BucketLocks lock(core, root, {{.key = key.text()}}, limits, "remove");
      const int gone = core.files.unlink(root, key.text().c_str());
      // EISDIR, EPERM: a directory, which is no object.
      if (gone == -ENOTDIR || gone == -EISDIR) return Done{};
      if (gone < 0 && gone != -ENOENT) checked(gone, "remove", key.text(), "unlink");
      // Also when it was gone: whoever removed it may have died before the fsync.
      touched.insert(parent_of(key.text()));
      return Done{};
    }));
  }
  for (const std::string& dir : touched) {
    try {
      core.sync_directory(root, prune(core, root, dir), "remove");
    } catch (const StorageManagerError& failed) {
      for (std::size_t i = 0; i < keys.size(); ++i) {
        if (!outcomes[i].ok() || parent_of(keys[i].text()) != dir) continue;
        outcomes[i] = unknown_outcome(told_as(failed, "remove", keys[i].text()));
      }
    }
  }
  return outcomes;
}

}  // namespace stepstore::local
