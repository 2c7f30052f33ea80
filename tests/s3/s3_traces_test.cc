// The traces that broke earlier drafts of the protocol and need two processes at once, request by
// request over S3: who sleeps where, what comes late, and what everybody sees afterwards.
// tests/mutants shows that each rule of the protocol is held by one of them.
#include <algorithm>
#include <future>
#include <utility>
#include <vector>

#include "faults_fixture.h"
#include "testing/orphan_collector.h"

namespace stepstore {
namespace {

const StoreOptions kKeepAll{.keep_versions = Keep::all()};

class S3Traces : public FaultsTest {
 protected:
  using FaultsTest::FaultsTest;
  using Gate = std::shared_ptr<fault::Gate>;

  // Begins the work and returns when its n-th write of the step's root has arrived and waits.
  template <class Work>
  std::pair<std::future<void>, Gate> asleep_before_root(std::size_t n, Work work) {
    Gate gate = server.plan().on("PUT", "/1/step.json").nth(n).hold();
    auto done = std::async(std::launch::async, std::move(work));
    gate->wait_until_reached();
    server.plan().clear();
    return {std::move(done), std::move(gate)};
  }

  static void wake(std::pair<std::future<void>, Gate>& sleeper) {
    sleeper.second->open();
    sleeper.first.get();
  }

  void collect(Fence fence = Fence::swap_root) {
    const Collected collected =
        collect_orphans(*store_of_its_own(), "s", "1", system_clock(), system_random(), fence);
    ASSERT_FALSE(collected.refused);
    ASSERT_GT(collected.candidates, 0U);
    EXPECT_EQ(collected.removed, collected.candidates);
  }

  void orphan(std::string_view html) {
    put_one(*store_of_its_own(), {.key = ObjectKey("s/1/observation.html"), .body = html}).value();
  }

  void expect_seen(const std::string& wanted) {
    EXPECT_EQ(seen(), wanted);
    EXPECT_TRUE(open()->check({.data = true}).healthy());
  }
};

TEST_F(S3Traces, TwoFirstStores) {
  const auto first = ready();
  auto sleeper = asleep_before_root(1, [&] { store(*first, "A"); });
  store(*open(), "B");
  expect_seen("B");
  wake(sleeper);
  expect_seen("A");
  EXPECT_EQ(open()->stat_step("s", "1").version, 2U);
}

TEST_F(S3Traces, TwoFirstStoresOfWhichOneDies) {
  const auto first = ready();
  server.plan().on("PUT", "step.json").lose_request();
  EXPECT_THROW(first->store_step_data("s", "1", {.html_content = "A"},
                                      {.call = {.timeout = std::chrono::milliseconds(300)}}),
               StorageManagerError);
  server.plan().clear();
  EXPECT_EQ(seen(), "absent");
  store(*open(), "B");
  expect_seen("B");
}

TEST_F(S3Traces, ACollectorTakesBytesThatAWriterAdopted) {
  orphan("A");
  const auto writer = ready();
  auto sleeper = asleep_before_root(1, [&] { store(*writer, "A"); });
  collect();
  EXPECT_EQ(seen(), "absent");
  wake(sleeper);
  expect_seen("A");
}

// What was sent under a name of its own before the collector came is not named by the next attempt.
TEST_F(S3Traces, ACollectorTakesPartsOfAnAttemptThatIsRefused) {
  orphan("B");
  const auto writer = ready();
  auto sleeper = asleep_before_root(1, [&] { store(*writer, "A"); });
  collect();
  wake(sleeper);
  expect_seen("A");
}

TEST_F(S3Traces, AWriterSleepsPastTheCollectorsGrace) {
  const auto writer = ready();
  auto sleeper = asleep_before_root(1, [&] { store(*writer, "A"); });
  collect();
  wake(sleeper);
  expect_seen("A");
}

// The rule that those hold by: a collector that takes first and says nothing breaks a step.
TEST_F(S3Traces, ACollectorWithoutAFenceBreaksAStep) {
  const auto writer = ready();
  auto sleeper = asleep_before_root(1, [&] { store(*writer, "A"); });
  collect(Fence::none);
  wake(sleeper);
  EXPECT_THROW(seen(), Corrupt);
}

// A store of the same bytes, of others, and of a picture only, sleeps while the step is deleted.
TEST_F(S3Traces, ADeleteWhileAStoreSleeps) {
  for (const char* const text : {"A", "B"}) {
    const auto writer = ready();
    store(*writer, "A");
    auto sleeper = asleep_before_root(1, [&] { store(*writer, text); });
    EXPECT_EQ(open()->delete_step("s", "1").steps, 1U);
    EXPECT_EQ(seen(), "absent");
    wake(sleeper);
    expect_seen(text);
  }
}

TEST_F(S3Traces, AStoreThatSharesWhileTheStepIsDeleted) {
  const auto writer = ready();
  store(*writer, "A");
  const std::string png = "\x89PNG\r\n\x1a\nB";
  auto sleeper = asleep_before_root(1, [&] {
    writer->store_step_data("s", "1", {.html_content = "A", .screenshot_bytes = png});
  });
  open()->delete_step("s", "1");
  wake(sleeper);
  const Step step = open()->retrieve_step_data("s", "1");
  EXPECT_EQ(step.html_content()->text(), "A");
  EXPECT_EQ(step.screenshot_bytes()->text(), png);
  EXPECT_TRUE(open()->check({.data = true}).healthy());
}

// The delete sleeps before it marks the step, or between its mark and its end.
TEST_F(S3Traces, AStoreWhileADeleteSleeps) {
  for (const std::size_t nth : {1U, 2U}) {
    for (const char* const text : {"A", "B"}) {
      const auto deleter = ready();
      store(*open(), "A");
      auto sleeper = asleep_before_root(nth, [&] { deleter->delete_step("s", "1"); });
      store(*open(), text);
      wake(sleeper);
      // Before its mark it is overtaken, and begins again; after it, it has happened already.
      expect_seen(nth == 1 ? "absent" : text);
    }
  }
}

TEST_F(S3Traces, TwoDeletesAndAStore) {
  const auto deleter = ready();
  store(*open(), "A");
  auto sleeper = asleep_before_root(2, [&] { deleter->delete_step("s", "1"); });
  EXPECT_EQ(seen(), "absent");
  const auto other = open();
  other->delete_step("s", "1");
  store(*other, "A");
  wake(sleeper);
  expect_seen("A");
}

// Both share the page of the version before; a reader has asked for it already.
TEST_F(S3Traces, TwoStoresAgainThatShareAndAReader) {
  const auto first = ready();
  store(*first, "A");
  const auto with_picture = [](StorageManager& manager, const std::string& value) {
    manager.store_step_data("s", "1",
                            {.html_content = "A", .screenshot_bytes = "\x89PNG\r\n\x1a\n" + value});
  };
  auto sleeper = asleep_before_root(1, [&] { with_picture(*first, "X"); });
  with_picture(*open(), "Y");
  wake(sleeper);
  const Step step = open()->retrieve_step_data("s", "1");
  EXPECT_EQ(step.html_content()->text(), "A");
  EXPECT_TRUE(step.screenshot_bytes()->text().ends_with("X"));
  EXPECT_EQ(step.info().version, 3U);
  EXPECT_TRUE(open()->check({.data = true}).healthy());
}

TEST_F(S3Traces, ASwapThatLandsAfterOthersHaveSwapped) {
  const auto manager = ready();
  store(*manager, "A");
  server.plan().on("PUT", "step.json").nth(1).late();
  store(*manager, "B");
  store(*open(), "C");
  EXPECT_EQ(server.plan().release(), 1U);
  expect_seen("C");
}

// Its root stands, but more tries have lost their answers than one request makes, and the next one
// is refused.
TEST_F(S3Traces, ASwapWhoseAnswersAreAllLost) {
  const auto manager = ready();
  store(*manager, "A");
  server.plan().on("PUT", "/1/step.json").times(2 * s3::RetryPolicy{}.attempts_max).lose_answer();
  store(*manager, "B");
  expect_seen("B");
  EXPECT_EQ(open()->stat_step("s", "1").version, 2U);
}

// Until the swap nothing of the version that is there may change.
TEST_F(S3Traces, AStoreAgainTouchesNothingBeforeItsSwap) {
  const auto manager = ready();
  store(*manager, "A");
  auto sleeper = asleep_before_root(1, [&] { store(*manager, "B"); });
  expect_seen("A");
  wake(sleeper);
  expect_seen("B");
}

TEST_F(S3Traces, AReaderWhosePartsAreReplacedMeanwhile) {
  const auto reader = ready();
  store(*open(), "A");
  const Gate gate = server.plan().on("GET", "s/1/observation").nth(1).hold();
  auto read = std::async(std::launch::async, [&] {
    const Step step = reader->retrieve_step_data("s", "1");
    EXPECT_TRUE(step.screenshot_bytes()->text().ends_with(step.html_content()->text()));
    return std::string(step.html_content()->text());
  });
  gate->wait_until_reached();
  server.plan().clear();
  store(*open(), "B");
  gate->open();
  EXPECT_EQ(read.get(), "B");
}

// One process stores and deletes; a create of the store lands after both.
TEST_F(S3Traces, ACreateThatLandsAfterTheDelete) {
  const auto manager = ready();
  server.plan().on("PUT", "step.json").nth(1).late();
  store(*manager, "A");
  manager->delete_step("s", "1");
  EXPECT_EQ(server.plan().release(), 1U);
  expect_seen("absent");
}

// The session's root has moved on and nothing is removed yet: readers are there already.
TEST_F(S3Traces, AReaderWhileASessionIsBeingDeleted) {
  const auto manager = ready();
  store(*manager, "A");
  const Gate gate = server.plan().on("POST", "delete").nth(1).hold();
  auto deleted = std::async(std::launch::async, [&] { open()->delete_session("s"); });
  gate->wait_until_reached();
  EXPECT_EQ(seen(), "absent");
  EXPECT_THROW(manager->retrieve_step_data("s", "1"), NotFound);
  gate->open();
  deleted.get();
  expect_seen("absent");
}

// A process that knows nothing of the deletion stores into the recording that came after it.
TEST_F(S3Traces, AWriterOfBeforeADeletionRecordsAgain) {
  const auto writer = ready();
  store(*writer, "A");
  open()->delete_session("s");
  store(*writer, "B");
  expect_seen("B");
  open()->delete_session("s");
  store(*open(), "C");
  expect_seen("C");
  EXPECT_TRUE(open()->check().findings.empty());
}

TEST_F(S3Traces, AWriterSleepsWhileTheSessionIsDeletedTwiceAndRecordedAgain) {
  const auto writer = ready();
  auto sleeper = asleep_before_root(1, [&] { store(*writer, "A"); });
  open()->delete_session("s");
  store(*open(), "B");
  wake(sleeper);
  expect_seen("B");
  open()->delete_session("s");
  expect_seen("absent");
  EXPECT_EQ(open()->list_sessions().ids, std::vector<std::string>{"warm"});
}

// Two writers keep the same version; what the refused one takes back is its own.
TEST_F(S3Traces, TwoWritersKeepTheSameVersion) {
  const auto store_keeping = [](StorageManager& manager, const std::string& text) {
    manager.store_step_data(
        "s", "1", {.html_content = text, .screenshot_bytes = "\x89PNG\r\n\x1a\n" + text}, kKeepAll);
  };
  const auto first = ready();
  store_keeping(*first, "A");
  auto sleeper = asleep_before_root(1, [&] { store_keeping(*first, "B"); });
  store_keeping(*open(), "C");
  wake(sleeper);
  expect_seen("B");
  const char* const wanted[] = {"A", "C", "B"};
  for (std::uint64_t version = 1; version <= 3; ++version) {
    const Step step = open()->retrieve_step_data("s", "1", {.version = version});
    EXPECT_EQ(step.html_content()->text(), wanted[version - 1]);
  }
}

// --- In a bucket that judges no conditions

class S3WeakTraces : public S3Traces {
 protected:
  S3WeakTraces() : S3Traces({.ignores_if_none_match = true, .ignores_if_match = true}) {}
};

// The first store is lost, which is all that may happen: the second has nothing of the version that
// the first one takes away.
TEST_F(S3WeakTraces, ASwapThatOverwritesAnotherLeavesTheStepWhole) {
  store(*ready(), "A");
  for (const bool shares_page : {true, false}) {
    const auto writer = ready();
    const std::string png = "\x89PNG\r\n\x1a\nA";
    auto sleeper = asleep_before_root(1, [&] {
      writer->store_step_data("s", "1",
                              shares_page ? StepData{.html_content = "A", .action_data = "1"}
                                          : StepData{.screenshot_bytes = png, .action_data = "2"});
    });
    store(*open(), "B");
    wake(sleeper);
    EXPECT_EQ(open()->retrieve_step_data("s", "1").action_data()->text(), shares_page ? "1" : "2");
    EXPECT_TRUE(open()->check({.data = true}).healthy());
    store(*open(), "A");
  }
}

}  // namespace
}  // namespace stepstore
