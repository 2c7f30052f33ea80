// What is spooled is stored once the store is there, each step's entries in order, and nothing that
// could not be stored is lost.
#include "spool/drainer.h"

#include <gmock/gmock.h>

#include <mutex>

#include "base/crc64.h"
#include "base/errors.h"
#include "base/ulid.h"
#include "testing/crash_files.h"
#include "testing/fakes.h"

namespace stepstore::spool {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class DrainerTest : public testing::Test {
 protected:
  void put(const std::string& step, const std::string& body) {
    const Head head{.commit_id = make_ulid(clock, random),
                    .session_id = "s",
                    .step_id = step,
                    .parts = {{.name = "html", .size = body.size(), .crc64 = crc64(body)}}};
    const std::vector<Source> bodies{Source(BytesView(body))};
    (void)spool.put(head, bodies, {});
  }
  std::unique_ptr<Drainer> drainer(DrainOptions options = {.at_once = 1}) {
    const auto deliver = [this](EntryFile& entry, const CallLimits&) {
      const std::string body(entry.read(0).text());
      const std::lock_guard lock(mutex);
      tried.push_back(body);
      const Delivery now = answer(body);
      if (now.fate == Delivery::Fate::stored) stored.push_back(body);
      return now;
    };
    return std::make_unique<Drainer>(spool, breaker, deliver, options, clock);
  }

  SetClock clock;
  SeededRandom random{3};
  CrashFiles files;
  Spool spool{"/spool", {}, files, clock, random};
  Breaker breaker{{}, clock, random};
  std::mutex mutex;
  std::vector<std::string> tried, stored;
  std::function<Delivery(const std::string&)> answer = [](const std::string&) {
    return Delivery{};
  };
};

TEST_F(DrainerTest, StoresTheOldestFirstAndEmptiesTheSpool) {
  put("1", "a");
  put("2", "b");
  put("1", "c");
  EXPECT_TRUE(drainer()->round({}));
  EXPECT_THAT(stored, ElementsAre("a", "b", "c"));
  EXPECT_THAT(spool.entries(), IsEmpty());
}

TEST_F(DrainerTest, TriesOneAtATimeWhileTheStoreIsAway) {
  for (const char* const step : {"1", "2", "3"}) put(step, step);
  bool away = true;
  answer = [&away](const std::string&) {
    return away ? Delivery{Delivery::Fate::away, "no route"} : Delivery{};
  };
  const auto drains = drainer({.at_once = 3});
  EXPECT_TRUE(drains->round({}));
  const std::size_t first = tried.size();
  EXPECT_FALSE(drains->round({}));  // its time has not come
  for (int i = 0; i < 5; ++i) {
    const std::size_t before = tried.size();
    clock.advance(seconds(30));
    EXPECT_TRUE(drains->round({}));
    EXPECT_EQ(tried.size(), before + 1);
  }
  EXPECT_LE(first, 3U);
  EXPECT_EQ(spool.entries().size(), 3U);
  EXPECT_EQ(drains->state().store.reason, "no route");
  away = false;
  clock.advance(seconds(30));
  EXPECT_TRUE(drains->round({}));  // one that finds out
  EXPECT_TRUE(drains->round({}));  // then all
  EXPECT_THAT(spool.entries(), IsEmpty());
}

TEST_F(DrainerTest, SetsAsideWhatFailsByItselfAndKeepsTheOthersGoing) {
  put("1", "bad");
  put("1", "behind it");
  put("2", "good");
  answer = [](const std::string& body) {
    return body == "bad" ? Delivery{Delivery::Fate::failed, "it is too large"} : Delivery{};
  };
  const auto drains = drainer();
  drains->round({});
  EXPECT_THAT(stored, ElementsAre("good"));
  for (int i = 0; i < 4; ++i) {
    EXPECT_THAT(spool.rejected(), IsEmpty());
    clock.advance(seconds(10));
    drains->round({});
  }
  ASSERT_EQ(spool.rejected().size(), 1U);
  EXPECT_EQ(spool.rejected()[0].reason, "it is too large");
  drains->round({});
  EXPECT_THAT(stored, ElementsAre("good", "behind it"));
  EXPECT_EQ(std::ranges::count(tried, "bad"), 5);
}

TEST_F(DrainerTest, PoisonsNothingWhileEverythingIsRefused) {
  put("1", "a");
  answer = [](const std::string&) { return Delivery{Delivery::Fate::paused, "403"}; };
  const auto drains = drainer();
  for (int i = 0; i < 20; ++i) {
    drains->round({});
    clock.advance(seconds(61));
  }
  EXPECT_EQ(tried.size(), 20U);
  EXPECT_THAT(spool.rejected(), IsEmpty());
  EXPECT_EQ(spool.entries().size(), 1U);
  EXPECT_EQ(drains->state().store.state, Breaker::State::paused);
}

TEST_F(DrainerTest, LeavesItToWhoeverDrainsAlready) {
  put("1", "a");
  Spool other("/spool", {}, files, clock, random);
  const auto lock = other.lock_for_draining();
  ASSERT_TRUE(lock);
  EXPECT_FALSE(drainer()->round({}));
  EXPECT_THAT(tried, IsEmpty());
}

TEST_F(DrainerTest, DrainsByItselfWhenItIsNudgedAndSaysWhatIsLeft) {
  for (int i = 0; i < 50; ++i) put(std::to_string(i % 7), std::to_string(i));
  const auto drains = drainer({.at_once = 4});
  EXPECT_THAT(drains->flush({}), IsEmpty());
  EXPECT_EQ(stored.size(), 50U);
  answer = [](const std::string&) { return Delivery{Delivery::Fate::away, "gone"}; };
  put("1", "late");
  const auto left = drains->flush({.deadline = clock.steady_now()});
  EXPECT_EQ(left.size(), 1U);
  drains->stop();
  EXPECT_EQ(spool.entries().size(), 1U);
}

}  // namespace
}  // namespace stepstore::spool
