// Waits are random within bounds that double, and the budget ends a storm of retries.
#include "s3/retry.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "testing/fakes.h"

namespace stepstore::s3 {
namespace {

using std::chrono::milliseconds;

struct Bounds {
  milliseconds least{1'000'000};
  milliseconds most{0};
};

Bounds many_waits(Failure failure, int attempt, milliseconds asked = milliseconds(0)) {
  SeededRandom random(7);
  const RetryPolicy policy;
  Bounds bounds;
  for (int i = 0; i < 2000; ++i) {
    const milliseconds wait = backoff(policy, failure, attempt, asked, random);
    bounds.least = std::min(bounds.least, wait);
    bounds.most = std::max(bounds.most, wait);
  }
  return bounds;
}

// [G28] Full jitter: from nothing up to the doubled base, so that clients do not come back in step.
TEST(Backoff, IsRandomBelowABoundThatDoubles) {
  struct Row {
    Failure failure;
    int attempt;
    int below_ms;
  };
  for (const Row row :
       {Row{Failure::transient, 2, 50}, Row{Failure::transient, 3, 100},
        Row{Failure::transient, 4, 200}, Row{Failure::timed_out, 2, 50},
        Row{Failure::throttled, 2, 500}, Row{Failure::throttled, 4, 2000},
        Row{Failure::transient, 20, 10'000}, Row{Failure::throttled, 2000, 10'000}}) {
    const Bounds bounds = many_waits(row.failure, row.attempt);
    EXPECT_LT(bounds.most, milliseconds(row.below_ms)) << row.attempt;
    EXPECT_GT(bounds.most, milliseconds(row.below_ms * 95 / 100)) << row.attempt;
    EXPECT_LT(bounds.least, milliseconds(std::max(1, row.below_ms / 20))) << row.attempt;
  }
}

TEST(Backoff, IsNotShorterThanTheServerAsksUpToTheLongestWait) {
  EXPECT_EQ(many_waits(Failure::throttled, 2, milliseconds(400)).least, milliseconds(400));
  EXPECT_EQ(many_waits(Failure::throttled, 2, milliseconds(90'000)).most, milliseconds(10'000));
}

TEST(Backoff, ToleratesAPolicyWithoutWaits) {
  SeededRandom random(1);
  RetryPolicy policy;
  policy.base = milliseconds(0);
  EXPECT_EQ(backoff(policy, Failure::transient, 5, milliseconds(0), random), milliseconds(0));
}

TEST(RetryBudget, EndsRetriesAndRefillsSlowly) {
  RetryPolicy policy;
  policy.tokens = 25;
  RetryBudget budget(policy);
  EXPECT_TRUE(budget.take(Failure::timed_out));  // 10
  EXPECT_TRUE(budget.take(Failure::transient));  // 5
  EXPECT_TRUE(budget.take(Failure::throttled));  // 5
  EXPECT_FALSE(budget.take(Failure::timed_out)) << "5 are left";
  EXPECT_TRUE(budget.take(Failure::transient));
  EXPECT_FALSE(budget.take(Failure::transient));
  for (int i = 0; i < 4; ++i) budget.give_back(1);
  EXPECT_FALSE(budget.take(Failure::transient));
  budget.give_back(1);
  EXPECT_TRUE(budget.take(Failure::transient));
  budget.give_back(2);
  EXPECT_TRUE(budget.take(Failure::transient)) << "a retry that worked gives its tokens back";
  for (int i = 0; i < 1000; ++i) budget.give_back(1);
  EXPECT_TRUE(budget.take(Failure::timed_out));
  EXPECT_TRUE(budget.take(Failure::timed_out));
  EXPECT_TRUE(budget.take(Failure::transient));
  EXPECT_FALSE(budget.take(Failure::transient)) << "never more than full";
}

TEST(RetryBudget, CountsRightBetweenThreads) {
  RetryPolicy policy;
  policy.tokens = 5000;
  RetryBudget budget(policy);
  std::atomic<int> taken = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 1000; ++i) taken += budget.take(Failure::transient) ? 1 : 0;
      });
    }
  }
  EXPECT_EQ(taken, 1000);
}

}  // namespace
}  // namespace stepstore::s3
