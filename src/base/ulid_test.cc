// ULIDs have the published form, sort by time and do not repeat.
#include "base/ulid.h"

#include <gtest/gtest.h>

#include <set>

namespace stepstore {
namespace {

class FixedClock final : public Clock {
 public:
  explicit FixedClock(std::int64_t ms) : ms_(ms) {}
  std::chrono::sys_time<std::chrono::nanoseconds> now() override {
    return std::chrono::sys_time<std::chrono::nanoseconds>(std::chrono::milliseconds(ms_));
  }
  std::chrono::steady_clock::time_point steady_now() override { return {}; }
  void sleep(std::chrono::nanoseconds) override {}

 private:
  std::int64_t ms_;
};

TEST(Ulid, BeginsWithTheTimeAsThePublishedExampleDoes) {
  FixedClock clock(1469918176385);
  const std::string id = make_ulid(clock, system_random());
  EXPECT_EQ(id.substr(0, 10), "01ARYZ6S41");
  EXPECT_TRUE(is_ulid(id)) << id;
}

TEST(Ulid, SortsByTime) {
  FixedClock earlier(1'700'000'000'000), later(1'700'000'000'001);
  EXPECT_LT(make_ulid(earlier, system_random()), make_ulid(later, system_random()));
}

TEST(Ulid, DoesNotRepeatWithinAMillisecond) {
  FixedClock clock(1'700'000'000'000);
  std::set<std::string> seen;
  for (int i = 0; i < 10'000; ++i)
    EXPECT_TRUE(seen.insert(make_ulid(clock, system_random())).second);
}

TEST(Ulid, OtherTextsAreNone) {
  for (const char* text : {"", "01ARYZ6S41", "81ARYZ6S410000000000000000",
                           "01ARYZ6S41000000000000000u", "01aryz6s410000000000000000"}) {
    EXPECT_FALSE(is_ulid(text)) << text;
  }
}

}  // namespace
}  // namespace stepstore
