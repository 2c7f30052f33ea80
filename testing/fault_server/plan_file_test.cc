// A plan in JSON becomes rules; one with a mistake is refused with a word on where it is; and the
// example in the README does what it says there.
#include "testing/fault_server/plan_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "testing/fakes.h"

namespace stepstore::fault {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class FaultPlanFile : public testing::Test {
 protected:
  http::Reply send(const std::string& method, const std::string& key) {
    return plan.carry_out({.method = method, .bucket = "b", .key = key}, [](const Call&) {
      return http::Response{.status = 200, .body = Bytes::copy("done")};
    });
  }
  int status(const std::string& method, const std::string& key) {
    return send(method, key).response.status;
  }
  // Why it is refused.
  std::string mistake(std::string_view json) {
    try {
      plan.load(json);
      return "none";
    } catch (const std::invalid_argument& wrong) {
      return wrong.what();
    }
  }

  SetClock clock;
  FaultPlan plan{true, clock};
};

TEST_F(FaultPlanFile, BecomesRules) {
  plan.load(R"({"rules": [
    {"method": "PUT", "contains": "a", "nth": 2, "fault": "slow_down", "retry_after_s": 3},
    {"method": "PUT", "contains": "b", "from": 2, "times": 1, "fault": "denied"},
    {"contains": "c", "from_ms": 1000, "until_ms": 2000, "fault": "empty_503"},
    {"contains": "cut", "fault": "cut_answer", "at_byte": 1},
    {"contains": "own", "fault": "answer", "status": 418, "body": "tea", "headers": {"X-Pot": "1"}},
    {"contains": "early", "fault": "answer_early", "at_byte": 7}]})");
  EXPECT_EQ(status("PUT", "a"), 200);
  const http::Reply second = send("PUT", "a");
  EXPECT_EQ(second.response.status, 503);
  EXPECT_EQ(*http::find_header(second.response.headers, "Retry-After"), "3");
  EXPECT_EQ(status("PUT", "a"), 200);
  EXPECT_EQ(status("PUT", "b"), 200);
  EXPECT_EQ(status("PUT", "b"), 403);
  EXPECT_EQ(status("PUT", "b"), 200);
  EXPECT_EQ(status("GET", "c"), 200);
  clock.advance(1s);
  EXPECT_EQ(status("GET", "c"), 503);
  clock.advance(1s);
  EXPECT_EQ(status("GET", "c"), 200);
  EXPECT_EQ(send("GET", "cut").until->number, 1U);
  EXPECT_EQ(send("GET", "own").response.body.text(), "tea");
  EXPECT_EQ(plan.at_head({.method = "PUT", .key = "early"})->body_bytes, 7U);
}

TEST_F(FaultPlanFile, StartsAtTheFirstRequest) {
  plan.load(R"({"start": "first_request", "rules": [{"until_ms": 1000, "fault": "denied"}]})");
  clock.advance(1h);
  EXPECT_EQ(status("GET", "k"), 403);
  clock.advance(1s);
  EXPECT_EQ(status("GET", "k"), 200);
}

TEST_F(FaultPlanFile, ThrowsTheDiceOfItsSeed) {
  const auto pattern = [&](const std::string& seed) {
    FaultPlan fresh(true, clock);
    fresh.load(R"({"seed": )" + seed + R"(, "rules": [{"share": 0.5, "fault": "lose_answer"}]})");
    std::string all;
    for (int i = 0; i < 100; ++i) {
      const http::Reply reply =
          fresh.carry_out({.method = "GET"}, [](const Call&) { return http::Response{}; });
      all += reply.delivery == http::Delivery::send ? '.' : 'x';
    }
    return all;
  };
  EXPECT_EQ(pattern("7"), pattern("7"));
  EXPECT_NE(pattern("7"), pattern("8"));
}

TEST_F(FaultPlanFile, SaysWhereAMistakeIs) {
  EXPECT_EQ(mistake("no JSON"), "the plan is no JSON");
  EXPECT_EQ(mistake("[]"), "the plan: is no object");
  EXPECT_EQ(mistake("{}"), "the plan: it has no list of 'rules'");
  EXPECT_EQ(mistake(R"({"rules": [], "sede": 1})"), "the plan: nobody knows the field 'sede'");
  EXPECT_EQ(mistake(R"({"rules": [], "start": "now"})"),
            "the plan: 'start' is neither 'server' nor 'first_request'");
  const auto of_rule = [&](const std::string& fields) {
    return mistake(R"({"rules": [{"fault": "denied"}, {)" + fields + "}]}");
  };
  EXPECT_EQ(of_rule(""), "rule 2: it names no 'fault'");
  EXPECT_THAT(of_rule(R"("fault": "none")"), HasSubstr("rule 2: there is no fault 'none'; there"));
  EXPECT_EQ(of_rule(R"("fault": "denied", "at": 1)"), "rule 2: nobody knows the field 'at'");
  EXPECT_EQ(of_rule(R"("fault": "denied", "nth": 0)"), "rule 2: 'nth' is no number of 1.0 or more");
  EXPECT_EQ(of_rule(R"("fault": "denied", "nth": 1.5)"), "rule 2: 'nth' is no whole number");
  EXPECT_EQ(of_rule(R"("fault": "denied", "share": 1.5)"), "rule 2: 'share' is more than 1");
  EXPECT_EQ(of_rule(R"("fault": "denied", "method": 1)"), "rule 2: 'method' is no text");
  EXPECT_EQ(of_rule(R"("fault": "denied", "done": "yes")"), "rule 2: 'done' is no bool");
  EXPECT_EQ(of_rule(R"("fault": "denied", "headers": 1)"), "headers: is no object");
  EXPECT_EQ(status("GET", "k"), 200) << "nothing of a refused plan holds";
}

TEST_F(FaultPlanFile, HasAnExampleThatIsRight) {
  std::ifstream in(STEPSTORE_SOURCE_DIR "/testing/fault_server/README.md");
  const std::string readme{std::istreambuf_iterator<char>(in), {}};
  const std::size_t begin = readme.find("```json\n");
  ASSERT_NE(begin, std::string::npos);
  plan.load(std::string_view(readme).substr(begin + 8, readme.find("```", begin + 8) - begin - 8));
  clock.advance(1h);
  const auto refused_of = [this](int requests) {
    int count = 0;
    for (int i = 0; i < requests; ++i) count += status("GET", "k") == 503 ? 1 : 0;
    return count;
  };
  EXPECT_EQ(refused_of(100), 0) << "the first two seconds are quiet";
  clock.advance(2s);
  EXPECT_EQ(refused_of(1'000), 990) << "then only 100 a second are taken";
  clock.advance(10s);
  EXPECT_EQ(refused_of(100), 0) << "after ten seconds it is over";
  EXPECT_EQ(send("PUT", "s/1/step.json").delivery, http::Delivery::send);
  EXPECT_EQ(send("PUT", "s/1/step.json").delivery, http::Delivery::drop);
}

TEST_F(FaultPlanFile, WritesAJournal) {
  plan.on("PUT").fault("slow_down");
  clock.advance(1'500us);
  (void)send("PUT", "a\"b\xff");
  EXPECT_EQ(to_json(plan.journal().front()),
            R"({"ms":1.5,"method":"PUT","key":"a\"b)"
            "\xEF\xBF\xBD"
            R"(","query":"","fate":"answer","status":503,"took_ms":0.0})");
}

}  // namespace
}  // namespace stepstore::fault
