// Spool: the durable queue of steps that the store has not taken yet.
//
//   <root>/new/<shard>/<name>        entries (entry.h, entry_name.h)
//   <root>/new/<shard>/.t-<ulid>     one that is being written; nobody looks at it
//   <root>/rejected/<name>           entries that can never be stored, beside <name>.json: why
//   <root>/drain.lock                held by whoever drains
//
// What lies in the directory is the only truth: there are no counters and no ledger that could
// disagree with it. An entry is there, whole, once put() has returned, and until remove(). Any
// number of processes may use one spool. Files are 0600 and directories 0700.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/fork.h"
#include "base/held_descriptors.h"
#include "base/random.h"
#include "spool/entry.h"
#include "spool/entry_name.h"
#include "stepstore/object_store.h"

namespace stepstore::spool {

struct SpoolOptions {
  std::uint64_t bytes_max = std::uint64_t{10} << 30U;
  std::uint64_t entries_max = 1'000'000;
  // What stays free on its disk: this, or this part of it, whichever is more.
  std::uint64_t free_bytes_min = std::uint64_t{1} << 30U;
  double free_share_min = 0.05;
  // How long put() waits for room; 0: SpoolFull at once.
  std::chrono::milliseconds wait_when_full{0};
  bool fsync = true;  // false: for tests; a crash of the machine may lose entries
};

struct Totals {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  std::optional<Timestamp> oldest{};  // by the clock of whoever spooled it
};

struct Rejected {
  EntryName name{};
  std::string reason{};
};

// A lock that ends with this, or with the process. Not inherited by a forked child.
class Lock {
 public:
  Lock(HeldDescriptors& held, Fd fd) : held_(&held), fd_(std::move(fd)) { held_->add(fd_.get()); }
  Lock(Lock&&) = default;
  Lock& operator=(Lock&&) = delete;
  ~Lock() {
    if (fd_.ok()) held_->remove(fd_.get());
  }

 private:
  HeldDescriptors* held_;
  Fd fd_;
};

// Thread-safe; usable after fork() in the child.
class Spool {
 public:
  // Touches nothing yet.
  Spool(std::filesystem::path root, SpoolOptions options, Files& files, Clock& clock,
        Random& random);
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  const std::filesystem::path& root() const noexcept { return root_; }
  const SpoolOptions& options() const noexcept { return options_; }

  // Keeps a step; when it returns, no crash loses it. Throws SpoolFull before anything is written,
  // NoSpace, and what else the disk says: then the entry is not there.
  EntryName put(const Head& head, std::span<const Source> bodies, const CallLimits& limits);

  // Oldest first. A spool that does not exist is empty.
  std::vector<EntryName> entries() const;
  // Those of one step, or of one session. Their numbers agree; whether the ids do, the heads say.
  std::vector<EntryName> of_step(std::string_view session_id, std::string_view step_id) const;
  std::vector<EntryName> of_session(std::string_view session_id) const;
  // None: it has gone. Throws Corrupt.
  std::unique_ptr<EntryFile> open(const EntryName& name) const;
  // Counted anew when that was not done for a second.
  Totals totals() const;

  // None: somebody else drains.
  std::optional<Lock> lock_for_draining();
  // For whoever decides what becomes of an entry. None: somebody else does, or it has gone.
  std::optional<Lock> lock(const EntryName& name);
  // Under the entry's lock. False: it had gone.
  bool remove(const EntryName& name);
  // Sets it aside, with the reason; it can be looked at, tried again and dropped.
  void reject(const EntryName& name, std::string_view reason);
  std::vector<Rejected> rejected() const;
  void retry(const EntryName& rejected);  // back among the others, at its old place
  void drop(const EntryName& rejected);

  // Removes what dead writers left. Called by whoever drains.
  void sweep();

 private:
  int open_root(bool make) const;
  void make_root(const std::filesystem::path& at) const;
  Fd directory(const std::string& path, bool make) const;
  std::vector<EntryName> list(const std::string& folder) const;
  template <class Wanted>
  std::vector<EntryName> list_shards(Wanted&& wanted) const;
  std::string next_order(const std::vector<EntryName>& before);
  void wait_for_room(std::uint64_t bytes, const CallLimits& limits) const;
  std::optional<StorageManagerError> full(std::uint64_t bytes) const;
  Totals count() const;
  void sync(int directory, const std::string& path) const;

  const std::filesystem::path root_;
  const SpoolOptions options_;
  Files& files_;
  Clock& clock_;
  Random& random_;
  HeldDescriptors held_;
  mutable std::atomic<int> root_fd_ = -1;
  mutable ForkMutex mutex_;  // of what follows
  std::string last_order_{};
  mutable std::optional<Totals> totals_{};
  mutable std::chrono::steady_clock::time_point counted_at_{};
};

}  // namespace stepstore::spool
