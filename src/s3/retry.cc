#include "s3/retry.h"

#include <algorithm>

namespace stepstore::s3 {

RetryBudget::RetryBudget(const RetryPolicy& policy)
    : full_(policy.tokens),
      retry_cost_(policy.retry_cost),
      timeout_cost_(policy.timeout_cost),
      tokens_(policy.tokens) {}

bool RetryBudget::take(Failure failure) noexcept {
  const int cost = failure == Failure::timed_out ? timeout_cost_ : retry_cost_;
  int tokens = tokens_.load(std::memory_order_relaxed);
  do {
    if (tokens < cost) return false;
  } while (!tokens_.compare_exchange_weak(tokens, tokens - cost, std::memory_order_relaxed));
  return true;
}

void RetryBudget::give_back(int attempts) noexcept {
  // What needed a retry gives that one back, as AWS's own clients do; else an outage that has
  // passed would leave the bucket empty for hundreds of requests.
  const int tokens_back = attempts > 1 ? retry_cost_ : 1;
  int tokens = tokens_.load(std::memory_order_relaxed);
  while (tokens < full_ &&
         !tokens_.compare_exchange_weak(tokens, std::min(full_, tokens + tokens_back),
                                        std::memory_order_relaxed)) {
  }
}

std::chrono::milliseconds backoff(const RetryPolicy& policy, Failure failure, int attempt,
                                  std::chrono::milliseconds asked, Random& random) {
  const auto base = failure == Failure::throttled ? policy.throttled_base : policy.base;
  // 2^20 * base is beyond any wait_max that makes sense, and does not overflow.
  const int doublings = std::clamp(attempt - 2, 0, 20);
  const auto range = std::min(policy.wait_max, base * (std::int64_t{1} << doublings));
  std::uint64_t number = 0;
  random.fill(std::as_writable_bytes(std::span(&number, 1)));
  const auto count = static_cast<std::uint64_t>(std::max<std::int64_t>(range.count(), 1));
  const std::chrono::milliseconds jitter(static_cast<std::int64_t>(number % count));
  return std::max(jitter, std::min(asked, policy.wait_max));
}

}  // namespace stepstore::s3
