// Deleting: what is deleted is gone with all its objects, what is held stays, and recording goes on
// under the same id.
#include <nlohmann/json.hpp>

#include "manager/manager_fixture.h"
#include "model/session_root.h"
#include "testing/scripted_store.h"

namespace stepstore {
namespace {

class Delete : public ManagerTest {
 protected:
  void hold(const std::string& session_id, std::vector<std::string> steps) {
    SessionRoot root;
    root.held = steps.empty();
    root.held_steps = std::move(steps);
    root.write_id = "01ARYZ6S410000000000000000";
    put(session_root_key(session_id).text(), to_json(root, session_id));
  }
};

TEST_P(Delete, OfAStepLeavesOnlyASmallRoot) {
  manager->store_step_data("s", "1", {.html_content = "h", .screenshot_bytes = kPng});
  manager->store_step_data("s", "1", {.html_content = "i"}, {.keep_versions = Keep{5}});
  const DeleteResult result = manager->delete_step("s", "1");
  EXPECT_EQ(result.steps, 1U);
  EXPECT_EQ(result.objects, 4U);  // two pages, a picture, a copy of a manifest
  EXPECT_EQ(keys(), (std::vector<std::string>{".stepstore/format.json", "s/1/step.json"}));
  EXPECT_LT(body_of("s/1/step.json").size(), kLiveBytesMin);
  for (const auto& reader : {open(), std::move(manager)}) {
    EXPECT_THROW(reader->retrieve_step_data("s", "1"), NotFound);
    EXPECT_THROW(reader->stat_step("s", "1"), NotFound);
    EXPECT_TRUE(reader->list_steps_for_session("s").ids.empty());
  }
}

TEST_P(Delete, OfWhatIsNotThereSucceeds) {
  EXPECT_EQ(manager->delete_step("s", "1").steps, 0U);
  EXPECT_EQ(manager->delete_session("s").steps, 0U);
  manager->store_step_data("s", "1", {});
  EXPECT_EQ(manager->delete_step("s", "1").steps, 1U);
  EXPECT_EQ(manager->delete_step("s", "1").steps, 0U);
  EXPECT_EQ(keys(), (std::vector<std::string>{".stepstore/format.json", "s/1/step.json"}));
}

TEST_P(Delete, LetsTheStepBeStoredAgain) {
  manager->store_step_data("s", "1", {.html_content = "a"});
  manager->delete_step("s", "1");
  const Receipt again = open()->store_step_data("s", "1", {.html_content = "b"}, {.if_version = 0});
  EXPECT_EQ(again.version, 2U);  // versions are never used twice
  EXPECT_EQ(text(manager->retrieve_step_data("s", "1").html_content()), "b");
  manager->delete_step("s", "1");
  manager->store_step_data("s", "1", {.html_content = "c"});
  EXPECT_EQ(text(open()->retrieve_step_data("s", "1").html_content()), "c");
}

TEST_P(Delete, OfASessionLeavesNothingInItsFolder) {
  for (int i = 0; i < 20; ++i)
    manager->store_step_data("s", std::to_string(i), {.html_content = "h"});
  manager->store_step_data("t", "1", {});
  put("s/0/stray", "x");
  const DeleteResult result = manager->delete_session("s");
  EXPECT_EQ(result.steps, 20U);
  EXPECT_EQ(result.objects, 41U);
  EXPECT_EQ(keys(), (std::vector<std::string>{".stepstore/format.json",
                                              ".stepstore/sessions/s.json", "t/1/step.json"}));
  EXPECT_EQ(manager->list_sessions().ids, std::vector<std::string>{"t"});
}

TEST_P(Delete, OfASessionLetsRecordingGoOnUnderTheSameId) {
  const auto stale = open();  // remembers generation 0
  for (int round = 0; round < 4; ++round) {
    const std::string html = "round " + std::to_string(round);
    stale->store_step_data("s", "1", {.html_content = html});
    EXPECT_EQ(text(stale->retrieve_step_data("s", "1").html_content()), html);
    EXPECT_EQ(text(open()->retrieve_step_data("s", "1").html_content()), html);
    EXPECT_EQ(open()->list_steps_for_session("s").ids, std::vector<std::string>{"1"});
    manager->delete_session("s");
    EXPECT_THROW(stale->retrieve_step_data("s", "1"), NotFound);
    EXPECT_THROW(stale->stat_step("s", "1"), NotFound);
    EXPECT_TRUE(stale->list_steps_for_session("s").ids.empty());
  }
}

TEST_P(Delete, OfASessionThatWasInterruptedIsFinishedByTheNext) {
  manager->store_step_data("s", "1", {.html_content = "a"});
  manager->delete_session("s");
  put("s/1/step.json", "late");  // came after the sweep
  put("s/1/observation.html", "late");
  manager->store_step_data("s", "2", {.html_content = "b"});
  EXPECT_EQ(open()->check().findings.size(), 1U);
  manager->delete_session("s");
  EXPECT_EQ(keys(),
            (std::vector<std::string>{".stepstore/format.json", ".stepstore/sessions/s.json"}));
}

// A process that does not know of the deletion sends its first parts to the old folder: they go
// with that attempt.
TEST_P(Delete, OfASessionIsNotUndoneBelowTheOldFolderByTheNextRecording) {
  for (const char* const html : {"a", "b"}) {
    manager->store_step_data("s", "1", {.html_content = html, .screenshot_bytes = kPng});
  }
  const auto stale = open();  // remembers the first recording's step, to store over it
  stale->store_step_data("s", "1", {.html_content = "c"});
  manager->delete_session("s");
  open()->store_step_data("s", "1", {.html_content = "d", .screenshot_bytes = kPng});
  stale->store_step_data("s", "1", {.html_content = "e"});
  EXPECT_TRUE(open()->check().findings.empty()) << open()->check().findings.front().key;
  for (const std::string& key : keys()) EXPECT_FALSE(key.starts_with("s/")) << key;
  EXPECT_EQ(text(open()->retrieve_step_data("s", "1").html_content()), "e");
}

// What `check` advises about an old recording's rest must not cost a new one.
TEST_P(Delete, OfASessionIsAdvisedOnlyWhereNothingIsRecorded) {
  manager->store_step_data("s", "1", {.html_content = "a"});
  manager->delete_session("s");
  put("s/1/observation.html", "late");
  const auto advice = [this] {
    const auto findings = open()->check().findings;
    EXPECT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings.at(0).kind, Finding::Kind::unfinished);
    EXPECT_EQ(findings.at(0).key, "s/");
    return findings.at(0).message;
  };
  const std::string harmless = "deleting the session again removes it";
  EXPECT_NE(advice().find(harmless), std::string::npos) << advice();
  manager->store_step_data("s", "2", {.html_content = "b"});
  EXPECT_NE(advice().find("would delete the new recording"), std::string::npos) << advice();
  EXPECT_EQ(advice().find(harmless), std::string::npos) << advice();
}

// Without its root nobody knows that a later recording is there.
TEST_P(Delete, OfTheRootOfASessionIsFoundByCheck) {
  manager->store_step_data("s", "1", {.html_content = "a"});
  manager->delete_session("s");
  manager->store_step_data("s", "1", {.html_content = "b"});
  remove_one(*store, session_root_key("s")).value();
  const CheckReport report = open()->check();
  EXPECT_FALSE(report.healthy());
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings[0].kind, Finding::Kind::missing);
  EXPECT_EQ(report.findings[0].key, ".stepstore/sessions/s.json");
}

TEST_P(Delete, RespectsHolds) {
  manager->store_step_data("s", "1", {.html_content = "a"});
  manager->store_step_data("s", "2", {.html_content = "b"});
  hold("s", {"1"});
  EXPECT_THROW(manager->delete_step("s", "1"), Held);
  EXPECT_THROW(manager->delete_session("s"), Held);
  EXPECT_EQ(manager->delete_step("s", "2").steps, 1U);
  hold("s", {});
  EXPECT_THROW(manager->delete_step("s", "1"), Held);
  EXPECT_EQ(text(open()->retrieve_step_data("s", "1").html_content()), "a");
}

// Goal: a delete that died after its first swap is finished by whoever comes next, or stored over.
TEST_P(Delete, ThatWasInterruptedIsFinishedByTheNext) {
  for (const bool store_over : {false, true}) {
    const std::string id = store_over ? "over" : "finish";
    manager->store_step_data("s", id, {.html_content = "a", .screenshot_bytes = kPng});
    const std::string live = body_of("s/" + id + "/step.json");
    Manifest deleting = parse_manifest(live, "");
    deleting.state = RootState::deleting;
    deleting.previous_commits = {deleting.commit_id};
    deleting.commit_id = deleting.write_id = "01ARYZ6S410000000000000000";
    deleting.components.clear();
    deleting.was = live;
    put("s/" + id + "/step.json", to_json(deleting));
    EXPECT_THROW(open()->retrieve_step_data("s", id), NotFound);
    EXPECT_TRUE(open()->list_steps_for_session("s", {.prefix = id}).ids.empty());
    EXPECT_EQ(open()->check({.session = "s"}).findings.size(), 1U);
    if (store_over) {
      open()->store_step_data("s", id, {.html_content = "b"});
      EXPECT_EQ(text(open()->retrieve_step_data("s", id).html_content()), "b");
    } else {
      open()->delete_step("s", id);
    }
    EXPECT_TRUE(open()->check({.session = "s", .data = true}).findings.empty());
  }
}

// A delete that died after its second swap has left the step's objects; so do writers that were
// refused. What stepstore does not write is nobody's to remove.
TEST_P(Delete, OfADeletedStepRemovesWhatWasLeft) {
  manager->store_step_data("s", "1", {.html_content = "a"});
  manager->delete_step("s", "1");
  put("s/1/observation.html", "a");
  put("s/1/screenshot.01ARYZ6S410000000000000000.png", kPng);
  put("s/1/versions/1-01ARYZ6S410000000000000000.json", "{}");
  put("s/1/of/somebody/else", "x");
  const DeleteResult result = open()->delete_step("s", "1");
  EXPECT_EQ(result.steps, 0U);
  EXPECT_EQ(result.objects, 3U);
  EXPECT_EQ(keys(), (std::vector<std::string>{".stepstore/format.json", "s/1/of/somebody/else",
                                              "s/1/step.json"}));
  const Receipt again = open()->store_step_data("s", "1", {.html_content = "b"});
  EXPECT_EQ(again.version, 2U);
  EXPECT_EQ(text(open()->retrieve_step_data("s", "1").html_content()), "b");
}

// Once the step is marked, it is gone for readers: an error afterwards may not say that nothing
// happened.
TEST_P(Delete, ThatFailsHalfWayHasAnUnknownOutcome) {
  using Op = ScriptedOperation;
  struct Failure {
    Op operation;
    std::string suffix;
    std::size_t nth;
  };
  for (const Failure& each : {Failure{Op::get, "sessions/s.json", 2},
                              Failure{Op::put, "step.json", 2}, Failure{Op::remove, ".html", 1}}) {
    manager->store_step_data("s", "1", {.html_content = "a"});
    Script script;
    script.on(each.operation, each.suffix).nth(each.nth).fail(ErrorCode::PermissionDenied);
    try {
      StorageManager deleter = ManagerCore::manage(std::make_shared<ManagerCore>(
          std::make_shared<ScriptedStore>(store, script), Options{}, StorageInfo{}, clock));
      deleter.delete_step("s", "1");
      ADD_FAILURE() << each.suffix;
    } catch (const PermissionDenied& failed) {
      EXPECT_TRUE(failed.outcome_unknown()) << each.suffix;
    }
    EXPECT_THROW(open()->retrieve_step_data("s", "1"), NotFound) << each.suffix;
    open()->delete_step("s", "1");
    EXPECT_TRUE(open()->check({.session = "s"}).findings.empty()) << each.suffix;
  }
}

INSTANTIATE_TEST_SUITE_P(Stores, Delete, testing::ValuesIn(manager_stores()), store_name);

}  // namespace
}  // namespace stepstore
