// Time comes in through here, so that tests can set it.
#pragma once

#include <chrono>

#include "stepstore/call.h"

namespace stepstore {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  // Wall time in UTC. May jump in either direction.
  virtual std::chrono::sys_time<std::chrono::nanoseconds> now() = 0;
  // Monotonic time, for deadlines.
  virtual std::chrono::steady_clock::time_point steady_now() = 0;
  virtual void sleep(std::chrono::nanoseconds duration) = 0;

  Timestamp now_ms() { return std::chrono::floor<std::chrono::milliseconds>(now()); }
};

// The machine's clock. Never destroyed.
Clock& system_clock();

}  // namespace stepstore
