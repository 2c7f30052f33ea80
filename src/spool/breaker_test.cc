// A store that is away is tried again later and later, by one at a time; one that answers is no
// longer away.
#include "spool/breaker.h"

#include <gtest/gtest.h>

#include "testing/fakes.h"

namespace stepstore::spool {
namespace {

using std::chrono::seconds;

class BreakerTest : public testing::Test {
 protected:
  std::chrono::nanoseconds wait() const { return breaker.known().next_try - now; }

  SetClock clock;
  SeededRandom random{5};
  const std::chrono::steady_clock::time_point now = clock.steady_now();
  Breaker breaker{{.first = seconds(1), .most = seconds(30), .paused = seconds(60)}, clock, random};
};

TEST_F(BreakerTest, WaitsLongerEachTimeAndNoLongerThanItMay) {
  EXPECT_TRUE(breaker.allows());
  seconds most{1};
  for (int i = 0; i < 40; ++i) {
    breaker.failed(Breaker::State::open, "away");
    EXPECT_GE(wait(), most / 2) << i;
    EXPECT_LE(wait(), most) << i;
    most = std::min(seconds(30), most * 2);
  }
  EXPECT_FALSE(breaker.allows());
  EXPECT_EQ(breaker.known().reason, "away");
}

TEST_F(BreakerTest, LetsOneTryWhenTheTimeHasCome) {
  breaker.failed(Breaker::State::open, "away");
  EXPECT_FALSE(breaker.take_turn());
  clock.advance(seconds(1));
  EXPECT_TRUE(breaker.take_turn());
  EXPECT_FALSE(breaker.take_turn());
  breaker.succeeded();
  EXPECT_TRUE(breaker.allows());
  EXPECT_TRUE(breaker.take_turn());
  EXPECT_TRUE(breaker.take_turn());
}

TEST_F(BreakerTest, WaitsAMinuteForWhoMendsWhatIsRefused) {
  breaker.failed(Breaker::State::paused, "403");
  EXPECT_GE(wait(), seconds(30));
  EXPECT_LE(wait(), seconds(60));
  EXPECT_EQ(breaker.known().state, Breaker::State::paused);
}

}  // namespace
}  // namespace stepstore::spool
