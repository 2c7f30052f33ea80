// The traces that broke earlier drafts of the protocol, as a network makes them: answers are lost,
// requests come late or twice. And what a store and a read cost in round trips.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <future>
#include <iostream>
#include <random>

#include "faults_fixture.h"
#include "stepstore/log.h"

namespace stepstore {
namespace {

using fault::Entry;
using fault::Fate;

class S3Faults : public FaultsTest {};

std::string shown(const std::vector<Entry>& entries) {
  std::string text;
  for (const Entry& each : entries) {
    text += each.method + ' ' + each.key + ' ' + std::to_string(each.status) + '\n';
  }
  return text;
}

// How many groups of requests there were, each begun after the one before had been answered.
std::size_t round_trips(std::vector<Entry> entries) {
  std::ranges::sort(entries, {}, &Entry::arrived);
  std::size_t trips = 0;
  std::chrono::steady_clock::time_point answered{};
  for (const Entry& each : entries) {
    if (trips == 0 || each.arrived >= answered) {
      ++trips;
      answered = each.answered;
    }
  }
  return trips;
}

TEST_F(S3Faults, AStoreTakesTwoRoundTripsAndAReadOne) {
  const auto manager = ready();
  // Held until all of a round trip have come: fewer at once would wait for a minute.
  const auto parts = server.plan().on("", "s/1/").times(3).hold();
  const auto root = server.plan().on("GET", "sessions/s.json").nth(1).hold();
  auto stored = std::async(std::launch::async, [&] { store(*manager, "A"); });
  parts->wait_until_reached(3);
  root->wait_until_reached();
  parts->open();
  root->open();
  stored.get();
  EXPECT_EQ(server.plan().journal().size(), 5U) << "three parts, the session's root, the manifest";
  EXPECT_EQ(round_trips(server.plan().journal()), 2U) << shown(server.plan().journal());

  server.plan().clear();
  server.plan().forget_journal();
  const auto reads = server.plan().on("GET", "").times(5).hold();
  auto read = std::async(std::launch::async, [&] { (void)manager->retrieve_step_data("s", "1"); });
  reads->wait_until_reached(5);
  reads->open();
  read.get();
  EXPECT_EQ(round_trips(server.plan().journal()), 1U) << shown(server.plan().journal());
}

// [G25] [G49]
TEST_F(S3Faults, LostAnswersToAnyRequestOfAStoreChangeNothing) {
  for (const char* const lost : {"observation", "screenshot", "action", "step.json", "sessions/"}) {
    for (const Fate fate :
         {Fate::lose_request, Fate::lose_answer, Fate::reset_answer, Fate::twice, Fate::late}) {
      const auto manager = ready();
      const std::string text = std::string(lost) + std::to_string(static_cast<int>(fate));
      auto rule = server.plan().on("", lost).nth(1);
      switch (fate) {
        case Fate::lose_request:
          rule.lose_request();
          break;
        case Fate::lose_answer:
          rule.lose_answer();
          break;
        case Fate::reset_answer:
          rule.reset_answer();
          break;
        case Fate::twice:
          rule.twice();
          break;
        default:
          rule.late();
      }
      const Receipt receipt = manager->store_step_data(
          "s", text, {.html_content = text, .screenshot_bytes = text, .action_data = "{}"});
      EXPECT_EQ(receipt.version, 1U) << text;
      for (const bool released : {false, true}) {
        if (released) server.plan().release();
        const Step step = open()->retrieve_step_data("s", text);
        EXPECT_EQ(step.html_content()->text(), text);
        EXPECT_EQ(step.info().version, 1U) << text;
      }
      server.plan().clear();
    }
  }
  EXPECT_TRUE(open()->check({.data = true}).healthy());
}

// 7. The answer to a commit is lost, others see the step and store on top of it, and only then the
// first writer asks again.
TEST_F(S3Faults, ALostAnswerThatOthersHaveBuiltOn) {
  const auto writer = ready();
  server.plan().on("PUT", "step.json").nth(1).lose_answer();
  const auto again = server.plan().on("PUT", "step.json").nth(1).hold();
  auto stored = std::async(std::launch::async, [&] { store(*writer, "A"); });
  again->wait_until_reached();
  EXPECT_EQ(seen(), "A");
  server.plan().clear();
  store(*open(), "B");
  again->open();
  stored.get();
  EXPECT_EQ(seen(), "B") << "the retry brought the first value back";
  EXPECT_EQ(open()->stat_step("s", "1").version, 2U);
}

// 5. A removal that was sent to the bytes of an older version lands after newer ones were stored.
TEST_F(S3Faults, ARemovalThatLandsLateTouchesNothingNew) {
  const auto manager = ready();
  store(*manager, "A");
  server.plan().on("DELETE", "s/1/").from(1).late();
  server.plan().on("POST", "delete").from(1).late();
  store(*manager, "B");  // what cannot be removed now stays, and is no failure
  server.plan().clear();
  open()->delete_step("s", "1");
  store(*open(), "A");
  EXPECT_GT(server.plan().release(), 0U);
  EXPECT_EQ(seen(), "A");
  EXPECT_TRUE(open()->check({.data = true}).healthy());
}

// 6. A commit of a writer that was cut off lands after the session was deleted and recorded again.
TEST_F(S3Faults, ACommitThatLandsAfterTheSessionWasDeleted) {
  const auto writer = ready();
  server.plan().on("PUT", "s/1/step.json").from(1).late();
  EXPECT_THROW(writer->store_step_data("s", "1", {.html_content = "A", .screenshot_bytes = "A"},
                                       {.call = {.timeout = std::chrono::milliseconds(300)}}),
               StorageManagerError);
  server.plan().clear();
  open()->delete_session("s");
  store(*open(), "B");
  EXPECT_GT(server.plan().release(), 0U);
  EXPECT_EQ(seen(), "B");
  EXPECT_EQ(open()->list_steps_for_session("s").ids, std::vector<std::string>{"1"});
}

// 5, 9. Two creators of which one is late: one step, whole.
TEST_F(S3Faults, ACreateThatLandsAfterItsRetrySucceeded) {
  const auto manager = ready();
  server.plan().on("PUT", "step.json").nth(1).late();
  store(*manager, "A");
  store(*open(), "B");
  server.plan().release();
  EXPECT_EQ(seen(), "B");
  EXPECT_EQ(open()->stat_step("s", "1").version, 2U);
}

TEST_F(S3Faults, BusyServersAreWaitedFor) {
  const auto manager = ready();
  for (const int status : {500, 503, 429}) {
    server.plan().on("PUT", "").nth(1).error(status, status == 500 ? "InternalError" : "SlowDown");
    server.plan().on("PUT", "step.json").nth(1).answer({.status = 503});
    EXPECT_NO_THROW(store(*manager, "status " + std::to_string(status)));
    EXPECT_EQ(seen(), "status " + std::to_string(status));
    server.plan().clear();
  }
  server.plan().on("PUT", "step.json").nth(1).error(409, "ConditionalRequestConflict");
  EXPECT_NO_THROW(store(*manager, "conflict"));
}

// [G49] The commit was done and the answer says otherwise: the retry is refused by our own root,
// and what it names has to stay.
TEST_F(S3Faults, AnAppliedCommitWhoseAnswerIsAFailureIsOurs) {
  const auto manager = ready();
  int count = 0;
  const auto answers = {fault::error_answer(503, "ServiceUnavailable", "but done"),
                        fault::error_answer(503, "SlowDown", "but done"),
                        fault::error_answer(503, "SlowDownWrite", "but done"),
                        http::Response{.status = 507},
                        // Nobody should say so after the fact; the root that is there counts.
                        fault::error_answer(409, "ConditionalRequestConflict", "but done"),
                        http::Response{.status = 408}};
  for (const http::Response& answer : answers) {
    for (const bool over : {false, true}) {
      const std::string step = "step " + std::to_string(++count);
      const std::string png = "\x89PNG\r\n\x1a\n";
      if (over) open()->store_step_data("s", step, {.html_content = "old"});
      if (over) manager->retrieve_step_data("s", step);
      server.plan().on("PUT", "step.json").nth(1).do_and_answer(answer);
      try {
        const Receipt receipt =
            manager->store_step_data("s", step, {.html_content = step, .screenshot_bytes = png},
                                     {.call = {.timeout = std::chrono::seconds(2)}});
        EXPECT_EQ(receipt.version, over ? 2U : 1U);
      } catch (const StorageManagerError& failed) {
        EXPECT_TRUE(failed.outcome_unknown()) << step << failed.what();
      }
      server.plan().clear();
      EXPECT_EQ(open()->retrieve_step_data("s", step).html_content()->text(), step);
    }
  }
  const CheckReport report = open()->check({.data = true});
  EXPECT_TRUE(report.healthy());
  EXPECT_TRUE(report.findings.empty()) << report.findings.front().key;
}

// [G51] One failing request may not be taken for a word about the bucket, which would be believed
// for a week.
TEST_F(S3Faults, AFailureDuringTheProbeIsNoVerdict) {
  for (std::size_t nth = 1; nth <= 24; ++nth) {
    server.plan().on("", ".stepstore/probe/").from(nth).times(8).error(503, "SlowDown");
    const auto failing = store_of_its_own();
    const auto first =
        put_one(*failing, {.key = ObjectKey("a"), .body = "x", .condition = Condition::absent()},
                {.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(300)});
    server.plan().clear();
    const auto store = store_of_its_own();
    (void)put_one(*store, {.key = ObjectKey("a"), .body = "x", .condition = Condition::absent()});
    const Capabilities able = store->capabilities();
    EXPECT_TRUE(able.create_if_absent && able.swap_if_unchanged && able.upload_if_absent) << nth;
    for (const ObjectInfo& object : list_all(*store, {})) remove_one(*store, object.key).value();
  }
}

class S3WeakBucket : public FaultsTest {
 protected:
  S3WeakBucket() : FaultsTest({.ignores_if_match = true, .ignores_conditional_delete = true}) {}
};

// [G51] Whoever uses the bucket is told, not only whoever has found it out.
TEST_F(S3WeakBucket, WeakerPromisesAreToldToEveryManager) {
  std::vector<std::string> warnings;
  set_log_handler([&](const LogRecord& record) { warnings.push_back(record.message); });
  store(*open(), "A");
  EXPECT_EQ(std::exchange(warnings, {}).size(), 1U);
  const auto writer = open();
  store(*writer, "B");
  EXPECT_EQ(std::exchange(warnings, {}).size(), 1U);
  EXPECT_EQ(writer->get_storage_info().notes.size(), 1U);
  const auto reader = open();
  (void)reader->retrieve_step_data("s", "1");
  ASSERT_EQ(reader->get_storage_info().notes.size(), 1U);
  EXPECT_NE(reader->get_storage_info().notes.front().find("If-Match"), std::string::npos);
  set_log_handler({});
}

// Writers, readers and deleters while requests and answers get lost, come late or twice.
TEST_F(S3Faults, ByChanceLeaveEveryStepWholeAndEveryReceiptTrue) {
  const char* const wanted = std::getenv("STEPSTORE_TEST_SEED");
  const std::uint64_t seed = wanted ? std::stoull(wanted) : 1;
  std::cout << "STEPSTORE_TEST_SEED=" << seed << '\n';
  (void)ready();
  server.plan().at_random(seed, 0.03, 0.03, 0.03, 0.02);
  constexpr int kWriters = 6;
  constexpr int kRounds = 40;
  std::vector<std::future<std::size_t>> writers;
  for (int i = 0; i < kWriters; ++i) {
    writers.push_back(std::async(std::launch::async, [this, i, seed] {
      const auto manager = open();
      std::mt19937_64 random(seed * 1'000 + static_cast<std::uint64_t>(i));
      std::size_t done = 0;
      for (int round = 0; round < kRounds; ++round) {
        const std::string step = std::to_string(random() % 4);
        const std::string text = std::to_string(i) + " in round " + std::to_string(round);
        try {
          switch (random() % 6) {
            case 0:
              manager->delete_step("s", step);
              break;
            case 1:
              if (random() % 4 == 0) manager->delete_session("s");
              break;
            case 2:
            case 3: {
              const Step found = manager->retrieve_step_data("s", step);
              EXPECT_EQ(found.html_content()->text(), found.screenshot_bytes()->text());
              break;
            }
            default:
              manager->store_step_data("s", step, {.html_content = text, .screenshot_bytes = text});
              ++done;
          }
          if (random() % 8 == 0) server.plan().release();
        } catch (const StorageManagerError& failed) {
          EXPECT_NE(failed.code(), ErrorCode::Corrupt) << failed.what();
        }
      }
      return done;
    }));
  }
  std::size_t done = 0;
  for (auto& writer : writers) done += writer.get();
  EXPECT_GT(done, 20U);
  server.plan().clear();
  server.plan().release();
  const auto manager = open();
  for (const std::string& step : manager->list_steps_for_session("s").ids) {
    const Step found = manager->retrieve_step_data("s", step);
    EXPECT_EQ(found.html_content()->text(), found.screenshot_bytes()->text());
  }
  EXPECT_TRUE(manager->check({.data = true}).healthy());
  for (int i = 0; i < 4; ++i) {
    const std::string step = std::to_string(i);
    manager->store_step_data("s", step, {.html_content = "last", .screenshot_bytes = "last"});
    EXPECT_EQ(open()->retrieve_step_data("s", step).html_content()->text(), "last");
  }
}

}  // namespace
}  // namespace stepstore
