// Descriptors with a flock, which a forked child must let go of: it would hold the lock as long as
// it lives.
#pragma once

#include <atomic>
#include <mutex>
#include <vector>

#include "base/files.h"
#include "base/fork.h"

namespace stepstore {

// Thread-safe.
class HeldDescriptors final : private ForkAware {
 public:
  explicit HeldDescriptors(Files& files) : files_(files) { enroll(); }
  ~HeldDescriptors() override { withdraw(); }

  // Each child has another number: what was taken under another one is no longer held.
  unsigned generation() const { return generation_.load(); }
  void add(int fd);
  void remove(int fd);

 private:
  void before_fork() noexcept override { mutex_.lock(); }
  void after_fork_in_parent() noexcept override { mutex_.unlock(); }
  void after_fork_in_child() noexcept override;

  Files& files_;
  std::mutex mutex_;
  std::vector<int> fds_;
  std::atomic<unsigned> generation_ = 0;
};

}  // namespace stepstore
