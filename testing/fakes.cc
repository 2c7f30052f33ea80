#include "testing/fakes.h"

namespace stepstore {

SetClock::SetClock(Timestamp start) : wall_(start) {}

std::chrono::sys_time<std::chrono::nanoseconds> SetClock::now() {
  const std::lock_guard lock(mutex_);
  return wall_;
}

std::chrono::steady_clock::time_point SetClock::steady_now() {
  const std::lock_guard lock(mutex_);
  return steady_;
}

void SetClock::advance(std::chrono::nanoseconds duration) {
  const std::lock_guard lock(mutex_);
  wall_ += duration;
  steady_ += std::chrono::duration_cast<std::chrono::steady_clock::duration>(duration);
}

void SetClock::set_wall(Timestamp time) {
  const std::lock_guard lock(mutex_);
  wall_ = time;
}

void SetClock::set_steady(std::chrono::steady_clock::time_point time) {
  const std::lock_guard lock(mutex_);
  steady_ = time;
}

void SeededRandom::fill(std::span<std::byte> out) {
  const std::lock_guard lock(mutex_);
  for (std::byte& byte : out) byte = static_cast<std::byte>(engine_() >> 56);
}

}  // namespace stepstore
