// A server that asks to slow down is heard by all threads of a client, and the rate comes back when
// the server has. Figures of a storm are printed.
#include "s3/rate.h"

#include <gmock/gmock.h>

#include <iostream>

#include "s3/scripted_transport_fixture.h"

namespace stepstore::s3 {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class S3Rate : public ::testing::Test {
 protected:
  // Sends as fast as the rate lets it for so long, to a server that takes `capacity` a second; the
  // requests that went out.
  std::size_t load(double capacity, seconds time) {
    std::size_t sent = 0;
    const Rate::Time end = now + time;
    while (now < end) {
      const auto wait = rate.turn(1, now);
      if (wait.count() > 0) {
        now += wait;
        continue;
      }
      ++sent;
      if (now - window > seconds(1)) {
        window = now;
        taken = 0;
      }
      ++taken;
      const Rate::Time asked = now;
      now += milliseconds(1);
      if (taken > capacity) {
        rate.throttled(asked, now);
      } else if (rate.limited()) {
        rate.answered(now);
      }
    }
    return sent;
  }

  Rate rate;
  Rate::Time now{std::chrono::hours(1)};
  Rate::Time window = now;
  double taken = 0;
};

TEST_F(S3Rate, LimitsNothingBeforeTheServerAsks) {
  for (int i = 0; i < 100'000; ++i) EXPECT_EQ(rate.turn(64, now).count(), 0);
  EXPECT_FALSE(rate.limited());
  EXPECT_EQ(rate.per_second(), 0);
}

TEST_F(S3Rate, GoesDownOnceForWhatWasSentTogether) {
  for (int i = 0; i < 100; ++i) EXPECT_EQ(rate.turn(1, now).count(), 0);
  const Rate::Time sent = now;
  now += milliseconds(10);
  for (int i = 0; i < 100; ++i) rate.throttled(sent, now);
  EXPECT_NEAR(rate.per_second(), 140, 1) << "0.7 of 100 in half a second";
}

TEST_F(S3Rate, AllowsMoreAtOnceThanItsRateOnCredit) {
  EXPECT_EQ(rate.turn(1, now).count(), 0);
  rate.throttled(now, now);
  now += seconds(10);
  EXPECT_EQ(rate.turn(64, now).count(), 0) << "64 requests of one step need no 64 turns";
  EXPECT_GT(rate.turn(1, now), seconds(10)) << "but are paid for";
}

TEST_F(S3Rate, IsForgottenWhenTheServerIsWellAgain) {
  EXPECT_EQ(rate.turn(1, now).count(), 0);
  rate.throttled(now, now);
  EXPECT_TRUE(rate.limited());
  now += seconds(31);
  EXPECT_EQ(rate.turn(10'000, now).count(), 0);
  EXPECT_FALSE(rate.limited());
}

TEST_F(S3Rate, FollowsWhatTheServerCanTake) {
  const std::size_t before = load(1e9, seconds(5)) / 5;
  const std::size_t storm = load(0, seconds(20));
  const std::size_t during = load(0, seconds(20));
  const Rate::Time well = now;
  std::size_t last = 0;
  while (last < before * 9 / 10 && now - well < seconds(60)) last = load(1e9, seconds(1));
  const auto recovery = std::chrono::duration_cast<seconds>(now - well);
  const std::size_t half = load(static_cast<double>(before) / 2, seconds(30)) / 30;
  std::cout << "requests a second before " << before << ", in the first 20 s of a storm "
            << static_cast<double>(storm) / 20 << ", later " << static_cast<double>(during) / 20
            << ", 90 % again after " << recovery.count() << " s, at half the capacity " << half
            << '\n';
  EXPECT_GT(before, 900U);
  EXPECT_LE(storm, 200U);
  EXPECT_LE(during, 30U) << "one a second";
  EXPECT_LT(recovery, seconds(30));
  EXPECT_LT(half, before * 6 / 10);
  EXPECT_GT(half, before / 6);
}

// The whole client: a storm of callers that call again at once when they have failed.
class S3ClientStorm : public ClientFixture {};

// [G27]
TEST_F(S3ClientStorm, SendsFewRequestsIntoAStorm) {
  Client& one = client();
  transport->before_each([this] { clock.advance(milliseconds(5)); });
  transport->then(refusal(503, "SlowDown"));
  const auto sends_within = [&](seconds time) {
    const auto end = clock.steady_now() + time;
    const std::size_t before = transport->sent().size();
    while (clock.steady_now() < end) {
      (void)one.send_one(get(), {.deadline = clock.steady_now() + seconds(2)});
    }
    return transport->sent().size() - before;
  };
  (void)sends_within(seconds(10));
  const std::size_t during = sends_within(seconds(60));
  transport->then({});
  const auto well = clock.steady_now();
  while (sends_within(seconds(1)) < 180 && clock.steady_now() - well < seconds(60)) {
  }
  const auto recovery = std::chrono::duration_cast<seconds>(clock.steady_now() - well);
  std::cout << "requests in 60 s of a storm: " << during << "; 90 % of 200 a second again after "
            << recovery.count() << " s\n";
  EXPECT_LE(during, 66U);
  EXPECT_LT(recovery, seconds(31));
}

}  // namespace
}  // namespace stepstore::s3
