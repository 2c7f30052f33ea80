// The client puts requests on the wire and brings every kind of answer back; it keeps connections,
// gives them up in time, and sends the requests of one call side by side.
#include "http/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/socket.h>

#include <array>
#include <condition_variable>
#include <future>

#include "http/http_fixture.h"
#include "testing/fakes.h"

namespace stepstore::http {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

// Tells the test what the server has got, once it has.
class Seen {
 public:
  void add(std::string text) {
    const std::lock_guard lock(mutex_);
    texts_.push_back(std::move(text));
  }
  std::vector<std::string> texts() {
    const std::lock_guard lock(mutex_);
    return texts_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> texts_{};
};

// [G29] [G31] [G38] [G41]
TEST(Client, SendsTheRequestAndBringsTheAnswer) {
  Seen seen;
  ScriptedServer server([&](Peer& peer, int) {
    while (const auto request = peer.read_request()) {
      seen.add(request->head + request->body);
      peer.send("HTTP/1.1 203 Fine\r\nETag: \"x\"\r\nContent-Length: 5\r\n\r\nhello");
    }
  });
  Client client({}, system_clock());
  Sending request = put("/a%20b?c=d", "two");
  request.request.headers.emplace_back("X-Own", "value");
  request.request.body.emplace_back(" pieces");
  const Outcome outcome = one(client, server.endpoint(), request);

  ASSERT_TRUE(outcome.response.ok()) << told(outcome);
  EXPECT_EQ(outcome.response->status, 203);
  EXPECT_EQ(outcome.response->body.text(), "hello");
  const std::string* etag = find_header(outcome.response->headers, "etag");
  ASSERT_NE(etag, nullptr);
  EXPECT_EQ(*etag, "\"x\"");
  EXPECT_EQ(outcome.sends, 1);
  EXPECT_FALSE(outcome.reused);
  EXPECT_FALSE(outcome.maybe_applied);
  EXPECT_EQ(outcome.peer, "127.0.0.1:" + std::to_string(server.endpoint().port));
  EXPECT_EQ(seen.texts().at(0),
            "PUT /a%20b?c=d HTTP/1.1\r\nHost: test\r\nX-Own: value\r\nContent-Length: 10\r\n\r\n"
            "two pieces");
}

// [G30]
TEST(Client, SaysTheLengthOfAnEmptyBodyOnlyWhereOneIsExpected) {
  Seen seen;
  ScriptedServer server([&](Peer& peer, int) {
    while (const auto request = peer.read_request()) {
      seen.add(request->head);
      peer.send(answer(""));
    }
  });
  Client client({}, system_clock());
  for (const char* method : {"GET", "PUT", "POST", "DELETE"}) {
    Sending request = get();
    request.request.method = method;
    ASSERT_TRUE(one(client, server.endpoint(), request).response.ok());
  }
  const std::vector<std::string> heads = seen.texts();
  EXPECT_THAT(heads.at(0), Not(HasSubstr("Content-Length")));
  EXPECT_THAT(heads.at(1), HasSubstr("\r\nContent-Length: 0\r\n"));
  EXPECT_THAT(heads.at(2), HasSubstr("\r\nContent-Length: 0\r\n"));
  EXPECT_THAT(heads.at(3), Not(HasSubstr("Content-Length")));
}

TEST(Client, CarriesLargeBodiesBothWays) {
  std::string large(5'000'000, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 7 + i / 4'099);
  ScriptedServer server([](Peer& peer, int) {
    while (const auto request = peer.read_request()) peer.send(answer(request->body));
  });
  Client client({}, system_clock());
  const std::array<Sending, 3> requests = {put("/1", large), put("/2", "small"), put("/3", large)};
  const auto outcomes = client.exchange(server.endpoint(), requests, within(20s));
  for (const Outcome& outcome : outcomes) ASSERT_TRUE(outcome.response.ok()) << told(outcome);
  EXPECT_TRUE(outcomes.at(0).response->body.text() == large);
  EXPECT_EQ(outcomes.at(1).response->body.text(), "small");
  EXPECT_TRUE(outcomes.at(2).response->body.text() == large);
}

TEST(Client, AnswersNothingToNothing) {
  Client client({}, system_clock());
  EXPECT_TRUE(client.exchange({.tls = false, .host = "x", .port = 1}, {}, {}).empty());
}

// Counts how many requests the server holds at the same time.
class Gate {
 public:
  // Returns once `expected` requests wait here together; they then leave, as many as there were.
  void wait_for(int expected) {
    std::unique_lock lock(mutex_);
    most_ = std::max(most_, ++here_);
    changed_.notify_all();
    if (!changed_.wait_for(lock, 20s, [&] { return opened_ > 0 || here_ >= expected; })) return;
    if (opened_ == 0) opened_ = here_;
    changed_.notify_all();
    --here_;
    --opened_;
  }
  int most() {
    const std::lock_guard lock(mutex_);
    return most_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int here_ = 0, most_ = 0, opened_ = 0;
};

ScriptedServer::Script echo_target_at(Gate& gate, int together) {
  return [&gate, together](Peer& peer, int) {
    while (const auto request = peer.read_request()) {
      gate.wait_for(together);
      const std::size_t from = request->head.find(' ') + 1;
      peer.send(answer(request->head.substr(from, request->head.find(' ', from) - from)));
    }
  };
}

std::vector<Sending> numbered(int count) {
  std::vector<Sending> requests;
  for (int i = 0; i < count; ++i) requests.push_back(get("/" + std::to_string(i)));
  return requests;
}

void expect_numbered(const std::vector<Outcome>& outcomes, int count) {
  ASSERT_EQ(outcomes.size(), static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    const Outcome& outcome = outcomes[static_cast<std::size_t>(i)];
    ASSERT_TRUE(outcome.response.ok()) << told(outcome);
    EXPECT_EQ(outcome.response->body.text(), "/" + std::to_string(i));
  }
}

TEST(Client, SendsTheRequestsOfACallSideBySide) {
  Gate gate;
  ScriptedServer server(echo_target_at(gate, 40));  // answers none before all have come
  Client client({}, system_clock());
  expect_numbered(client.exchange(server.endpoint(), numbered(40), within(20s)), 40);
  EXPECT_EQ(gate.most(), 40);
}

TEST(Client, KeepsToItsLimitOfRequestsUnderWay) {
  Gate gate;
  ScriptedServer server(echo_target_at(gate, 4));
  Client client({.in_flight_max = 4}, system_clock());
  expect_numbered(client.exchange(server.endpoint(), numbered(20), within(20s)), 20);
  EXPECT_EQ(gate.most(), 4);
  EXPECT_EQ(server.connections(), 4);
}

TEST(Client, ASlowRequestDoesNotHoldUpTheOnesBehindIt) {
  // The first request is answered only when the last one has come, though the limit is 2.
  std::promise<void> last_came;
  ScriptedServer server([&, came = last_came.get_future().share()](Peer& peer, int) {
    while (const auto request = peer.read_request()) {
      if (request->head.starts_with("GET /0 ")) came.wait_for(20s);
      if (request->head.starts_with("GET /9 ")) last_came.set_value();
      peer.send(answer("done"));
    }
  });
  Client client({.in_flight_max = 2}, system_clock());
  for (const Outcome& outcome : client.exchange(server.endpoint(), numbered(10), within(20s)))
    EXPECT_TRUE(outcome.response.ok()) << told(outcome);
}

// [G24]
TEST(Client, KeepsAConnectionForTheNextCall) {
  ScriptedServer server(always("x"));
  SetClock clock;
  Client client({}, clock);
  EXPECT_FALSE(one(client, server.endpoint(), get()).reused);
  EXPECT_TRUE(one(client, server.endpoint(), get()).reused);
  EXPECT_EQ(server.connections(), 1);

  clock.advance(4'001ms);  // the server may be about to close it
  EXPECT_FALSE(one(client, server.endpoint(), get()).reused);
  EXPECT_EQ(server.connections(), 2);
}

TEST(Client, KeepsNoMoreIdleConnectionsThanItMay) {
  Gate gate;
  ScriptedServer server(echo_target_at(gate, 8));
  Client client({.idle_connections_max = 3}, system_clock());
  expect_numbered(client.exchange(server.endpoint(), numbered(8), within(20s)), 8);
  int reused = 0;
  for (const Outcome& outcome : client.exchange(server.endpoint(), numbered(8), within(20s)))
    reused += outcome.reused ? 1 : 0;
  EXPECT_EQ(reused, 3);
}

TEST(Client, ClosesConnectionsThatOnlyABurstNeeded) {
  std::promise<void> other_closed;
  ScriptedServer server([&](Peer& peer, int) {
    int served = 0;
    for (; peer.read_request(); ++served) peer.send(answer("x"));
    if (served == 1) other_closed.set_value();  // the one that only the burst used
  });
  SetClock clock;
  Client client({}, clock);
  for (const Outcome& outcome : client.exchange(server.endpoint(), numbered(2), {}))
    ASSERT_TRUE(outcome.response.ok()) << told(outcome);
  ASSERT_EQ(server.connections(), 2);
  for (int i = 0; i < 2; ++i) {  // the other one is used again and again
    clock.advance(3s);
    EXPECT_TRUE(one(client, server.endpoint(), get()).reused);
  }
  EXPECT_EQ(other_closed.get_future().wait_for(20s), std::future_status::ready);
}

TEST(Client, DoesNotMixConnectionsOfTwoServers) {
  ScriptedServer first(always("first")), second(always("second"));
  Client client({}, system_clock());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(one(client, first.endpoint(), get()).response->body.text(), "first");
    EXPECT_EQ(one(client, second.endpoint(), get()).response->body.text(), "second");
  }
  EXPECT_EQ(first.connections() + second.connections(), 2);
}

TEST(Client, GivesUpAnIdleConnectionThatTheServerHasClosed) {
  std::promise<void> closed;
  ScriptedServer server([&](Peer& peer, int connection) {
    peer.read_request();
    peer.send(answer("x"));
    if (connection > 0) return peer.close();
    ::shutdown(peer.socket(), SHUT_RDWR);
    closed.set_value();
  });
  Client client({}, system_clock());
  ASSERT_TRUE(one(client, server.endpoint(), get()).response.ok());
  closed.get_future().wait_for(20s);
  const Outcome again = one(client, server.endpoint(), get());
  EXPECT_TRUE(again.response.ok()) << told(again);
  EXPECT_FALSE(again.maybe_applied);  // nothing was sent into the closed one
  EXPECT_EQ(again.sends, 1);
}

TEST(Client, GivesUpAnIdleConnectionOnWhichTheServerTalks) {
  std::promise<void> talked;
  ScriptedServer server([&](Peer& peer, int connection) {
    peer.read_request();
    peer.send(answer("right"));
    if (connection == 0) {
      peer.send(answer("wrong", "200 Not asked for"));
      talked.set_value();
    }
    peer.client_closes();
  });
  Client client({}, system_clock());
  ASSERT_TRUE(one(client, server.endpoint(), get()).response.ok());
  talked.get_future().wait_for(20s);
  const Outcome again = one(client, server.endpoint(), get());
  ASSERT_TRUE(again.response.ok()) << told(again);
  EXPECT_EQ(again.response->body.text(), "right");
  EXPECT_EQ(server.connections(), 2);
}

TEST(Client, DoesNotReuseAConnectionThatTheServerWillClose) {
  ScriptedServer server([](Peer& peer, int) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx");
    peer.client_closes();
  });
  Client client({}, system_clock());
  for (int i = 0; i < 2; ++i) {
    const Outcome outcome = one(client, server.endpoint(), get());
    EXPECT_TRUE(outcome.response.ok()) << told(outcome);
    EXPECT_EQ(outcome.sends, 1);
  }
  EXPECT_EQ(server.connections(), 2);
}

struct AnswerCase {
  const char* name;
  const char* method;
  const char* bytes;
  int status;
  const char* body;
};

class ClientAnswers : public testing::TestWithParam<AnswerCase> {};

// Twice over one connection: what is left of an answer would spoil the next.
TEST_P(ClientAnswers, EndWhereTheyShould) {
  const AnswerCase& expected = GetParam();
  ScriptedServer server([&](Peer& peer, int) {
    while (peer.read_request()) peer.send(expected.bytes);
  });
  Client client({}, system_clock());
  Sending request = get();
  request.request.method = expected.method;
  for (int i = 0; i < 2; ++i) {
    const Outcome outcome = one(client, server.endpoint(), request, within(20s));
    ASSERT_TRUE(outcome.response.ok()) << told(outcome);
    EXPECT_EQ(outcome.response->status, expected.status);
    EXPECT_EQ(outcome.response->body.text(), expected.body);
    EXPECT_EQ(outcome.sends, 1);
  }
  EXPECT_EQ(server.connections(), 1);
}

INSTANTIATE_TEST_SUITE_P(
    , ClientAnswers,
    testing::Values(
        AnswerCase{"Head", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", 200, ""},
        AnswerCase{"HeadNotFound", "HEAD", "HTTP/1.1 404 No\r\nContent-Length: 9\r\n\r\n", 404, ""},
        AnswerCase{"HeadChunked", "HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                   200, ""},
        AnswerCase{"NoContent", "DELETE", "HTTP/1.1 204 No Content\r\n\r\n", 204, ""},
        AnswerCase{"NotModified", "GET", "HTTP/1.1 304 Same\r\nContent-Length: 7\r\n\r\n", 304, ""},
        AnswerCase{"Empty", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, ""},
        AnswerCase{"Continued", "PUT",
                   "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                   200, "ok"},
        AnswerCase{"Chunked", "GET",
                   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "4;x=y\r\nab\r\n\r\n3\r\ncde\r\n0\r\nTrailer: t\r\n\r\n",
                   200, "ab\r\ncde"},
        AnswerCase{"NoReason", "GET", "HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\nx", 200, "x"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(Client, TakesABodyThatEndsWithTheConnection) {
  ScriptedServer server([](Peer& peer, int) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\n\r\nto the end");
  });
  Client client({}, system_clock());
  for (int i = 0; i < 2; ++i) {
    const Outcome outcome = one(client, server.endpoint(), get());
    ASSERT_TRUE(outcome.response.ok()) << told(outcome);
    EXPECT_EQ(outcome.response->body.text(), "to the end");
  }
}

// [G41] Whoever stored it packed wants it packed.
TEST(Client, LeavesAPackedBodyAsItIs) {
  const std::string packed("\x1f\x8b\x08\x00", 4);
  ScriptedServer server([&](Peer& peer, int) {
    while (peer.read_request()) {
      peer.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n" + packed);
    }
  });
  Client client({}, system_clock());
  const Outcome outcome = one(client, server.endpoint(), get());
  ASSERT_TRUE(outcome.response.ok()) << told(outcome);
  EXPECT_EQ(outcome.response->body.text(), packed);
}

TEST(Client, ServesManyThreads) {
  constexpr int kThreads = 256, kCalls = 4;
  ScriptedServer server([](Peer& peer, int) {
    while (const auto request = peer.read_request()) peer.send(answer(request->body));
  });
  Client client({}, system_clock());
  std::atomic<int> right = 0;
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int call = 0; call < kCalls; ++call) {
        const std::string mine = std::to_string(thread) + "/" + std::to_string(call);
        const std::string other = mine + "+";
        const std::array<Sending, 2> requests = {put("/", mine), put("/", other)};
        const auto outcomes = client.exchange(server.endpoint(), requests, within(60s));
        for (const Outcome& outcome : outcomes) EXPECT_TRUE(outcome.response.ok()) << told(outcome);
        if (outcomes[0].response.ok() && outcomes[0].response->body.text() == mine &&
            outcomes[1].response.ok() && outcomes[1].response->body.text() == other)
          ++right;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(right, kThreads * kCalls);
}

TEST(Endpoint, IsSpelledAsHostHeadersNeedIt) {
  const Endpoint plain{.tls = false, .host = "s3.example.com", .port = 80};
  EXPECT_EQ(plain.authority(), "s3.example.com");
  EXPECT_EQ(plain.text(), "http://s3.example.com");
  const Endpoint tls{.tls = true, .host = "::1", .port = 9000};
  EXPECT_EQ(tls.authority(), "[::1]:9000");
  EXPECT_EQ(tls.text(), "https://[::1]:9000");
}

TEST(Endpoint, KnowsTheMachineItself) {
  for (const char* host : {"127.0.0.1", "127.9.9.9", "::1", "localhost"})
    EXPECT_TRUE((Endpoint{.host = host}.loopback())) << host;
  for (const char* host : {"128.0.0.1", "::2", "localhost.example.com", "127.0.0.1.example.com"})
    EXPECT_FALSE((Endpoint{.host = host}.loopback())) << host;
}

}  // namespace
}  // namespace stepstore::http
