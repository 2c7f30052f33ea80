// A clock that tests set and random numbers that they can repeat.
#pragma once

#include <cstdint>
#include <mutex>
#include <random>

#include "base/clock.h"
#include "base/random.h"

namespace stepstore {

// Stands still until it is told otherwise; sleep() advances it instead of waiting. Thread-safe.
class SetClock final : public Clock {
 public:
  // 2026-01-01 00:00 UTC unless told otherwise; the steady time begins at one hour.
  explicit SetClock(Timestamp start = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1));

  std::chrono::sys_time<std::chrono::nanoseconds> now() override;
  std::chrono::steady_clock::time_point steady_now() override;
  void sleep(std::chrono::nanoseconds duration) override { advance(duration); }

  void advance(std::chrono::nanoseconds duration);  // both times
  void set_wall(Timestamp time);                    // the wall time only, in either direction
  // The steady time only: for deadlines that somebody with the machine's clock will look at.
  void set_steady(std::chrono::steady_clock::time_point time);

 private:
  std::mutex mutex_;
  std::chrono::sys_time<std::chrono::nanoseconds> wall_;
  std::chrono::steady_clock::time_point steady_{std::chrono::hours(1)};
};

// The same numbers for the same seed. Thread-safe. Not for secrets.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  void fill(std::span<std::byte> out) override;

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;
};

}  // namespace stepstore
