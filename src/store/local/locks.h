// Locks between writers of one key, in any process or thread: flock on one of 256 files.
#pragma once

#include <memory>
#include <vector>

#include "store/local/core.h"

namespace stepstore::local {

class BucketLocks {
 public:
  struct Wanted {
    std::string_view key;
    bool shared = false;
  };

  // Waits until all are held. They are taken in the order of their buckets, and each bucket once,
  // so that two callers cannot wait for each other.
  BucketLocks(Core& core, int root, const std::vector<Wanted>& wanted, const CallLimits& limits,
              std::string_view operation);
  BucketLocks(const BucketLocks&) = delete;
  BucketLocks& operator=(const BucketLocks&) = delete;
  ~BucketLocks() { release(); }

 private:
  void take(int root, unsigned bucket, bool shared, const CallLimits& limits,
            std::string_view operation);
  void release();

  Core& core_;
  unsigned generation_;
  std::vector<Fd> fds_;
};

}  // namespace stepstore::local
