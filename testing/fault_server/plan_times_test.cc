// Rules hold for some time, for a part of the requests, or for what goes beyond a rate; by a clock
// that the test sets, and the same for the same seed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/fakes.h"
#include "testing/fault_server/plan.h"

namespace stepstore::fault {
namespace {

using namespace std::chrono_literals;

class FaultPlanTimes : public testing::Test {
 protected:
  // Whether it was refused.
  bool refused(const std::string& key = "k") {
    const http::Reply reply =
        plan.carry_out({.method = "PUT", .bucket = "b", .key = key},
                       [](const Call&) { return http::Response{.status = 200}; });
    return reply.response.status == 503;
  }
  int refused_of(int requests) {
    int count = 0;
    for (int i = 0; i < requests; ++i) count += refused() ? 1 : 0;
    return count;
  }

  SetClock clock;
  FaultPlan plan{true, clock};
};

TEST_F(FaultPlanTimes, BeginAndEnd) {
  plan.on("PUT").between(2s, 5s).fault("slow_down");
  EXPECT_FALSE(refused());
  clock.advance(1'999ms);
  EXPECT_FALSE(refused());
  clock.advance(1ms);
  EXPECT_TRUE(refused());
  clock.advance(2'999ms);
  EXPECT_TRUE(refused());
  clock.advance(1ms);
  EXPECT_FALSE(refused());
  EXPECT_EQ(plan.journal()[2].since_start, 2s);
}

TEST_F(FaultPlanTimes, CountFromWhenTheyAreTold) {
  plan.on("PUT").between(0ms, 1s).fault("slow_down");
  plan.start_at_first_request();
  clock.advance(1h);
  EXPECT_TRUE(refused());
  clock.advance(999ms);
  EXPECT_TRUE(refused());
  clock.advance(1ms);
  EXPECT_FALSE(refused());
  EXPECT_EQ(plan.journal().front().since_start, 0ms);
  plan.start_now();
  EXPECT_EQ(plan.started(), clock.steady_now());
  EXPECT_TRUE(refused());
}

TEST_F(FaultPlanTimes, CountOnlyWhatComesThen) {
  plan.on("PUT").between(1s, 2s).nth(2).fault("slow_down");
  EXPECT_EQ(refused_of(5), 0);
  clock.advance(1s);
  EXPECT_FALSE(refused());
  EXPECT_TRUE(refused());
  EXPECT_FALSE(refused());
}

TEST_F(FaultPlanTimes, TakeAPart) {
  constexpr int kRequests = 2'000;
  plan.on("PUT").share(0.25, 7).fault("slow_down");
  EXPECT_NEAR(refused_of(kRequests), kRequests / 4, 80);
  plan.clear();
  plan.on("PUT").share(0).fault("slow_down");
  EXPECT_EQ(refused_of(100), 0);
  plan.clear();
  plan.on("PUT").share(1).fault("slow_down");
  EXPECT_EQ(refused_of(100), 100);
}

TEST_F(FaultPlanTimes, TakeTheSamePartForTheSameSeed) {
  const auto pattern = [this](std::uint64_t seed) {
    plan.clear();
    plan.on("PUT").share(0.5, seed).fault("slow_down");
    std::string all;
    for (int i = 0; i < 200; ++i) all += refused() ? 'x' : '.';
    return all;
  };
  EXPECT_EQ(pattern(7), pattern(7));
  EXPECT_NE(pattern(7), pattern(8));
}

TEST_F(FaultPlanTimes, TakeWhatGoesBeyondARate) {
  plan.on("PUT").above_per_s(100).fault("slow_down");
  EXPECT_EQ(refused_of(30), 20) << "a tenth of a second's worth is let through at once";
  clock.advance(50ms);
  EXPECT_EQ(refused_of(30), 25);
  clock.advance(10s);
  EXPECT_EQ(refused_of(30), 20) << "a quiet time is no credit";
  int taken = 0;
  for (int i = 0; i < 1'000; ++i) {
    clock.advance(2ms);  // 500 a second, for two seconds
    taken += refused() ? 0 : 1;
  }
  EXPECT_NEAR(taken, 200, 2);
}

TEST_F(FaultPlanTimes, TellAListenerOfEachRequest) {
  std::vector<Entry> told;
  plan.on_entry([&](const Entry& entry) { told.push_back(entry); });
  plan.on("PUT", "refused").fault("slow_down");
  refused("a");
  refused("refused");
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[1].status, 503);
  EXPECT_EQ(told[1].fate, Fate::answer);
  FaultPlan silent(false, clock);
  int heard = 0;
  silent.on_entry([&](const Entry&) { ++heard; });
  silent.carry_out({.method = "GET"}, [](const Call&) { return http::Response{.status = 200}; });
  EXPECT_EQ(heard, 1);
  EXPECT_TRUE(silent.journal().empty());
}

}  // namespace
}  // namespace stepstore::fault
