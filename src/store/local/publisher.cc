#include <fcntl.h>

#include <algorithm>

#include "store/local/reader.h"
#include "store/local/writer.h"

namespace stepstore::local {
namespace {

// A publish: everything is staged and durable, then the guard is judged, then the names are given.
//
// A new directory gets all its names at once by one rename that replaces nothing. It holds the lock
// of the commit's key and, shared, of the guard's, but none of the parts': a put of one of those
// either has made the directory before, then the rename is refused and the names are given one by
// one, each under its lock; or it comes after, and is judged by the files that it finds. No put can
// be between its comparison and its rename meanwhile, since it would have found a file in a
// directory that did not exist.
class Publisher {
 public:
  Publisher(Core& core, Workshop& workshop, const PublishRequest& request, const CallLimits& limits)
      : core_(core), workshop_(workshop), request_(request), limits_(limits) {}

  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;
  ~Publisher() {
    staged_.clear();
    if (!made_.empty()) (void)core_.files.remove_directory(root_, made_.c_str());
  }

  PublishResult run() {
    try {
      if (fits_one_directory() && stage_directory() && publish_directory()) {
        return std::move(result_);
      }
    } catch (const StorageManagerError& failed) {
      tell_failure(failed);
      return std::move(result_);
    }
    publish_by_keys();
    return std::move(result_);
  }

 private:
  bool fits_one_directory() const {
    const std::string dir = parent_of(request_.commit.key.text());
    const auto fits = [&](const PutRequest& each) {
      return parent_of(each.key.text()) == dir &&
             each.condition.kind != Condition::Kind::unchanged && !is_reserved(each.key.text());
    };
    if (dir.empty() || is_reserved(dir) || dir == kControl) return false;
    if (request_.commit.condition.kind != Condition::Kind::absent) return false;
    std::vector<std::string_view> names{request_.commit.key.text()};
    for (const PutRequest& part : request_.parts) names.push_back(part.key.text());
    std::ranges::sort(names);
    return std::ranges::adjacent_find(names) == names.end() && fits(request_.commit) &&
           std::ranges::all_of(request_.parts, fits);
  }

  bool stage_directory() {
    core_.refuse_when_failed("publish", request_.commit.key.text());
    root_ = core_.root_to_write("publish");
    dir_ = parent_of(request_.commit.key.text());
    FileStat stat;
    // The step is there already: nothing to gain by one rename.
    if (core_.files.stat_at(root_, dir_.c_str(), stat) == 0) return false;
    for (int i = 0;; ++i) {
      made_ = workshop_.fresh_name(root_, "publish");
      const int made = core_.files.make_directory(root_, made_.c_str(), 0700);
      if (made == 0) break;
      if (made != -ENOENT || i == kTries) checked(made, "publish", made_, "mkdir");
      workshop_.lost();
    }
    write_files();
    return true;
  }

  // Everything is written before anything is made durable, so that the file system can do it in one
  // go; a few at a time, since each has a descriptor meanwhile.
  void write_files() {
    constexpr std::size_t kOpenMax = 16;
    std::vector<const PutRequest*> all;
    for (const PutRequest& part : request_.parts) all.push_back(&part);
    all.push_back(&request_.commit);
    staged_.reserve(all.size());
    std::size_t synced = 0;
    for (const PutRequest* const each : all) {
      check_limits(limits_, core_.clock, "publish");
      const std::string name = made_ + each->key.text().substr(dir_.size());
      staged_.push_back(write_staged(core_, root_, name, each->body, "publish"));
      if (staged_.size() - synced < kOpenMax && staged_.size() < all.size()) continue;
      for (; synced < staged_.size(); ++synced) {
        sync_staged(core_, root_, staged_[synced], all[synced]->body, "publish");
      }
    }
  }

  bool publish_directory() {
    if (core_.options.fsync) {
      const Fd fd = open_at(core_.files, root_, made_.c_str(), O_RDONLY | O_DIRECTORY);
      checked(fd.get(), "publish", made_, "open");
      checked(core_.files.fsync(fd.get()), "publish", made_, "fsync");
    }
    while (true) {
      if (!judge()) return false;
      const BucketLocks locks(core_, root_, wanted(), limits_, "publish");
      if (!still_judged()) continue;
      if (!rename_directory()) return false;
      break;
    }
    for (Staged& staged : staged_) staged.taken();
    made_.clear();
    for (std::size_t i = 0; i + 1 < staged_.size(); ++i) {
      result_.parts.emplace_back(staged_[i].etag());
    }
    result_.commit = item<ETag>("publish", request_.commit.key.text(), [&]() -> Result<ETag> {
      sync_entry(core_, root_, parent_of(dir_), "publish");
      return staged_.back().etag();
    });
    return true;
  }

  bool rename_directory() {
    for (int i = 0; i < kTries; ++i) {
      int renamed = core_.files.rename(root_, made_.c_str(), root_, dir_.c_str(), false);
      // Without NOREPLACE a directory still replaces none but an empty one, which nobody misses.
      if (renamed == -EINVAL || renamed == -ENOSYS) {
        renamed = core_.files.rename(root_, made_.c_str(), root_, dir_.c_str(), true);
      }
      if (renamed == 0) {
        core_.forget_directory(dir_);
        return true;
      }
      if (renamed == -EEXIST || renamed == -ENOTEMPTY || renamed == -ENOTDIR) return false;
      if (renamed != -ENOENT && renamed != -EINTR) {
        errno_error(-renamed, "publish", dir_, "rename").raise();
      }
      core_.make_directories(root_, parent_of(dir_), "publish");
    }
    return false;
  }

  std::vector<BucketLocks::Wanted> wanted() const {
    std::vector<BucketLocks::Wanted> all{{.key = request_.commit.key.text(), .shared = false}};
    if (request_.guard) all.push_back({.key = request_.guard->key.text(), .shared = true});
    return all;
  }

  // Asks the guard, outside the locks: it is foreign code, and may use the store.
  bool judge() {
    check_limits(limits_, core_.clock, "publish");
    result_.guard.reset();
    if (!request_.guard) return true;
    const GetRequest get_guard{.key = request_.guard->key, .range = {}, .if_match = {}};
    Result<Object> found = get(core_, {&get_guard, 1}, limits_).front();
    if (!found && !found.is(ErrorCode::NotFound)) found.error().raise();
    if (found) result_.guard = std::move(found).value();
    const Object* const object = result_.guard ? &*result_.guard : nullptr;
    result_.guard_held = request_.guard->holds ? request_.guard->holds(object) : !object;
    return result_.guard_held;
  }

  // With the guard's lock held: what was judged is what is there.
  bool still_judged() {
    if (!request_.guard) return true;
    const Result<ObjectInfo> now = head(core_, {&request_.guard->key, 1}, limits_).front();
    if (!now && !now.is(ErrorCode::NotFound)) now.error().raise();
    return now ? result_.guard && result_.guard->info.etag == now->etag : !result_.guard;
  }

  // A name after the other, each under its lock. What was staged for the directory is used.
  void publish_by_keys() {
    result_.parts.clear();
    for (std::size_t i = 0; i < request_.parts.size(); ++i) {
      const PutRequest& part = request_.parts[i];
      result_.parts.push_back(staged_.empty() ? put(core_, workshop_, part, limits_)
                                              : put_staged(part, staged_[i]));
    }
    const bool taken = std::ranges::all_of(result_.parts, &Result<ETag>::ok);
    try {
      if (judge() && taken) result_.commit = commit_by_key();
    } catch (const Cancelled&) {
      throw;
    } catch (const ConfigError&) {
      throw;
    } catch (const StorageManagerError& failed) {
      if (taken) result_.commit = told_as(failed, "publish", request_.commit.key.text());
    }
  }

  Result<ETag> put_staged(const PutRequest& request, Staged& staged) {
    return item<ETag>("put", request.key.text(), [&] {
      return commit(core_, root_, staged, request.key, request.condition, "put", limits_);
    });
  }

  // None: the guard does not hold.
  std::optional<Result<ETag>> commit_by_key() {
    const PutRequest& last = request_.commit;
    core_.refuse_reserved(last.key, "publish");
    core_.refuse_when_failed("publish", last.key.text());
    root_ = core_.root_to_write("publish");
    if (staged_.empty()) {
      staged_.push_back(stage(core_, workshop_, root_, last.body, "publish", limits_));
    }
    std::optional<Result<ETag>> outcome;
    while (true) {
      {
        const BucketLocks locks(core_, root_, wanted(), limits_, "publish");
        if (still_judged()) {
          outcome = place(core_, root_, staged_.back(), last.key, last.condition, "publish");
        }
      }
      if (outcome) break;
      if (!judge()) return std::nullopt;
    }
    if (outcome->ok()) sync_entry(core_, root_, parent_of(last.key.text()), "publish");
    return outcome;
  }

  // Nothing has appeared: every item failed with the same error.
  void tell_failure(const StorageManagerError& failed) {
    const ErrorCode code = failed.code();
    if (code == ErrorCode::Cancelled || code == ErrorCode::ConfigError) failed.raise();
    result_.parts.clear();
    for (const PutRequest& part : request_.parts) {
      result_.parts.emplace_back(told_as(failed, "publish", part.key.text()));
    }
    result_.commit = told_as(failed, "publish", request_.commit.key.text());
  }

  Core& core_;
  Workshop& workshop_;
  const PublishRequest& request_;
  const CallLimits& limits_;
  PublishResult result_;
  int root_ = -1;
  std::string dir_;             // of all keys
  std::string made_;            // the directory that is to become it
  std::vector<Staged> staged_;  // the parts, then the commit; or none; or the commit
};

}  // namespace

PublishResult publish(Core& core, Workshop& workshop, const PublishRequest& request,
                      const CallLimits& limits) {
  return Publisher(core, workshop, request, limits).run();
}

}  // namespace stepstore::local
