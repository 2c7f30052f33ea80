// Streams of steps: results come in order, what is held is bounded, whatever ends a stream leaves
// every step whole or absent; asynchronous calls end before their manager; a cursor reads ahead.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "layout/keys.h"
#include "manager/manager_fixture.h"
#include "store/memory_store.h"
#include "testing/scripted_store.h"

namespace stepstore {
namespace {

class Streams : public ManagerTest {
 protected:
  // Threads that wait for each other's locks would spend the minutes of a clock that only the test
  // moves within a moment, so the store has the system's.
  void SetUp() override {
    ManagerTest::SetUp();
    clock.set_wall(system_clock().now_ms());
    clock.set_steady(system_clock().steady_now());
    store = GetParam().make(system_clock());
    manager = open();
  }

  static StepRequest step(int i, std::size_t size = 8) {
    return {"s",
            id(i),
            {.html_content = Bytes::copy(std::string(size, static_cast<char>('a' + i % 26)))}};
  }
  static std::string id(int i) { return std::to_string(10'000 + i); }
  void fill(int count) {
    std::vector<StepRequest> steps;
    for (int i = 0; i < count; ++i) steps.push_back(step(i));
    for (const auto& result : manager->store_steps(steps)) {
      ASSERT_TRUE(result.ok()) << result.error().what();
    }
  }
};

TEST_P(Streams, TellEachResultInTheOrderOfTheSteps) {
  constexpr int kSteps = 60;
  int next = 0;
  std::vector<std::string> told;
  manager->store_steps(
      [&]() -> std::optional<StepRequest> {
        if (next == kSteps) return std::nullopt;
        StepRequest request = step(next++);
        if (next % 20 == 0) request.data.action_data = "{";
        return request;
      },
      [&](const Result<Receipt>& result) {
        told.push_back(result.ok() ? result->paths.at("html") : std::string(result.error().key()));
      });
  ASSERT_EQ(told.size(), std::size_t{kSteps});
  for (int i = 0; i < kSteps; ++i)
    EXPECT_TRUE(told[static_cast<std::size_t>(i)].starts_with("s/" + id(i)));
  int asked = 0;
  int found = 0;
  manager->retrieve_steps(
      [&]() -> std::optional<StepName> {
        if (asked == kSteps) return std::nullopt;
        return StepName{"s", id(asked++)};
      },
      [&](const Result<Step>& result) {
        const int i = found++;
        EXPECT_EQ(result.ok(), (i + 1) % 20 != 0) << i;
        if (result.ok()) {
          EXPECT_EQ(result->info().step_id, id(i));
        }
      });
  EXPECT_EQ(found, kSteps);
}

TEST_P(Streams, HoldNoMoreStepsAndBytesThanTheyMay) {
  const auto bounded = open({.concurrency = 2, .in_flight_bytes_max = 1'000});
  int given = 0;
  int told = 0;
  int most = 0;
  bounded->store_steps(
      [&]() -> std::optional<StepRequest> {
        if (given == 40) return std::nullopt;
        // Three of 300 bytes may be on their way, then one of 2,000 alone. One more is in hand.
        const int i = given++;
        return step(i, i % 10 == 0 ? 2'000 : 300);
      },
      [&](const Result<Receipt>& result) {
        EXPECT_TRUE(result.ok());
        most = std::max(most, given - told++);
      });
  EXPECT_EQ(told, 40);
  EXPECT_LE(most, 4);
}

TEST_P(Streams, ReadNoMoreStepsAtOnceThanTheirBytesAllow) {
  std::vector<StepRequest> steps;
  for (int i = 0; i < 40; ++i) steps.push_back(step(i, 1'000));
  manager->store_steps(steps);
  const auto bounded = open({.concurrency = 16, .in_flight_bytes_max = 2'500});
  int given = 0;
  int told = 0;
  int most_before_the_first = 0;
  int most = 0;
  bounded->retrieve_steps(
      [&]() -> std::optional<StepName> {
        if (given == 40) return std::nullopt;
        return StepName{"s", id(given++)};
      },
      [&](const Result<Step>& result) {
        EXPECT_TRUE(result.ok());
        if (told == 0) most_before_the_first = given;
        most = std::max(most, given - told++);
      });
  EXPECT_EQ(told, 40);
  EXPECT_LE(most_before_the_first, 2) << "one shows how large they are; one more is in hand";
  EXPECT_LE(most, 3) << "two of 1,000 bytes, and one in hand";
}

TEST_P(Streams, CountFilesAndJson) {
  const std::filesystem::path file =
      std::filesystem::path(testing::TempDir()) / ("page-" + std::to_string(::getpid()));
  std::ofstream(file) << std::string(1'000, 'x');
  const std::string json = '"' + std::string(1'000, 'j') + '"';
  const auto bounded = open({.concurrency = 16, .in_flight_bytes_max = 2'500});
  for (const bool from_file : {true, false}) {
    int given = 0;
    int told = 0;
    int most = 0;
    bounded->store_steps(
        [&]() -> std::optional<StepRequest> {
          if (given == 30) return std::nullopt;
          StepRequest request{"s", id(given++), {}};
          if (from_file) {
            request.data.html_content = Source::file(file);
          } else {
            request.data.action_data = json;
          }
          return request;
        },
        [&](const Result<Receipt>& result) {
          EXPECT_TRUE(result.ok());
          most = std::max(most, given - told++);
        });
    EXPECT_EQ(told, 30);
    EXPECT_LE(most, 3) << from_file;
  }
  std::filesystem::remove(file);
}

// --- The root of a session is asked for once

class SessionRoots : public Streams {
 protected:
  // A manager whose requests are counted.
  std::unique_ptr<StorageManager> counted(const Script& script = {}) {
    scripted = std::make_shared<ScriptedStore>(store, script);
    auto core = std::make_shared<ManagerCore>(scripted, Options{}, StorageInfo{}, clock);
    return std::make_unique<StorageManager>(ManagerCore::manage(std::move(core)));
  }
  std::size_t asked(const std::string& session) const {
    return scripted->count(ScriptedOperation::get, session_root_key(session).text());
  }
  void store_in(const std::string& session, int count, const std::string& html) {
    for (int i = 0; i < count; ++i) {
      manager->store_step_data(session, id(i), {.html_content = html});
    }
  }

  std::shared_ptr<ScriptedStore> scripted;
};

TEST_P(SessionRoots, OfABatchAreReadOncePerSession) {
  std::vector<StepName> names;
  for (const std::string session : {"a", "b", "c"}) {
    store_in(session, 12, session);
    for (int i = 0; i < 12; ++i) names.push_back({session, id(i)});
  }
  const auto reader = counted();
  for (const auto& result : reader->retrieve_steps(names)) {
    ASSERT_TRUE(result.ok());
    EXPECT_EQ(text(result->html_content()), result->info().session_id);
  }
  for (const std::string session : {"a", "b", "c"}) EXPECT_EQ(asked(session), 1U) << session;
}

TEST_P(SessionRoots, OfSingleReadsThatBelongTogetherAreReadOnce) {
  store_in("a", 5, "x");
  const auto reader = counted();
  const ReadOptions options{.together = reads_together()};
  for (int i = 0; i < 5; ++i) reader->retrieve_step_data("a", id(i), options);
  EXPECT_EQ(asked("a"), 1U);
  EXPECT_THROW(reader->retrieve_step_data("a", "none", options), NotFound);
  EXPECT_EQ(asked("a"), 2U) << "only the root can say that this is where to look";
}

TEST_P(SessionRoots, OfAnIterationAreReadOnce) {
  store_in("a", 40, "x");
  const auto reader = counted();
  auto cursor = reader->iter_steps("a");
  int seen = 0;
  while (cursor.next()) ++seen;
  EXPECT_EQ(seen, 40);
  EXPECT_EQ(asked("a"), 1U);
}

// What a manager remembers of a session is a guess until the batch has asked, also for the reads
// that run beside the one that asks.
TEST_P(SessionRoots, SayWhereToReadWhenASessionWasRecordedAgain) {
  store_in("a", 12, "old");
  Script script;
  const auto reader = counted(script);
  EXPECT_EQ(text(reader->retrieve_step_data("a", id(0)).html_content()), "old");
  {
    const auto other = open();
    other->delete_session("a");
    for (int i = 0; i < 12; ++i) other->store_step_data("a", id(i), {.html_content = "new"});
    // As a deletion that was cut short leaves it.
    for (int i = 0; i < 12; ++i) {
      const Bytes root = get_one(*store, ObjectKey("a~1/" + id(i) + "/step.json")).value().body;
      put("a/" + id(i) + "/observation.html", "new");
      put("a/" + id(i) + "/step.json", root.text());
    }
  }
  scripted->forget_requests();
  const auto gate = script.on(ScriptedOperation::get, session_root_key("a").text()).nth(1).block();
  const ReadOptions options{.together = reads_together()};
  auto first = reader->retrieve_step_data_async("a", id(0), options);
  gate->wait_until_reached();
  std::vector<std::future<Step>> beside;
  const auto misled = script.on(ScriptedOperation::get, "a/" + id(3) + "/step.json").nth(1).block();
  for (int i = 1; i < 4; ++i) {
    beside.push_back(reader->retrieve_step_data_async("a", id(i), options));
  }
  misled->wait_until_reached();
  misled->open();
  gate->open();
  EXPECT_EQ(first.get().info().path, "a~1/" + id(0));
  for (int i = 1; i < 4; ++i) {
    EXPECT_EQ(beside[static_cast<std::size_t>(i) - 1].get().info().path, "a~1/" + id(i));
  }
  EXPECT_EQ(asked("a"), 2U) << "both times by the one that asks: it looks again where it was sent";
}

TEST_P(Streams, EndWhenTheyAreCancelledAndSayWhatWasStored) {
  std::stop_source stop;
  int given = 0;
  std::vector<bool> stored;
  const auto run = [&] {
    manager->store_steps(
        [&]() -> std::optional<StepRequest> {
          if (given == 20) stop.request_stop();
          return step(given++);
        },
        [&](const Result<Receipt>& result) {
          stored.push_back(result.ok());
          EXPECT_TRUE(result.ok() || result.is(ErrorCode::Cancelled));
        },
        {.call = {.stop = stop.get_token()}});
  };
  EXPECT_THROW(run(), Cancelled) << "an endless stream ends";
  EXPECT_EQ(stored.size(), static_cast<std::size_t>(given));
  const auto there = open();
  for (std::size_t i = 0; i < stored.size(); ++i) {
    if (!stored[i]) continue;
    EXPECT_NO_THROW(there->retrieve_step_data("s", id(static_cast<int>(i))));
  }
}

TEST_P(Streams, EndWithWhatTheirCallerThrows) {
  int given = 0;
  const auto from_next = [&] {
    manager->store_steps(
        [&]() -> std::optional<StepRequest> {
          if (given == 10) throw std::runtime_error("the recording is broken");
          return step(given++);
        },
        [](const Result<Receipt>&) {});
  };
  EXPECT_THROW(from_next(), std::runtime_error);
  int told = 0;
  const auto from_done = [&] {
    manager->store_steps([&]() -> std::optional<StepRequest> { return step(given++); },
                         [&](const Result<Receipt>&) {
                           if (++told == 3) throw std::logic_error("enough");
                         });
  };
  EXPECT_THROW(from_done(), std::logic_error);
  EXPECT_TRUE(open()->check({.data = true}).healthy());
}

TEST_P(Streams, AsynchronousCallsGiveTheirResultOrTheirError) {
  auto stored = manager->store_step_data_async(
      "s", "1", {.html_content = Bytes::copy("page"), .action_data = "{}"});
  EXPECT_EQ(stored.get().version, 1U);
  auto read = manager->retrieve_step_data_async("s", "1");
  EXPECT_EQ(text(read.get().html_content()), "page");
  EXPECT_THROW(manager->retrieve_step_data_async("s", "none").get(), NotFound);
  EXPECT_THROW(manager->store_step_data_async("s", "1", {.action_data = "{"}).get(),
               InvalidArgument);
}

TEST_P(Streams, AManagerThatGoesWaitsForItsAsynchronousCalls) {
  std::vector<std::future<Receipt>> receipts;
  std::atomic<int> posted = 0;
  {
    const auto soon_gone = open({.concurrency = 2});
    for (int i = 0; i < 20; ++i) {
      receipts.push_back(
          soon_gone->store_step_data_async("s", id(i), {.html_content = Bytes::copy("x")}));
    }
    soon_gone->post([&posted] { ++posted; });
  }
  EXPECT_EQ(posted, 1);
  std::size_t stored = 0;
  for (auto& receipt : receipts) {
    ASSERT_EQ(receipt.wait_for(std::chrono::seconds(0)), std::future_status::ready);
    try {
      (void)receipt.get();
      ++stored;
    } catch (const Closed&) {
    }
  }
  EXPECT_EQ(open()->list_steps_for_session("s").ids.size(), stored);
  manager->close();
  EXPECT_THROW(manager->post([] {}), Closed);
  EXPECT_THROW(manager->store_step_data_async("s", "1", {}), Closed);
}

TEST_P(Streams, ACursorGivesEveryStepInOrderAndNoMoreThanAsked) {
  fill(150);
  manager->delete_step("s", id(7));
  std::vector<std::string> expected;
  for (int i = 0; i < 150; ++i) {
    if (i != 7) expected.push_back(id(i));
  }
  for (const std::size_t limit : {0U, 1U, 20U}) {
    const auto reader = open({.concurrency = 3});
    auto cursor = reader->iter_steps("s", {.limit = limit});
    std::vector<std::string> seen;
    while (const auto found = cursor.next()) seen.push_back(found->info().step_id);
    auto wanted = expected;
    if (limit > 0) wanted.resize(limit);
    EXPECT_EQ(seen, wanted) << limit;
    EXPECT_FALSE(cursor.next()) << "the end stays the end";
  }
}

TEST_P(Streams, ACursorLeavesOutWhatWasDeletedSinceItWasListed) {
  fill(30);
  auto cursor = manager->iter_steps("s", {.limit = 25});
  EXPECT_EQ(cursor.next()->info().step_id, id(0));
  const auto other = open();
  for (int i = 20; i < 24; ++i) other->delete_step("s", id(i));
  int seen = 1;
  while (cursor.next()) ++seen;
  EXPECT_EQ(seen, 25) << "the limit counts what is given";
}

// Whoever lets a cursor go may be a thread that must not wait, such as that of an event loop.
TEST_P(SessionRoots, ACursorThatGoesWaitsForNoRead) {
  store_in("a", 20, "x");
  Script script;
  const auto reader = counted(script);
  const auto gate = script.on(ScriptedOperation::get, "a/" + id(3) + "/step.json").block();
  std::chrono::steady_clock::time_point before;
  {
    auto cursor = reader->iter_steps("a");
    for (int i = 0; i < 3; ++i) EXPECT_EQ(cursor.next()->info().step_id, id(i));
    gate->wait_until_reached();
    before = std::chrono::steady_clock::now();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(30))
      << "the gate gives up after a minute";
  gate->open();
}

TEST_P(SessionRoots, ACursorStopsWithTheCallThatWaitsForIt) {
  store_in("a", 20, "x");
  auto cursor = manager->iter_steps("a");
  EXPECT_TRUE(cursor.next());
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW((void)cursor.next({.stop = stop.get_token()}), Cancelled);
  auto late = manager->iter_steps("a");
  EXPECT_THROW((void)late.next({.timeout = std::chrono::milliseconds(0)}), Timeout);
}

INSTANTIATE_TEST_SUITE_P(Stores, SessionRoots, testing::ValuesIn(manager_stores()), store_name);
INSTANTIATE_TEST_SUITE_P(Stores, Streams, testing::ValuesIn(manager_stores()), store_name);

// A server in this process would not be there in the child, so this is over memory.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
constexpr const char* kNoForks =
    "steps are read ahead at the fork, and the allocators of GCC 12's sanitizers keep the locks of "
    "threads that the child does not have";

TEST(StepCursor, GoesOnInAForkedChild) {
  if (kSanitized) GTEST_SKIP() << kNoForks;
  const auto id = [](int i) { return std::to_string(10 + i); };
  StorageManager manager("memory:");
  for (int i = 0; i < 12; ++i) manager.store_step_data("s", id(i), {.html_content = "x"});
  auto cursor = manager.iter_steps("s");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(cursor.next()->info().step_id, id(i));
  const pid_t child = ::fork();
  if (child == 0) {
    int i = 3;
    while (const auto found = cursor.next()) {
      if (found->info().step_id != id(i)) ::_exit(2);
      ++i;
    }
    ::_exit(i == 12 ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  for (int i = 3; i < 12; ++i) EXPECT_EQ(cursor.next()->info().step_id, id(i));
}

TEST(StepCursor, GoesInAForkedChildWhileTheParentReadsAhead) {
  if (kSanitized) GTEST_SKIP() << kNoForks;
  Script script;
  StorageManager manager(std::make_shared<ScriptedStore>(std::make_shared<MemoryStore>(), script));
  for (int i = 0; i < 9; ++i) {
    manager.store_step_data("s", std::to_string(i), {.html_content = "x"});
  }
  const auto gate = script.on(ScriptedOperation::get, "s/3/step.json").block();
  std::optional<StepCursor> cursor(manager.iter_steps("s"));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(cursor->next());
  gate->wait_until_reached();
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(30);  // ends a child that hangs
    cursor.reset();
    ::_exit(7);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 7);
  gate->open();
  for (int i = 3; i < 9; ++i) EXPECT_EQ(cursor->next()->info().step_id, std::to_string(i));
}

}  // namespace
}  // namespace stepstore
