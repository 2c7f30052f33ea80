// Requests go wrong as a test has said, exactly those that it has named; and the journal tells what
// became of each.
#include "testing/fault_server/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <map>

namespace stepstore::fault {
namespace {

using http::Delivery;

class FaultPlanTest : public testing::Test {
 protected:
  http::Reply send(const std::string& method, const std::string& key,
                   std::map<std::string, std::string, std::less<>> query = {}) {
    return plan.carry_out({.method = method, .bucket = "b", .key = key, .query = std::move(query)},
                          [this](const Call& call) {
                            done.push_back(call.method + ' ' + call.key);
                            return http::Response{.status = 200, .body = Bytes::copy("done")};
                          });
  }
  std::size_t times_done(const std::string& what) const {
    return static_cast<std::size_t>(std::ranges::count(done, what));
  }

  FaultPlan plan;
  std::vector<std::string> done;
};

TEST_F(FaultPlanTest, DoesWhatNoRuleIsAbout) {
  plan.on("PUT", "a").lose_request();
  for (const auto& [method, key] : {std::pair("GET", "a"), std::pair("PUT", "b")}) {
    const http::Reply reply = send(method, key);
    EXPECT_EQ(reply.delivery, Delivery::send);
    EXPECT_EQ(reply.response.body.text(), "done");
  }
  EXPECT_THAT(done, testing::ElementsAre("GET a", "PUT b"));
}

TEST_F(FaultPlanTest, LosesRequestsAndAnswers) {
  struct Case {
    void (FaultPlan::Rule::*fate)();
    Delivery delivery;
    std::size_t times_done;
  };
  for (const Case& each : {Case{&FaultPlan::Rule::lose_request, Delivery::drop, 0},
                           Case{&FaultPlan::Rule::lose_answer, Delivery::drop, 1},
                           Case{&FaultPlan::Rule::reset_answer, Delivery::reset, 1},
                           Case{&FaultPlan::Rule::cut_answer, Delivery::truncate, 1},
                           Case{&FaultPlan::Rule::stall, Delivery::stall, 1}}) {
    done.clear();
    plan.clear();
    auto rule = plan.on("PUT", "k");
    (rule.*each.fate)();
    EXPECT_EQ(send("PUT", "k").delivery, each.delivery);
    EXPECT_EQ(times_done("PUT k"), each.times_done);
  }
}

TEST_F(FaultPlanTest, AnswersOtherThings) {
  plan.on("PUT", "refused").error(503, "SlowDown");
  plan.on("PUT", "done").do_and_answer({.status = 500});
  plan.on("PUT", "wait").answer({.status = 503, .headers = {{"Retry-After", "7"}}});
  plan.on("POST", "uploadId").answer(xml_answer(200, "<Error><Code>InternalError</Code></Error>"));
  const http::Reply refused = send("PUT", "refused");
  EXPECT_EQ(refused.response.status, 503);
  EXPECT_THAT(std::string(refused.response.body.text()),
              testing::HasSubstr("<Code>SlowDown</Code>"));
  EXPECT_EQ(send("PUT", "done").response.status, 500);
  EXPECT_EQ(*http::find_header(send("PUT", "wait").response.headers, "retry-after"), "7");
  const http::Reply in_200 = send("POST", "k", {{"uploadId", "1"}});
  EXPECT_EQ(in_200.response.status, 200);
  EXPECT_THAT(std::string(in_200.response.body.text()), testing::HasSubstr("InternalError"));
  EXPECT_THAT(done, testing::ElementsAre("PUT done"));
}

TEST_F(FaultPlanTest, CountsTheRequestsThatMatch) {
  plan.on("PUT", "nth").nth(2).lose_request();
  plan.on("PUT", "from").from(2).lose_request();
  plan.on("PUT", "times").times(2).lose_request();
  const auto lost = [&](const std::string& key) {
    std::string all;
    for (int i = 0; i < 4; ++i) {
      send("GET", key);  // is about something else, and not counted
      all += send("PUT", key).delivery == Delivery::drop ? 'x' : '.';
    }
    return all;
  };
  EXPECT_EQ(lost("nth"), ".x..");
  EXPECT_EQ(lost("from"), ".xxx");
  EXPECT_EQ(lost("times"), "xx..");
}

TEST_F(FaultPlanTest, LooksAtMethodKeyQueryAndWhatATestAsks) {
  plan.on("", "any").lose_request();
  plan.on("GET", "prefix=p").lose_request();
  plan.on("PUT").when([](const Call& call) { return call.key.size() > 5; }).lose_request();
  const auto lost = [](const http::Reply& reply) { return reply.delivery == Delivery::drop; };
  EXPECT_TRUE(lost(send("DELETE", "many")));
  EXPECT_TRUE(lost(send("GET", "", {{"list-type", "2"}, {"prefix", "p/q"}})));
  EXPECT_FALSE(lost(send("GET", "", {{"prefix", "q"}})));
  EXPECT_FALSE(lost(send("PUT", "short")));
  EXPECT_TRUE(lost(send("PUT", "longer")));
}

TEST_F(FaultPlanTest, TakesTheFirstRuleThatApplies) {
  plan.on("PUT", "k").nth(1).error(500, "InternalError");
  plan.on("PUT", "k").error(503, "SlowDown");
  EXPECT_EQ(send("PUT", "k").response.status, 500);
  EXPECT_EQ(send("PUT", "k").response.status, 503);
  plan.clear();
  EXPECT_EQ(send("PUT", "k").response.status, 200);
}

TEST_F(FaultPlanTest, DoesLateWhatIsReleased) {
  plan.on("DELETE").late();
  plan.on("PUT").twice();
  EXPECT_EQ(send("DELETE", "a").delivery, Delivery::drop);
  EXPECT_EQ(send("PUT", "b").delivery, Delivery::send);
  send("GET", "c");
  EXPECT_THAT(done, testing::ElementsAre("PUT b", "GET c"));
  plan.clear();
  EXPECT_EQ(plan.release(), 2U);
  EXPECT_THAT(done, testing::ElementsAre("PUT b", "GET c", "DELETE a", "PUT b"));
  EXPECT_EQ(plan.release(), 0U);
}

TEST_F(FaultPlanTest, DoesLateWhatWasOvertaken) {
  plan.on("PUT", "one").nth(1).late(1);
  plan.on("PUT", "two").nth(1).late(2);
  plan.on("PUT", "again").nth(1).twice(2);
  send("PUT", "one");
  send("PUT", "two");
  EXPECT_THAT(done, testing::ElementsAre("PUT one")) << "a request that is itself late has come";
  send("GET", "a");
  send("GET", "b");
  EXPECT_THAT(done, testing::ElementsAre("PUT one", "GET a", "GET b", "PUT two"));
  send("PUT", "again");
  send("GET", "c");
  EXPECT_EQ(times_done("PUT again"), 1U);
  send("GET", "d");
  EXPECT_EQ(times_done("PUT again"), 2U);
  EXPECT_EQ(plan.release(), 0U);
}

TEST_F(FaultPlanTest, HoldsRequestsAtAGate) {
  const auto gate = plan.on("PUT", "held").hold();
  auto first = std::async(std::launch::async, [&] { return send("PUT", "held"); });
  gate->wait_until_reached();
  send("PUT", "other");
  EXPECT_EQ(times_done("PUT held"), 0U);
  EXPECT_EQ(times_done("PUT other"), 1U);
  gate->open();
  EXPECT_EQ(first.get().delivery, Delivery::send);
  EXPECT_EQ(times_done("PUT held"), 1U);
  send("PUT", "held");  // it stays open
}

TEST_F(FaultPlanTest, OpensAllGates) {
  const auto gate = plan.on("PUT").hold();
  auto held = std::async(std::launch::async, [&] { return send("PUT", "k"); });
  gate->wait_until_reached();
  plan.clear();
  plan.open_gates();
  EXPECT_EQ(held.get().delivery, Delivery::send);
}

TEST_F(FaultPlanTest, KeepsAJournal) {
  plan.on("PUT", "lost").lose_request();
  plan.on("PUT", "failed").error(500, "InternalError");
  send("PUT", "lost");
  send("PUT", "failed");
  send("GET", "", {{"list-type", "2"}, {"delete", ""}});
  const auto journal = plan.journal();
  ASSERT_EQ(journal.size(), 3U);
  EXPECT_EQ(journal[0].method, "PUT");
  EXPECT_EQ(journal[0].key, "lost");
  EXPECT_EQ(journal[0].fate, Fate::lose_request);
  EXPECT_EQ(journal[1].fate, Fate::answer);
  EXPECT_EQ(journal[1].status, 500);
  EXPECT_EQ(journal[2].query, "delete&list-type=2");
  EXPECT_EQ(journal[2].fate, Fate::normal);
  EXPECT_EQ(journal[2].status, 200);
  for (const Entry& each : journal) EXPECT_LE(each.arrived, each.answered);
  EXPECT_LE(journal[0].answered, journal[1].arrived);
  plan.forget_journal();
  EXPECT_TRUE(plan.journal().empty());
  FaultPlan silent(false);
  silent.carry_out({.method = "GET"}, [](const Call&) { return http::Response{}; });
  EXPECT_TRUE(silent.journal().empty());
}

// The fates of 2,000 requests, one letter each.
std::string fates(std::uint64_t seed) {
  FaultPlan plan;
  plan.at_random(seed, 0.1, 0.1, 0.1, 0.1);
  for (int i = 0; i < 2'000; ++i) {
    plan.carry_out({.method = "PUT"}, [](const Call&) { return http::Response{.status = 200}; });
  }
  std::string all;
  for (const Entry& each : plan.journal())
    all += static_cast<char>('a' + static_cast<int>(each.fate));
  return all;
}

TEST_F(FaultPlanTest, FailsByChanceAsASeedSays) {
  const std::string all = fates(7);
  EXPECT_EQ(all, fates(7));
  EXPECT_NE(all, fates(8));
  const auto count = [&](Fate fate) {
    return std::ranges::count(all, static_cast<char>('a' + static_cast<int>(fate)));
  };
  // 200 of 2,000 are to be expected; the seeds are fixed, so this is no matter of luck.
  for (const Fate fate : {Fate::lose_request, Fate::lose_answer, Fate::late}) {
    EXPECT_NEAR(count(fate), 200, 60);
  }
  EXPECT_NEAR(count(Fate::answer), 100, 40) << "half of the errors come before it is done";
  EXPECT_NEAR(count(Fate::done_and_answer), 100, 40);
  EXPECT_EQ(count(Fate::stall), 0);
}

}  // namespace
}  // namespace stepstore::fault
