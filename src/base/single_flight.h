// One thread does what all need, the others wait or go on with what they have.
#pragma once

#include <sys/types.h>

#include <atomic>

#include "base/fork.h"

namespace stepstore {

// Thread-safe, and right in a forked child: a turn that a thread of the parent has taken counts for
// nothing there, since the child does not have that thread.
class SingleFlight {
 public:
  // Whose turn it is, until the end of its life.
  class Turn {
   public:
    Turn() = default;
    explicit Turn(std::atomic<pid_t>& busy) noexcept : busy_(&busy) {}
    Turn(Turn&& other) noexcept : busy_(other.busy_) { other.busy_ = nullptr; }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (busy_ != nullptr) *busy_ = 0;
    }
    explicit operator bool() const noexcept { return busy_ != nullptr; }

   private:
    std::atomic<pid_t>* busy_ = nullptr;
  };

  // False: another thread of this process has the turn.
  [[nodiscard]] Turn take() {
    const pid_t mine = this_process();
    pid_t there = 0;
    if (busy_.compare_exchange_strong(there, mine)) return Turn(busy_);
    if (there != mine && busy_.compare_exchange_strong(there, mine)) return Turn(busy_);
    return {};
  }

 private:
  std::atomic<pid_t> busy_ = 0;  // the process that has the turn; 0: nobody
};

}  // namespace stepstore
