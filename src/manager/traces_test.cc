// The traces that broke earlier drafts of the protocol, each request by request, over memory and a
// local directory. protocol_test.cc searches for more of their kind; these are the ones to read.
#include <algorithm>
#include <atomic>
#include <future>
#include <set>

#include "base/ulid.h"
#include "manager/manager_fixture.h"
#include "model/session_root.h"
#include "testing/orphan_collector.h"
#include "testing/scripted_store.h"

namespace stepstore {
namespace {

using Op = ScriptedOperation;

class Trace : public ManagerTest {
 protected:
  // A client of its own, whose requests go as `script` says.
  std::unique_ptr<StorageManager> client(const Script& script) {
    auto scripted = std::make_shared<ScriptedStore>(store, script);
    auto core = std::make_shared<ManagerCore>(scripted, Options{}, StorageInfo{}, clock);
    return std::make_unique<StorageManager>(ManagerCore::manage(std::move(core)));
  }

  void store_in(StorageManager& in, const std::string& value) {
    in.store_step_data("s", "1", {.html_content = value, .screenshot_bytes = kPng + value});
  }

  // What a process sees that has seen nothing before: the value, "absent", or an error.
  std::string seen() {
    try {
      const Step step = open()->retrieve_step_data("s", "1");
      const std::string html = text(step.html_content());
      EXPECT_EQ(text(step.screenshot_bytes()), kPng + html) << "half a step";
      return html;
    } catch (const NotFound&) {
      return "absent";
    }
  }

  void collect() {
    const Collected collected = collect_orphans(*store, "s", "1", clock, system_random());
    ASSERT_FALSE(collected.refused);
    ASSERT_GT(collected.removed, 0U);
  }

  void expect_nothing_damaged() { EXPECT_TRUE(open()->check({.data = true}).healthy()); }
};

// 1. A writer adopts equal bytes that a dead writer left, and the collector takes them before the
// commit.
TEST_P(Trace, AdoptedBytesThatTheCollectorTakes) {
  put("s/1/observation.html", "A");
  Script script;
  const auto gate = script.on(Op::commit, "step.json").nth(1).block();
  const auto writer = client(script);
  auto stored = std::async(std::launch::async, [&] { store_in(*writer, "A"); });
  gate->wait_until_reached();
  collect();
  gate->open();
  stored.get();
  EXPECT_EQ(seen(), "A");
  expect_nothing_damaged();
}

// The answer to a commit is lost, its repetition is refused by our own root, and that root cannot
// be read: the step is there, and nobody may say that it is not.
TEST_P(Trace, ADoubtThatTheReadWhichWouldEndItLeaves) {
  Script script;
  script.on(Op::commit, "step.json").nth(1).lose_answer();
  script.on(Op::get, "step.json").fail(ErrorCode::PermissionDenied);
  const auto writer = client(script);
  try {
    store_in(*writer, "A");
    FAIL();
  } catch (const StorageManagerError& failed) {
    EXPECT_EQ(failed.code(), ErrorCode::PermissionDenied);
    EXPECT_TRUE(failed.outcome_unknown());
  }
  EXPECT_EQ(seen(), "A");
}

// 2. A committer sleeps past the collector's grace between its parts and its commit.
TEST_P(Trace, CommitterThatSleptPastTheGrace) {
  Script script;
  const auto gate = script.on(Op::commit, "step.json").nth(1).block();
  const auto writer = client(script);
  auto stored = std::async(std::launch::async, [&] { store_in(*writer, "A"); });
  gate->wait_until_reached();
  collect();
  EXPECT_EQ(seen(), "absent");
  gate->open();
  stored.get();
  EXPECT_EQ(seen(), "A");
  expect_nothing_damaged();
}

// 3. One shell deletes a step while another stores the same bytes again.
TEST_P(Trace, DeleteAgainstAStoreOfTheSameBytes) {
  store_in(*manager, "A");
  Script script;
  const auto gate = script.on(Op::commit, "step.json").nth(2).block();
  const auto writer = client(script);
  auto stored = std::async(std::launch::async, [&] {
    store_in(*writer, "B");
    store_in(*writer, "B");  // shares every component; its swap waits
  });
  gate->wait_until_reached();
  manager->delete_step("s", "1");
  EXPECT_EQ(seen(), "absent");
  gate->open();
  stored.get();
  EXPECT_EQ(seen(), "B");
  expect_nothing_damaged();
}

// 4. Two deleters; one of them stores again, while the other still sleeps inside its delete.
TEST_P(Trace, TwoDeletersAndAReStore) {
  store_in(*manager, "A");
  Script script;
  const auto gate = script.on(Op::put, "step.json").nth(2).block();
  const auto sleeper = client(script);
  auto deleted = std::async(std::launch::async, [&] { return sleeper->delete_step("s", "1"); });
  gate->wait_until_reached();
  EXPECT_EQ(seen(), "absent");
  manager->delete_step("s", "1");  // finishes the delete of the other
  store_in(*manager, "B");
  gate->open();
  EXPECT_EQ(deleted.get().steps, 1U);
  EXPECT_EQ(seen(), "B");
  expect_nothing_damaged();
}

// 5. A create that was given up for lost lands after its retry, when the step has been deleted and
// stored again.
TEST_P(Trace, CreateThatLandsLate) {
  Script script;
  const auto late = script.on(Op::commit, "step.json").nth(1).make_late();
  const auto writer = client(script);
  store_in(*writer, "A");
  EXPECT_EQ(seen(), "A");
  manager->delete_step("s", "1");
  late->apply();
  EXPECT_EQ(seen(), "absent");
  store_in(*manager, "B");
  late->apply();
  EXPECT_EQ(seen(), "B");
  expect_nothing_damaged();
}

// 5. The same for the removal of a component.
TEST_P(Trace, RemovalThatLandsLate) {
  store_in(*manager, "A");
  Script script;
  const auto late = script.on(Op::remove, "observation.html").nth(1).make_late();
  client(script)->delete_step("s", "1");
  store_in(*manager, "A");
  late->apply();
  EXPECT_EQ(seen(), "A");
  expect_nothing_damaged();
}

// 6. A session is deleted while a writer sleeps before its commit, and recorded again under the
// same id.
TEST_P(Trace, SessionDeletedUnderAWriterAndRecordedAgain) {
  Script script;
  const auto gate = script.on(Op::commit, "step.json").nth(1).block();
  const auto writer = client(script);
  auto stored = std::async(std::launch::async, [&] { store_in(*writer, "A"); });
  gate->wait_until_reached();
  manager->delete_session("s");
  store_in(*manager, "B");
  gate->open();
  stored.get();  // counts as having come before the deletion
  EXPECT_EQ(seen(), "B");
  EXPECT_EQ(open()->list_steps_for_session("s").ids, std::vector<std::string>{"1"});
  manager->delete_session("s");
  EXPECT_EQ(seen(), "absent");
  for (const std::string& key : keys()) EXPECT_TRUE(key.starts_with(".stepstore/")) << key;
}

// 7. An answer is lost, others see the step and store on top; the retry must not bring the first
// value back.
TEST_P(Trace, LostAnswerThatOthersHaveBuiltOn) {
  Script script;
  script.on(Op::commit, "step.json").nth(1).lose_answer();
  const auto gate = script.on(Op::commit, "step.json").nth(2).block();
  const auto writer = client(script);
  auto stored = std::async(std::launch::async, [&] { store_in(*writer, "A"); });
  gate->wait_until_reached();
  EXPECT_EQ(seen(), "A");
  store_in(*manager, "B");
  EXPECT_EQ(seen(), "B");
  gate->open();
  stored.get();
  EXPECT_EQ(seen(), "B");
  EXPECT_EQ(open()->stat_step("s", "1").version, 2U);
  expect_nothing_damaged();
}

// 9. Two writers read version 1 and both compute version 2.
TEST_P(Trace, TwoWritersOfOneVersion) {
  store_in(*manager, "A");
  Script script;
  const auto gate = script.on(Op::commit, "step.json").nth(1).block();
  const auto writer = client(script);
  auto stored = std::async(std::launch::async, [&] { store_in(*writer, "B"); });
  gate->wait_until_reached();
  store_in(*manager, "C");
  gate->open();
  stored.get();
  EXPECT_EQ(seen(), "B");
  EXPECT_EQ(open()->stat_step("s", "1").version, 3U);
  expect_nothing_damaged();
}

// 10. A hold arrives between the look of a delete and its last step: the step comes back.
TEST_P(Trace, HoldThatArrivesDuringADelete) {
  store_in(*manager, "A");
  Script script;
  const auto gate = script.on(Op::get, "sessions/s.json").nth(2).block();
  const auto deleter = client(script);
  auto deleted = std::async(std::launch::async, [&] { deleter->delete_step("s", "1"); });
  gate->wait_until_reached();
  SessionRoot root;
  root.held_steps = {"1"};
  root.write_id = make_ulid(clock, system_random());
  put(session_root_key("s").text(), to_json(root, "s"));
  gate->open();
  EXPECT_THROW(deleted.get(), Held);
  EXPECT_EQ(seen(), "A");
  expect_nothing_damaged();
}

// 14. A user's component has the name of one of stepstore's own files.
TEST_P(Trace, ComponentNamedLikeOneOfOurFiles) {
  StepData data{.html_content = "A", .screenshot_bytes = kPng + "A"};
  for (const char* name :
       {"step.json", "observation.html", "versions", "metadata.json", "action.json"}) {
    data.components.push_back({name, "user's", {}});
  }
  manager->store_step_data("s", "1", data);
  EXPECT_EQ(seen(), "A");
  for (const Component& component : data.components) {
    EXPECT_EQ(open()->retrieve_step_data("s", "1").component(component.name).text(), "user's");
  }
}

INSTANTIATE_TEST_SUITE_P(Stores, Trace, testing::ValuesIn(manager_stores()), store_name);

// --- Races
// ------------------------------------------------------------------------------------------------------------

// Real threads wait for each other, so these run by the real clock.
class Race : public testing::TestWithParam<ManagerStore> {
 protected:
  void SetUp() override { skip_if_left_out(GetParam()); }

  StorageManager open() {
    return ManagerCore::manage(std::make_shared<ManagerCore>(store_, Options{}, StorageInfo{}));
  }

  // What a reader saw in one round; `wrong` says what it must not have seen.
  struct Seen {
    std::set<std::string> values{};
    std::string wrong{};
  };

  // Reads until it is over, and once more: then the step is there.
  Seen look(const std::string& step_id, const std::atomic<bool>& over) {
    Seen seen;
    StorageManager reader = open();
    for (bool last = false; !last && seen.wrong.empty();) {
      last = over;
      try {
        const Step step = reader.retrieve_step_data("s", step_id);
        const std::string value = text(step.html_content());
        if (text(step.screenshot_bytes()) != kPng + value) seen.wrong = "half a step";
        seen.values.insert(value);
      } catch (const NotFound&) {
        if (!seen.values.empty()) seen.wrong = "the step was there, and then it was not";
      } catch (const StorageManagerError& error) {
        seen.wrong = error.what();
      }
    }
    return seen;
  }

 private:
  std::shared_ptr<ObjectStore> store_ = GetParam().make(system_clock());
};

// 32 writers create the same step with if_exists=fail: one wins each round. Readers that look all
// the while see nothing or that one, whole, and never nothing again once they have seen it.
TEST_P(Race, OneOfManyCreatesTheStep) {
  constexpr int kWriters = 32, kReaders = 4, kRounds = 50;
  for (int round = 0; round < kRounds; ++round) {
    const std::string step_id = std::to_string(round);
    std::atomic<bool> over{false};
    std::vector<std::future<Seen>> readers;
    for (int i = 0; i < kReaders; ++i) {
      readers.push_back(std::async(std::launch::async, [&] { return look(step_id, over); }));
    }
    std::vector<std::future<int>> writers;
    for (int i = 0; i < kWriters; ++i) {
      writers.push_back(std::async(std::launch::async, [&, i] {
        const std::string value = std::to_string(i);
        try {
          open().store_step_data("s", step_id,
                                 {.html_content = value, .screenshot_bytes = kPng + value},
                                 {.if_exists = IfExists::fail});
          return i;
        } catch (const AlreadyExists&) {
          return -1;
        } catch (const StorageManagerError& error) {
          ADD_FAILURE() << error.what();  // and no throw: the readers would go on for ever
          return -1;
        }
      }));
    }
    std::vector<int> winners;
    for (auto& writer : writers) {
      if (const int result = writer.get(); result >= 0) winners.push_back(result);
    }
    over = true;
    ASSERT_EQ(winners.size(), 1U) << "round " << round;
    for (auto& reader : readers) {
      const Seen seen = reader.get();
      EXPECT_EQ(seen.values, std::set<std::string>{std::to_string(winners.front())});
      EXPECT_EQ(seen.wrong, "") << "round " << round;
    }
  }
}

TEST_P(Race, ManyStoresMakeAsManyVersions) {
  constexpr int kWriters = 32;
  std::vector<std::future<std::uint64_t>> writers;
  for (int i = 0; i < kWriters; ++i) {
    writers.push_back(std::async(std::launch::async, [&, i] {
      const std::string value = std::to_string(i);
      return open()
          .store_step_data("s", "1", {.html_content = value, .screenshot_bytes = kPng + value},
                           {.keep_versions = Keep::all()})
          .version;
    }));
  }
  std::vector<std::uint64_t> versions;
  for (auto& writer : writers) versions.push_back(writer.get());
  std::sort(versions.begin(), versions.end());
  for (std::uint64_t i = 0; i < kWriters; ++i) EXPECT_EQ(versions[i], i + 1);
  std::set<std::string> values;
  for (std::uint64_t version = 1; version <= kWriters; ++version) {
    const Step step = open().retrieve_step_data("s", "1", {.version = version});
    EXPECT_EQ(text(step.screenshot_bytes()), kPng + text(step.html_content()));
    values.insert(text(step.html_content()));
  }
  EXPECT_EQ(values.size(), 32U);
  EXPECT_TRUE(open().check({.data = true}).healthy());
}

INSTANTIATE_TEST_SUITE_P(Stores, Race, testing::ValuesIn(manager_stores()), store_name);

}  // namespace
}  // namespace stepstore
