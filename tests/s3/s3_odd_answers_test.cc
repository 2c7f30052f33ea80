// Answers that no server should give, and that some give all the same: what the store makes of
// them.
#include <gmock/gmock.h>

#include <algorithm>

#include "faults_fixture.h"

namespace stepstore {
namespace {

class S3OddAnswers : public FaultsTest {
 protected:
  std::size_t lists() {
    const auto journal = server.plan().journal();
    return static_cast<std::size_t>(std::ranges::count_if(journal, [](const fault::Entry& entry) {
      return entry.query.find("list-type") != std::string::npos;
    }));
  }
};

// Each page says that more follows, and has a token that was not there before.
TEST_F(S3OddAnswers, AListWithoutEndIsGivenUp) {
  const auto manager = ready();
  server.plan().on("GET", "list-type").fault("endless_list");
  try {
    (void)manager->list_steps_for_session("warm");
    FAIL() << "it came to an end";
  } catch (const Io& failed) {
    EXPECT_THAT(failed.what(), testing::HasSubstr("the server's list has more, and no way to it"));
  }
  EXPECT_LT(lists(), 1'010U);
}

// A gateway that knows nothing of tokens gives the first page whatever it is asked for.
TEST_F(S3OddAnswers, TheSamePageAgainIsNoMoreSteps) {
  const auto manager = ready();
  server.plan().on("GET", "list-type").nth(1).fault("same_page");
  EXPECT_THAT(manager->list_steps_for_session("warm").ids, testing::ElementsAre("first", "second"));
  server.plan().on("GET", "list-type").fault("same_page");
  EXPECT_THROW((void)manager->list_steps_for_session("warm"), Io);
  EXPECT_LT(lists(), 10U);
}

// Of a part whose fate is unknown another copy is sent, under another name: not as fast as a server
// can fail.
TEST_F(S3OddAnswers, AServerThatFailsIsNotStormed) {
  const auto manager = ready();
  const Call brief{.timeout = std::chrono::milliseconds(1'000)};
  store(*manager, "A");
  for (const char* const step : {"1", "new"}) {
    server.plan().forget_journal();
    server.plan().on("PUT", "observation").fault("error_500");
    EXPECT_THROW(manager->store_step_data("s", step, {.html_content = "B"}, {.call = brief}),
                 StorageManagerError);
    EXPECT_LT(server.plan().journal().size(), 200U) << step;
    server.plan().clear();
  }
  EXPECT_EQ(seen(), "A");
}

// The session has been left for the next generation, and its objects cannot be listed.
TEST_F(S3OddAnswers, ADeletionThatGoesNoFurtherDoesNotSayThatAllIsAsBefore) {
  const auto manager = ready();
  store(*manager, "A");
  server.plan().on("GET", "list-type").from(2).fault("denied");
  try {
    manager->delete_session("s");
    FAIL() << "nothing was denied";
  } catch (const PermissionDenied& failed) {
    EXPECT_TRUE(failed.outcome_unknown());
  }
  server.plan().clear();
  EXPECT_EQ(seen(), "absent");
}

}  // namespace
}  // namespace stepstore
