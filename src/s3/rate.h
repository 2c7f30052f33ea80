// Rate: how many requests a second a client sends, once a server has asked it to slow down.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/fork.h"

namespace stepstore::s3 {

// The curve is that of AWS's own clients (CUBIC): down at once, back quickly to somewhat below the
// rate that was too much, slowly past it, and then faster and faster.
struct RatePolicy {
  double kept = 0.7;    // of the rate, after the server asked to slow down
  double growth = 0.4;  // requests a second, for each second cubed
  double floor_per_s = 1.0;
  std::chrono::seconds forget{30};  // without such an answer: no limit any more
};

// For all threads of a client. Until a server asks to slow down it only counts: no lock, and no
// look at a clock. Thread-safe, usable after fork() in the child.
class Rate {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit Rate(const RatePolicy& policy = {}) : policy_(policy) {}

  // Zero: `requests` may go now, and are counted. Else how long to wait before asking again.
  std::chrono::nanoseconds turn(std::size_t requests, Time now);
  // The server asked to slow down, in answer to what was sent at that time. What went out before
  // the rate was lowered for the last time says nothing about the lower one.
  void throttled(Time sent, Time now);
  // The server answered otherwise.
  bool limited() const noexcept { return limited_.load(std::memory_order_relaxed); }
  void answered(Time now);

  double per_second() noexcept;  // allowed now; 0: no limit

 private:
  void count(std::size_t requests, Time now) noexcept;
  double measured(Time now) const noexcept;  // requests a second, of late

  const RatePolicy policy_;
  std::atomic<bool> limited_ = false;
  // Sends of the half second that runs, and of the one before.
  std::atomic<std::int64_t> slot_ = 0;
  std::atomic<std::uint32_t> in_slot_ = 0, in_last_slot_ = 0;
  ForkMutex mutex_;  // of what follows
  double allowed_ = 0, too_much_ = 0, plateau_s_ = 0, tokens_ = 0;
  Time lowered_{}, filled_{};
};

}  // namespace stepstore::s3
