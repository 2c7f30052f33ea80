// Listing: in the order of the format, page by page without gaps or repeats, committed steps only.
#include <algorithm>

#include "manager/manager_fixture.h"

namespace stepstore {
namespace {

class ListSteps : public ManagerTest {
 protected:
  void store_all(const std::vector<std::string>& ids) {
    for (const std::string& id : ids) manager->store_step_data("s", id, {.html_content = id});
  }
};

// By encoded id + "/", which is what S3 does with prefixes.
std::vector<std::string> in_order(std::vector<std::string> ids) {
  std::sort(ids.begin(), ids.end(), [](const std::string& a, const std::string& b) {
    return encode_id(a, "") + "/" < encode_id(b, "") + "/";
  });
  return ids;
}

const std::vector<std::string> kIds = {"a",  "a-b", "a.b", "a/b", "ab",  "a0", "a b", "A",
                                       "b",  "~",   ".x",  "1",   "10",  "2",  "a~1", "\xc3\xa4",
                                       "a%", "a.",  "a-",  "_",   "a.k", "a.j"};

TEST_P(ListSteps, GivesEveryStepOnceInOrder) {
  store_all(kIds);
  EXPECT_EQ(manager->list_steps_for_session("s").ids, in_order(kIds));
  EXPECT_TRUE(manager->list_steps_for_session("other").ids.empty());
}

TEST_P(ListSteps, GoesPageByPage) {
  store_all(kIds);
  for (const std::size_t limit : {1UL, 2UL, 3UL, 21UL, 22UL, 23UL}) {
    std::vector<std::string> all;
    ListOptions options{.limit = limit};
    for (;;) {
      const Listing page = manager->list_steps_for_session("s", options);
      EXPECT_LE(page.ids.size(), limit);
      all.insert(all.end(), page.ids.begin(), page.ids.end());
      if (page.next.empty()) break;
      EXPECT_EQ(page.ids.size(), limit);
      options.after = page.next;
    }
    EXPECT_EQ(all, in_order(kIds)) << limit;
  }
}

TEST_P(ListSteps, BeginsAfterAnyId) {
  store_all({"b", "d"});
  EXPECT_EQ(manager->list_steps_for_session("s", {.after = "a"}).ids,
            (std::vector<std::string>{"b", "d"}));
  EXPECT_EQ(manager->list_steps_for_session("s", {.after = "b"}).ids,
            std::vector<std::string>{"d"});
  EXPECT_EQ(manager->list_steps_for_session("s", {.after = "c"}).ids,
            std::vector<std::string>{"d"});
  EXPECT_TRUE(manager->list_steps_for_session("s", {.after = "d"}).ids.empty());
}

TEST_P(ListSteps, FiltersByThePlainPrefixOfTheId) {
  store_all(kIds);
  for (const char* prefix : {"a", "a.", ".", "a/", "\xc3", "A", "zz"}) {
    std::vector<std::string> expected;
    for (const std::string& id : in_order(kIds)) {
      if (id.starts_with(prefix)) expected.push_back(id);
    }
    EXPECT_EQ(manager->list_steps_for_session("s", {.prefix = prefix}).ids, expected) << prefix;
  }
}

TEST_P(ListSteps, LeavesOutWhatIsNotCommitted) {
  store_all({"1", "2"});
  put("s/0/observation.html", "left by a crash");
  put("s/3/observation.html", "left by a crash");
  manager->delete_step("s", "1");
  EXPECT_EQ(manager->list_steps_for_session("s").ids, std::vector<std::string>{"2"});
}

TEST_P(ListSteps, IteratesOverWholeSteps) {
  store_all({"1", "2", "3", "4"});
  manager->delete_step("s", "2");
  std::vector<std::string> seen;
  auto cursor = manager->iter_steps("s");
  while (auto step = cursor.next()) {
    EXPECT_EQ(text(step->html_content()), step->info().step_id);
    seen.push_back(step->info().step_id);
    if (seen.size() == 1) open()->delete_step("s", "3");
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"1", "4"}));
  auto limited = manager->iter_steps("s", {.limit = 1});
  EXPECT_TRUE(limited.next());
  EXPECT_FALSE(limited.next());
}

class ListSessions : public ManagerTest {
 protected:
  std::vector<std::string> page_by_page(std::size_t limit) {
    std::vector<std::string> all;
    ListOptions options{.limit = limit};
    for (;;) {
      const Listing page = manager->list_sessions(options);
      all.insert(all.end(), page.ids.begin(), page.ids.end());
      if (page.next.empty()) return all;
      options.after = page.next;
    }
  }
};

TEST_P(ListSessions, GivesEverySessionOnceInOrder) {
  EXPECT_TRUE(manager->list_sessions().ids.empty());
  for (const std::string& id : kIds) manager->store_step_data(id, "1", {});
  EXPECT_EQ(manager->list_sessions().ids, in_order(kIds));
  for (const std::size_t limit : {1UL, 2UL, 5UL, 100UL})
    EXPECT_EQ(page_by_page(limit), in_order(kIds));
  EXPECT_EQ(manager->list_sessions({.prefix = "a."}).ids,
            (std::vector<std::string>{"a.", "a.b", "a.j", "a.k"}));
}

// Goal: the folder of a session recorded again sorts elsewhere; the session does not.
TEST_P(ListSessions, KeepsTheirOrderWhenSessionsAreRecordedAgain) {
  for (const std::string& id : kIds) manager->store_step_data(id, "1", {});
  for (const char* id : {"a", "b", "~"}) {
    manager->delete_session(id);
    manager->store_step_data(id, "1", {});
  }
  EXPECT_EQ(manager->list_sessions().ids, in_order(kIds));
  for (const std::size_t limit : {1UL, 2UL, 5UL, 100UL})
    EXPECT_EQ(page_by_page(limit), in_order(kIds));
}

TEST_P(ListSessions, IgnoresWhatIsNoSession) {
  manager->store_step_data("s", "1", {});
  put("stray", "x");
  put("a b/1/step.json", "x");
  EXPECT_EQ(manager->list_sessions().ids, std::vector<std::string>{"s"});
}

INSTANTIATE_TEST_SUITE_P(Stores, ListSteps, testing::ValuesIn(manager_stores()), store_name);
INSTANTIATE_TEST_SUITE_P(Stores, ListSessions, testing::ValuesIn(manager_stores()), store_name);

}  // namespace
}  // namespace stepstore
