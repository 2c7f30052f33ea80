// Credentials are fetched anew in time, by one thread, and an outage costs neither what is still
// valid nor a storm of requests. [G19]
#include "s3/credentials/refreshing.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "base/errors.h"
#include "testing/fakes.h"

namespace stepstore::s3 {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class RefreshingTest : public ::testing::Test {
 protected:
  Credentials fetch() {
    const int now = ++fetches;
    if (on_fetch) on_fetch();
    if (failing) error(ErrorCode::Unavailable, "credentials", "", "nobody answers").raise();
    return {.access_key = "KEY" + std::to_string(now),
            .secret_key = "S",
            .expires_at = clock.now_ms() + life};
  }
  std::string key(const CallLimits& limits = {}) { return source.current(limits)->access_key; }

  SetClock clock;
  std::atomic<int> fetches = 0;
  std::atomic<bool> failing = false;
  std::function<void()> on_fetch;
  std::chrono::milliseconds life = std::chrono::hours(1);
  RefreshingCredentials source{"the test", [this](const CallLimits&) { return fetch(); }, clock};
};

TEST_F(RefreshingTest, FiveMinutesAheadOfTheEnd) {
  EXPECT_EQ(key(), "KEY1");
  clock.advance(minutes(54));
  EXPECT_EQ(key(), "KEY1");
  clock.advance(minutes(1));
  EXPECT_EQ(key(), "KEY2");
}

TEST_F(RefreshingTest, OfThoseThatLiveShortlyAQuarter) {
  life = minutes(4);
  EXPECT_EQ(key(), "KEY1");
  clock.advance(seconds(179));
  EXPECT_EQ(key(), "KEY1") << "not at once, though the end is nearer than five minutes";
  clock.advance(seconds(1));
  EXPECT_EQ(key(), "KEY2");
}

TEST_F(RefreshingTest, OthersGoOnWithTheOldOnesMeanwhile) {
  (void)key();
  clock.advance(minutes(56));
  std::string of_another;
  on_fetch = [&] { std::thread([&] { of_another = key(); }).join(); };
  EXPECT_EQ(key(), "KEY2");
  EXPECT_EQ(of_another, "KEY1");
}

TEST_F(RefreshingTest, OnceExpiredOthersWaitWithinTheirOwnLimits) {
  std::string text;
  const auto limits = CallLimits{.deadline = clock.steady_now() + seconds(3)};
  on_fetch = [&] {
    std::thread([&] {
      try {
        (void)key(limits);
      } catch (const Timeout& late) {
        text = late.what();
      }
    }).join();
  };
  EXPECT_EQ(key(), "KEY1");
  EXPECT_NE(text, "") << "it has waited for its own three seconds, and not fetched";
  EXPECT_EQ(fetches, 1);
}

TEST_F(RefreshingTest, WhatIsStillValidIsKeptThroughAnOutage) {
  (void)key();
  failing = true;
  clock.advance(minutes(56));
  EXPECT_EQ(key(), "KEY1");
  EXPECT_EQ(key(), "KEY1");
  EXPECT_EQ(fetches, 2) << "not tried again at once";
  clock.advance(seconds(60));
  EXPECT_EQ(key(), "KEY1");
  EXPECT_EQ(fetches, 3);
  failing = false;
  clock.advance(seconds(60));
  EXPECT_EQ(key(), "KEY4");
}

TEST_F(RefreshingTest, AFailureIsRemembered) {
  failing = true;
  for (int i = 0; i < 100; ++i) EXPECT_THROW((void)key(), Unavailable);
  EXPECT_EQ(fetches, 1);
  failing = false;
  clock.advance(seconds(10));
  EXPECT_EQ(key(), "KEY2");
}

TEST_F(RefreshingTest, WhoStopsSaysNothingAboutTheNextCall) {
  std::stop_source stop;
  on_fetch = [&] {
    if (stop.stop_requested()) error(ErrorCode::Cancelled, "", "", "stopped").raise();
  };
  stop.request_stop();
  EXPECT_THROW((void)key(), Cancelled);
  stop = std::stop_source();
  EXPECT_EQ(key(), "KEY2");
}

// [G18] The server knows better than the time that was told.
TEST_F(RefreshingTest, WhatTheServerRefusesIsFetchedAnew) {
  const auto first = source.current({});
  EXPECT_FALSE(source.refresh(*first)) << "just fetched: others would be refused as well";
  clock.advance(seconds(10));
  EXPECT_TRUE(source.refresh(*first));
  EXPECT_EQ(key(), "KEY2");
  EXPECT_TRUE(source.refresh(*first)) << "there are others already";
  EXPECT_EQ(key(), "KEY2");
}

TEST_F(RefreshingTest, WorksInAForkedChildWhileAThreadOfTheParentFetches) {
  pid_t child = 0;
  on_fetch = [&] {
    if (fetches > 1) return;
    child = ::fork();
    if (child == 0) {
      std::string found;
      std::thread([&] { found = key(); }).join();
      ::_exit(found == "KEY2" ? 0 : 1);
    }
  };
  EXPECT_EQ(key(), "KEY1");
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace stepstore::s3
