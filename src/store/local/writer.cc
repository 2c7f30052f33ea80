#include "store/local/writer.h"

#include <fcntl.h>
#include <sys/stat.h>

namespace stepstore::local {
namespace {

// What stands in the way of the key when the kernel says that a directory does. An empty directory
// is what a removal left when it was stopped; it goes.
Result<Done> clear_way(Core& core, int root, const ObjectKey& key, std::string_view operation) {
  const int gone = core.files.remove_directory(root, key.text().c_str());
  if (gone == 0 || gone == -ENOENT) return Done{};
  return error(ErrorCode::InvalidArgument, operation, key.text(),
               "objects lie below this key, and a directory cannot hold both",
               "Choose another key.");
}

}  // namespace

Result<ETag> place(Core& core, int root, Staged& staged, const ObjectKey& key,
                   const Condition& condition, std::string_view operation) {
  const char* const name = key.text().c_str();
  const bool absent = condition.kind == Condition::Kind::absent;
  for (int i = 0; i < kTries; ++i) {
    FileStat stat;
    if (condition.kind == Condition::Kind::unchanged) {
      const int found = core.files.stat_at(root, name, stat);
      const bool gone = found == -ENOENT || found == -ENOTDIR;
      if (!gone) checked(found, operation, key.text(), "stat");
      if (gone || !S_ISREG(stat.mode) || etag_of(stat) != condition.etag) {
        return error(ErrorCode::Conflict, operation, key.text(),
                     gone ? "the object has gone" : "the object has changed");
      }
    }
    int renamed = core.files.rename(root, staged.name().c_str(), root, name, !absent);
    if (absent && (renamed == -EINVAL || renamed == -ENOSYS)) {
      renamed = core.files.link(root, staged.name().c_str(), root, name);
      if (renamed == 0) (void)core.files.unlink(root, staged.name().c_str());
    }
    if (renamed == 0) {
      staged.taken();
      return staged.etag();
    }
    if (renamed == -ENOENT) {
      core.make_directories(root, parent_of(key.text()), operation);
      continue;
    }
    if (renamed == -EEXIST || renamed == -EISDIR) {
      const int found = core.files.stat_at(root, name, stat);
      if (found == -ENOENT) continue;
      if (found == 0 && S_ISDIR(stat.mode)) {
        const Result<Done> way = clear_way(core, root, key, operation);
        if (!way) return way.error();
        continue;
      }
      return error(ErrorCode::AlreadyExists, operation, key.text(), "the key is taken");
    }
    if (renamed == -ENOTDIR) {
      return error(ErrorCode::InvalidArgument, operation, key.text(),
                   "a part of its path is an object, and a file cannot hold another",
                   "Choose another key.");
    }
    if (renamed != -EINTR) errno_error(-renamed, operation, key.text(), "rename").raise();
  }
  return error(ErrorCode::Io, operation, key.text(),
               "its directory goes away as often as it is made",
               "Was the store's directory removed? Then open the store again.");
}

void sync_entry(Core& core, int root, const std::string& dir, std::string_view operation) {
  try {
    core.sync_directory(root, dir, operation);
  } catch (const StorageManagerError& failed) {
    unknown_outcome(failed).raise();
  }
}

Result<ETag> commit(Core& core, int root, Staged& staged, const ObjectKey& key,
                    const Condition& condition, std::string_view operation,
                    const CallLimits& limits) {
  Result<ETag> outcome = [&] {
    const BucketLocks lock(core, root, {{.key = key.text()}}, limits, operation);
    return place(core, root, staged, key, condition, operation);
  }();
  if (outcome) sync_entry(core, root, parent_of(key.text()), operation);
  return outcome;
}

Result<ETag> put(Core& core, Workshop& workshop, const PutRequest& request,
                 const CallLimits& limits) {
  return item<ETag>("put", request.key.text(), [&] {
    core.refuse_reserved(request.key, "put");
    core.refuse_when_failed("put", request.key.text());
    check_limits(limits, core.clock, "put");
    const int root = core.root_to_write("put");
    Staged staged = stage(core, workshop, root, request.body, "put", limits);
    return commit(core, root, staged, request.key, request.condition, "put", limits);
  });
}

}  // namespace stepstore::local
