#include "spool/breaker.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

namespace stepstore::spool {
namespace {

// Between half of it and all of it, so that those who have lost the store together do not come back
// together.
std::chrono::milliseconds jittered(std::chrono::milliseconds time, Random& random) {
  std::array<std::byte, 4> bytes{};
  random.fill(bytes);
  std::uint32_t number = 0;
  std::memcpy(&number, bytes.data(), bytes.size());
  const double share = static_cast<double>(number) / 4294967296.0;
  return std::chrono::milliseconds(
      static_cast<std::int64_t>(static_cast<double>(time.count()) * (0.5 + share / 2)));
}

}  // namespace

bool Breaker::allows() const {
  const std::lock_guard lock(mutex_);
  return known_.state == State::closed;
}

bool Breaker::take_turn() {
  const auto now = clock_.steady_now();
  const std::lock_guard lock(mutex_);
  if (known_.state == State::closed) return true;
  if (now < known_.next_try) return false;
  // Should that one never tell, the next may try a while later.
  known_.next_try = now + back_off_.most;
  return true;
}

void Breaker::succeeded() {
  const std::lock_guard lock(mutex_);
  known_ = {};
}

void Breaker::failed(State how, std::string reason) {
  const auto now = clock_.steady_now();
  const std::lock_guard lock(mutex_);
  const unsigned doublings = std::min(known_.failures, 16U);
  ++known_.failures;
  known_.state = how;
  known_.reason = std::move(reason);
  const auto wait = how == State::paused
                        ? back_off_.paused
                        : std::min(back_off_.most, back_off_.first * (1U << doublings));
  known_.next_try = now + jittered(wait, random_);
}

Breaker::Known Breaker::known() const {
  const std::lock_guard lock(mutex_);
  return known_;
}

}  // namespace stepstore::spool
