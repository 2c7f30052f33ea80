// The server over real connections: what its plan says reaches a client, delays go on side by side,
// and it stops whatever it holds.
#include "testing/fault_server/fault_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <map>

#include "http/client.h"
#include "http/url.h"

namespace stepstore::fault {
namespace {

using namespace std::chrono_literals;

class FaultServerTest : public testing::Test {
 protected:
  http::Outcome send(std::string method, std::string target, BytesView body = {}) {
    return send_many({make(std::move(method), std::move(target), body)}).front();
  }
  static http::Sending make(std::string method, std::string target, BytesView body = {}) {
    http::Sending sending;
    sending.request = {.method = std::move(method), .target = std::move(target), .body = {body}};
    return sending;
  }
  std::vector<http::Outcome> send_many(const std::vector<http::Sending>& all) {
    return client.exchange(http::parse_url(server.endpoint()).endpoint, all,
                           {.deadline = std::chrono::steady_clock::now() + 20s});
  }
  static int status(const http::Outcome& outcome) {
    return outcome.response.ok() ? outcome.response->status : 0;
  }

  FaultServer server;
  http::Client client{{.in_flight_max = 256}, system_clock()};
};

TEST_F(FaultServerTest, ServesABucketThatIsThere) {
  EXPECT_EQ(status(send("PUT", "/checkpoints/k", "body")), 200);
  const http::Outcome got = send("GET", "/checkpoints/k");
  ASSERT_EQ(status(got), 200);
  EXPECT_EQ(got.response->body.text(), "body");
  const http::Outcome again = send("GET", "/checkpoints/k");
  EXPECT_NE(*http::find_header(got.response->headers, "x-amz-request-id"),
            *http::find_header(again.response->headers, "x-amz-request-id"));
  EXPECT_EQ(status(send("GET", "/checkpoints/%zz")), 400);
  EXPECT_EQ(status(send("HEAD", "/checkpoints/none")), 404);
  EXPECT_EQ(server.uri(), "s3://checkpoints?endpoint=" + server.endpoint() + "&region=us-east-1");
  EXPECT_EQ(server.uri("a/b").substr(0, 21), "s3://checkpoints/a/b?");
}

TEST_F(FaultServerTest, DeliversWhatThePlanSays) {
  send("PUT", "/checkpoints/k", "0123456789");
  server.plan().on("GET", "k").nth(1).cut_answer();
  server.plan().on("GET", "k").nth(1).reset_answer();
  server.plan().on("PUT", "lost").lose_request();
  server.plan().on("PUT", "done").lose_answer();
  for (const char* const what : {"cut", "reset"}) {
    EXPECT_EQ(status(send("GET", "/checkpoints/k")), 0) << what;
  }
  EXPECT_EQ(status(send("GET", "/checkpoints/k")), 200);
  EXPECT_EQ(status(send("PUT", "/checkpoints/lost", "x")), 0);
  EXPECT_EQ(status(send("PUT", "/checkpoints/done", "x")), 0);
  EXPECT_EQ(status(send("GET", "/checkpoints/lost")), 404);
  EXPECT_EQ(status(send("GET", "/checkpoints/done")), 200);
}

TEST_F(FaultServerTest, DelaysManyAnswersAtOnce) {
  server.set_delay(200ms);
  const std::vector<http::Sending> all(256, make("PUT", "/checkpoints/k", "x"));
  const auto begun = std::chrono::steady_clock::now();
  for (const http::Outcome& each : send_many(all)) {
    EXPECT_EQ(status(each), 200);
    EXPECT_GE(each.took, 200ms);
  }
  // One after the other they would take 51 s.
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 10s);
  server.set_delay(0ms);
  EXPECT_EQ(status(send("GET", "/checkpoints/k")), 200);
}

TEST_F(FaultServerTest, HasOneWinnerOfEachRace) {
  for (int round = 0; round < 20; ++round) {
    std::vector<http::Sending> all(32,
                                   make("PUT", "/checkpoints/race" + std::to_string(round), "x"));
    for (http::Sending& each : all) each.request.headers = {{"If-None-Match", "*"}};
    std::map<int, int> statuses;
    for (const http::Outcome& each : send_many(all)) ++statuses[status(each)];
    EXPECT_THAT(statuses, testing::ElementsAre(testing::Pair(200, 1), testing::Pair(412, 31)));
  }
}

TEST_F(FaultServerTest, StopsThoughAGateIsClosed) {
  const auto gate = server.plan().on("PUT").hold();
  auto held = std::async(std::launch::async, [&] { return send("PUT", "/checkpoints/k", "x"); });
  gate->wait_until_reached();
  const auto begun = std::chrono::steady_clock::now();
  server.stop();
  server.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 20s) << "a gate waits for a minute";
  (void)held.get();
}

}  // namespace
}  // namespace stepstore::fault
