// The server hands requests to its handler, delivers answers in every way a test may ask for, keeps
// its limits, and stops whatever its connections do.
#include "http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <future>

#include "http/http_fixture.h"

namespace stepstore::http {
namespace {

using namespace std::chrono_literals;

Endpoint of(const Server& server) {
  return {.tls = false, .host = "127.0.0.1", .port = server.port()};
}

Reply text(std::string_view body, Delivery delivery = Delivery::send) {
  return {.response = {.status = 200, .body = Bytes::copy(body)}, .delivery = delivery};
}

TEST(Server, HandsOnTheWholeRequest) {
  std::vector<Received> seen;
  Server server({}, [&](const Received& request) {
    seen.push_back(request);
    Reply reply = text("body");
    reply.response.status = 412;
    reply.response.headers = {{"ETag", "\"1\""}};
    return reply;
  });
  Client client({}, system_clock());
  Sending request = put("/a?b=c", "sent");
  request.request.headers.emplace_back("X-Own", "v");
  for (const bool reused : {false, true}) {
    const Outcome outcome = one(client, of(server), request, within(20s));
    ASSERT_TRUE(outcome.response.ok()) << told(outcome);
    EXPECT_EQ(outcome.response->status, 412);
    EXPECT_EQ(outcome.response->body.text(), "body");
    EXPECT_EQ(*find_header(outcome.response->headers, "ETag"), "\"1\"");
    EXPECT_EQ(outcome.reused, reused);
  }
  server.stop();
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].method, "PUT");
  EXPECT_EQ(seen[0].target, "/a?b=c");
  EXPECT_EQ(*find_header(seen[0].headers, "x-own"), "v");
  EXPECT_EQ(seen[0].body.text(), "sent");
  EXPECT_THAT(seen[0].peer, testing::StartsWith("127.0.0.1:"));
}

TEST(Server, LeavesOutTheBodyOfAHead) {
  Server server({}, [](const Received& request) {
    Reply reply = text("body");
    if (request.target == "/sized") reply.response.headers = {{"Content-Length", "999"}};
    return reply;
  });
  Client client({}, system_clock());
  for (const char* target : {"/", "/sized", "/"}) {
    Sending request = get(target);
    request.request.method = "HEAD";
    const Outcome outcome = one(client, of(server), request, within(20s));
    ASSERT_TRUE(outcome.response.ok()) << told(outcome);
    EXPECT_TRUE(outcome.response->body.empty());
  }
  EXPECT_EQ(one(client, of(server), get(), within(20s)).response->body.text(), "body");
}

TEST(Server, AsksForTheBodyWhenTheClientWaitsForThat) {
  Server server({}, [](const Received& request) { return text(request.body.text()); });
  Client client({}, system_clock());
  Sending request = put("/", "body");
  request.request.headers.emplace_back("Expect", "100-continue");
  for (int i = 0; i < 2; ++i) {
    const Outcome outcome = one(client, of(server), request, within(20s));
    ASSERT_TRUE(outcome.response.ok()) << told(outcome);
    EXPECT_EQ(outcome.response->body.text(), "body");
  }
}

TEST(Server, DeliversAsItIsTold) {
  Server server({}, [](const Received& request) {
    if (request.target == "/drop") return text("x", Delivery::drop);
    if (request.target == "/reset") return text("x", Delivery::reset);
    if (request.target == "/truncate") return text("half of this", Delivery::truncate);
    if (request.target == "/stall") return text("x", Delivery::stall);
    Reply reply = text("last");
    reply.close = true;
    return reply;
  });
  Client client({}, system_clock());
  const auto outcome_of = [&](const char* target) {
    return one(client, of(server), get(target), within(500ms));
  };
  const Outcome drop = outcome_of("/drop");
  EXPECT_THAT(told(drop), testing::HasSubstr("closed the connection"));
  const Outcome reset = outcome_of("/reset");
  EXPECT_THAT(told(reset), testing::HasSubstr("reset"));
  const Outcome truncated = outcome_of("/truncate");
  EXPECT_TRUE(truncated.response.is(ErrorCode::Io)) << told(truncated);
  const Outcome stalled = outcome_of("/stall");
  EXPECT_TRUE(stalled.response.is(ErrorCode::Timeout)) << told(stalled);
  for (int i = 0; i < 2; ++i) {
    const Outcome closed = outcome_of("/close");
    ASSERT_TRUE(closed.response.ok()) << told(closed);
    EXPECT_EQ(closed.response->body.text(), "last");
    EXPECT_FALSE(closed.reused);
  }
}

TEST(Server, DelaysAnAnswer) {
  Server server({}, [](const Received&) {
    Reply reply = text("late");
    reply.delay = 50ms;
    return reply;
  });
  Client client({}, system_clock());
  const Outcome outcome = one(client, of(server), get(), within(20s));
  ASSERT_TRUE(outcome.response.ok()) << told(outcome);
  EXPECT_GE(outcome.took, 50ms);
}

TEST(Server, RefusesWhatIsTooLarge) {
  Server server({.body_bytes_max = 4}, [](const Received&) { return text("taken"); });
  Client client({}, system_clock());
  EXPECT_EQ(one(client, of(server), put("/", "1234"), within(20s)).response->status, 200);
  EXPECT_EQ(one(client, of(server), put("/", "12345"), within(20s)).response->status, 413);
}

TEST(Server, StopsThoughConnectionsStallOrIdle) {
  std::promise<void> stalled;
  auto server = std::make_unique<Server>(ServerOptions{}, [&](const Received& request) {
    if (request.target != "/stall") return text("idle from now on");
    stalled.set_value();
    return text("", Delivery::stall);
  });
  Client client({}, system_clock());
  const Endpoint endpoint = of(*server);
  ASSERT_TRUE(one(client, endpoint, get("/"), within(20s)).response.ok());
  Client other({}, system_clock());
  const std::jthread stopper([&] {
    stalled.get_future().wait_for(20s);
    server->stop();
    server->stop();  // once more does nothing
  });
  const Outcome outcome = one(other, endpoint, get("/stall"), within(20s));
  EXPECT_FALSE(outcome.response.ok());
  EXPECT_LT(outcome.took, 10s);
}

TEST(Server, SaysWhyItCannotListen) {
  const auto never = [](const Received&) { return Reply{}; };
  const Server first({}, never);
  EXPECT_THROW(Server({.port = first.port()}, never), Io);
  EXPECT_THROW(Server({.address = "nowhere"}, never), ConfigError);
  EXPECT_THROW(Server({.certificate_file = "/nowhere.pem", .key_file = "/nowhere.key"}, never),
               ConfigError);
}

}  // namespace
}  // namespace stepstore::http
