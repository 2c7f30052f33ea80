// When a request goes again: which failures pass, how long to wait, and when to stop trying.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

#include "base/random.h"

namespace stepstore::s3 {

struct RetryPolicy {
  int attempts_max = 8;  // the first included
  // From the first send on; no retry begins later. The call's own limit may be shorter.
  std::chrono::milliseconds total{30'000};
  std::chrono::milliseconds base{50};  // full jitter: a wait is random in [0, base * 2^n)
  std::chrono::milliseconds throttled_base{500};  // the same, after the server asked to slow down
  std::chrono::milliseconds wait_max{10'000};
  // A bucket that all calls of one client share: each retry takes tokens, each success gives one
  // back (after a retry, what that took), so that an outage is not multiplied by the callers.
  int tokens = 500;
  int retry_cost = 5;
  int timeout_cost = 10;
};

enum class Failure : std::uint8_t { transient, throttled, timed_out };

// Thread-safe; a child has its own after fork().
class RetryBudget {
 public:
  explicit RetryBudget(const RetryPolicy& policy);
  bool take(Failure failure) noexcept;  // false: no tokens left, give up
  void give_back(int attempts) noexcept;

 private:
  const int full_;
  const int retry_cost_;
  const int timeout_cost_;
  std::atomic<int> tokens_;
};

// How long to wait before attempt `attempt` (2 is the first retry). `asked`: Retry-After, obeyed up
// to wait_max.
std::chrono::milliseconds backoff(const RetryPolicy& policy, Failure failure, int attempt,
                                  std::chrono::milliseconds asked, Random& random);

}  // namespace stepstore::s3
