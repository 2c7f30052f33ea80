// Damage is found and never served; older layouts are read and adopted; newer formats are refused
// untouched.
#include "manager/manager_fixture.h"

namespace stepstore {
namespace {

class Care : public ManagerTest {
 protected:
  std::vector<std::string> found() {
    std::vector<std::string> out;
    for (const Finding& finding : open()->check({.data = true}).findings) {
      out.push_back(std::string(name_of(finding.kind)) + " " + finding.key);
    }
    return out;
  }
};

TEST_P(Care, CheckCountsWhatIsThere) {
  for (int i = 0; i < 3; ++i) {
    manager->store_step_data("s", std::to_string(i),
                             {.html_content = "12345", .screenshot_bytes = kPng});
  }
  manager->store_step_data("t", "1", {});
  const CheckReport report = manager->check({.data = true});
  EXPECT_EQ(report.sessions, 2U);
  EXPECT_EQ(report.steps, 4U);
  EXPECT_EQ(report.components, 6U);
  EXPECT_EQ(report.bytes, 3 * (5 + kPng.size()));
  EXPECT_TRUE(report.healthy());
  EXPECT_TRUE(report.findings.empty());
  EXPECT_EQ(manager->check({.session = "t"}).steps, 1U);
}

// [G45]
TEST_P(Care, DamageIsFoundAndNotServed) {
  const auto damage = [&](const std::string& id, const std::function<void()>& how,
                          const std::string& finding) {
    manager->store_step_data("s", id, {.html_content = "12345", .screenshot_bytes = kPng});
    how();
    EXPECT_EQ(found(), std::vector<std::string>{finding});
    EXPECT_THROW(open()->retrieve_step_data("s", id), Corrupt);
    EXPECT_FALSE(open()->check({.data = true}).healthy());
    manager->delete_session("s");
  };
  damage(
      "flip", [&] { put("s/flip/observation.html", "12346"); }, "corrupt s/flip/observation.html");
  damage(
      "cut", [&] { put("s~1/cut/observation.html", "1234"); }, "corrupt s~1/cut/observation.html");
  damage(
      "gone", [&] { remove_one(*store, ObjectKey("s~2/gone/screenshot.png")).value(); },
      "missing s~2/gone/screenshot.png");
  manager->store_step_data("s", "root", {});
  put("s~3/root/step.json", "{\"no\": \"manifest\"}" + std::string(2000, ' '));
  EXPECT_EQ(found(), std::vector<std::string>{"corrupt s~3/root/step.json"});
  EXPECT_THROW(open()->retrieve_step_data("s", "root"), Corrupt);
}

TEST_P(Care, OrphansAndStrangersAreTold) {
  manager->store_step_data("s", "1", {.html_content = "a"});
  put("s/1/observation.01ARYZ6S410000000000000000.html", "x");
  put("s/1/deep/er", "x");
  put("s/2/har", "x");
  put("stray", "x");
  EXPECT_EQ(found(),
            (std::vector<std::string>{"foreign s/1/deep/er",
                                      "orphan s/1/observation.01ARYZ6S410000000000000000.html",
                                      "orphan s/2/har", "foreign stray"}));
  EXPECT_TRUE(open()->check().healthy());
}

// A copy that is missing while its manifest names it is damage; no reader may wait for it.
TEST_P(Care, AMissingVersionIsDamageAndNotWaitedFor) {
  const StoreOptions keep{.keep_versions = Keep::all()};
  for (const char* const text : {"one", "two"}) {
    manager->store_step_data("s", "1", {.html_content = text}, keep);
  }
  std::string copy;
  for (const std::string& key : keys()) {
    if (key.starts_with("s/1/versions/")) copy = key;
  }
  put(copy, "{\"no\": \"manifest\"}" + std::string(2000, ' '));
  EXPECT_EQ(found(), std::vector<std::string>{"corrupt " + copy});
  remove_one(*store, ObjectKey(copy)).value();
  EXPECT_EQ(found(), std::vector<std::string>{"missing " + copy});
  const ReadOptions first{.version = 1, .call = {.timeout = std::chrono::hours(1)}};
  EXPECT_THROW(open()->stat_step("s", "1", first), Corrupt);
  EXPECT_THROW(open()->retrieve_step_data("s", "1", first), Corrupt);
  EXPECT_EQ(open()->stat_step("s", "1").version, 2U);
}

// --- Legacy
// -----------------------------------------------------------------------------------------------------------

class Legacy : public ManagerTest {
 protected:
  void SetUp() override {
    ManagerTest::SetUp();
    put("old/1/observation.html", "<p>");
    put("old/1/screenshot.png", kPng);
    put("old/1/action.json", "{}");
    put("old/1/metadata.json", "{\"a\":1}");
    put("old/2/action.json", "[]");
    put("old/3/notes.txt", "not a step");
    clock.advance(std::chrono::hours(25));
    // What is written now is young; a server's clock cannot be set, so there it would be old.
    if (!GetParam().server_time) put("old/4/observation.html", "young");
  }
};

TEST_P(Legacy, StepsAreSeenOnlyWhenAskedFor) {
  EXPECT_THROW(manager->retrieve_step_data("old", "1"), NotFound);
  EXPECT_TRUE(manager->list_steps_for_session("old").ids.empty());
  EXPECT_EQ(manager->list_steps_for_session("old", {.legacy = true}).ids,
            (std::vector<std::string>{"1", "2"}));
  const Step step = manager->retrieve_step_data("old", "1", {.legacy = true});
  EXPECT_TRUE(step.info().legacy);
  EXPECT_EQ(text(step.html_content()), "<p>");
  EXPECT_EQ(text(step.screenshot_bytes()), kPng);
  EXPECT_EQ(text(step.metadata()), "{\"a\":1}");
  EXPECT_THROW(manager->retrieve_step_data("old", "3", {.legacy = true}), NotFound);
}

TEST_P(Legacy, FoldersThatMayBeOnTheirWayAreLeftAlone) {
  clock.advance(std::chrono::hours(-25));
  EXPECT_TRUE(manager->list_steps_for_session("old", {.legacy = true}).ids.empty());
  EXPECT_THROW(manager->retrieve_step_data("old", "1", {.legacy = true}), NotFound);
  EXPECT_TRUE(manager->adopt({.dry_run = false}).adopted.empty());
}

TEST_P(Legacy, AdoptionWritesManifestsAndMovesNothing) {
  const auto before = keys();
  EXPECT_EQ(manager->adopt().adopted.size(), 2U);
  EXPECT_EQ(keys(), before);
  manager->adopt({.session = "old", .dry_run = false});
  for (const std::string& key : before) EXPECT_NO_THROW(body_of(key));
  const Step step = open()->retrieve_step_data("old", "1");
  EXPECT_FALSE(step.info().legacy);
  EXPECT_EQ(text(step.html_content()), "<p>");
  EXPECT_EQ(text(step.metadata()), "{\"a\":1}");
  EXPECT_EQ(open()->list_steps_for_session("old").ids, (std::vector<std::string>{"1", "2"}));
  EXPECT_TRUE(manager->adopt({.dry_run = false}).adopted.empty());
}

TEST_P(Legacy, StoringOverAFolderOfTheOlderLayoutKeepsItsFiles) {
  manager->store_step_data("old", "1", {.html_content = "new"});
  EXPECT_EQ(text(open()->retrieve_step_data("old", "1").html_content()), "new");
  EXPECT_EQ(body_of("old/1/observation.html"), "<p>");
}

// --- Formats
// ----------------------------------------------------------------------------------------------------------

TEST_P(Care, ANewerFormatIsRefusedUntouched) {
  put(".stepstore/format.json", R"({"format":"2.0","reader_min":1,"writer_min":2})");
  const auto before = keys();
  EXPECT_THROW(open()->store_step_data("s", "1", {}), Unsupported);
  EXPECT_THROW(open()->delete_step("s", "1"), Unsupported);
  EXPECT_THROW(open()->delete_session("s"), Unsupported);
  EXPECT_TRUE(open()->list_sessions().ids.empty());
  put(".stepstore/format.json", R"({"format":"2.0","reader_min":2,"writer_min":2})");
  EXPECT_THROW(open()->list_sessions(), Unsupported);
  EXPECT_THROW(open()->retrieve_step_data("s", "1"), Unsupported);
  EXPECT_THROW(open()->check(), Unsupported);
  EXPECT_EQ(keys(), before);
  put(".stepstore/format.json", "nonsense");
  EXPECT_THROW(open()->list_sessions(), Corrupt);
}

// --- Life of a manager
// ------------------------------------------------------------------------------------------------

TEST_P(Care, AClosedManagerSaysSo) {
  manager->store_step_data("s", "1", {});
  auto cursor = manager->iter_steps("s");
  manager->close();
  manager->close();
  EXPECT_THROW(manager->retrieve_step_data("s", "1"), Closed);
  EXPECT_THROW(manager->store_step_data("s", "1", {}), Closed);
  EXPECT_THROW(manager->list_sessions(), Closed);
  EXPECT_THROW(cursor.next(), Closed);
  EXPECT_NO_THROW(manager->get_storage_info());
}

TEST_P(Care, LimitsEndACallBeforeItBegins) {
  std::stop_source stop;
  stop.request_stop();
  const Call stopped{.stop = stop.get_token()};
  const Call late{.timeout = std::chrono::milliseconds(0)};
  const auto before = keys();
  EXPECT_THROW(manager->store_step_data("s", "1", {}, {.call = stopped}), Cancelled);
  EXPECT_THROW(manager->store_step_data("s", "1", {}, {.call = late}), Timeout);
  EXPECT_THROW(manager->retrieve_step_data("s", "1", {.call = late}), Timeout);
  EXPECT_THROW(manager->list_sessions({.call = stopped}), Cancelled);
  EXPECT_THROW(manager->delete_session("s", {.call = stopped}), Cancelled);
  EXPECT_EQ(keys(), before);
}

INSTANTIATE_TEST_SUITE_P(Stores, Care, testing::ValuesIn(manager_stores()), store_name);
INSTANTIATE_TEST_SUITE_P(Stores, Legacy, testing::ValuesIn(manager_stores()), store_name);

}  // namespace
}  // namespace stepstore
