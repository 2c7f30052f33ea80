// Batch: runs many small jobs on a few threads, the caller's among them.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "base/clock.h"
#include "stepstore/object_store.h"

namespace stepstore {

// The threads of one manager: started when a batch first needs them, kept, and left behind by a
// forked child, which starts its own. Thread-safe.
class Batch {
 public:
  // At most `threads` work on one batch, the caller's included.
  explicit Batch(std::size_t threads);
  ~Batch();

  // Calls job(i, limits) for every i below `count`, in any order and from several threads; returns
  // when all are done. `limits` are the caller's, except that `interrupted` is asked on the calling
  // thread alone: when it says yes, the stop token of every job's limits says so. A caller waits
  // only for jobs that run; the rest it does itself, so batches may nest. Jobs must not throw.
  void run(std::size_t count, const CallLimits& limits,
           const std::function<void(std::size_t, const CallLimits&)>& job);

 private:
  class Pool;
  std::shared_ptr<Pool> pool();

  const std::size_t threads_;
  struct Owner;
  std::unique_ptr<Owner> owner_;
};

}  // namespace stepstore
