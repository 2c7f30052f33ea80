#include "base/clock.h"

#include <thread>

namespace stepstore {
namespace {

class SystemClock final : public Clock {
 public:
  std::chrono::sys_time<std::chrono::nanoseconds> now() override {
    return std::chrono::system_clock::now();
  }
  std::chrono::steady_clock::time_point steady_now() override {
    return std::chrono::steady_clock::now();
  }
  void sleep(std::chrono::nanoseconds duration) override { std::this_thread::sleep_for(duration); }
};

}  // namespace

Clock& system_clock() {
  static auto* const clock = new SystemClock;
  return *clock;
}

}  // namespace stepstore
