// What goes wrong on the way ends in the right error in time, and says whether the server may have
// acted. A connection that had served before and breaks is replaced once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>

#include "http/http_fixture.h"

namespace stepstore::http {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const std::string& eight_megabytes() {
  static const std::string bytes(8'000'000, 'x');
  return bytes;
}

TEST(ClientFaults, ARefusedConnectionIsUnavailable) {
  Client client({}, system_clock());
  const Endpoint nobody{.tls = false, .host = "127.0.0.1", .port = unused_port()};
  const Outcome outcome = one(client, nobody, put("/", "x"));
  ASSERT_TRUE(outcome.response.is(ErrorCode::Unavailable)) << told(outcome);
  EXPECT_TRUE(outcome.response.error().retryable());
  EXPECT_FALSE(outcome.response.error().advice().empty());
  EXPECT_FALSE(outcome.maybe_applied);
}

TEST(ClientFaults, AnUnknownHostIsUnavailableAndNamed) {
  Client client({}, system_clock());
  const Endpoint unknown{.tls = false, .host = "no-such-host.invalid", .port = 80};
  const Outcome outcome = one(client, unknown, put("/", "x"), within(20s));
  ASSERT_TRUE(outcome.response.is(ErrorCode::Unavailable)) << told(outcome);
  EXPECT_THAT(told(outcome), HasSubstr("no-such-host.invalid"));
  EXPECT_FALSE(outcome.maybe_applied);
}

TEST(ClientFaults, OneRequestsFailureIsItsOwn) {
  ScriptedServer server([](Peer& peer, int) {
    while (const auto request = peer.read_request()) {
      if (request->head.starts_with("GET /bad ")) return peer.reset();
      peer.send(answer("fine"));
    }
  });
  Client client({}, system_clock());
  const std::array<Sending, 3> requests = {get("/1"), get("/bad"), get("/3")};
  const auto outcomes = client.exchange(server.endpoint(), requests, within(20s));
  EXPECT_TRUE(outcomes[0].response.ok()) << told(outcomes[0]);
  EXPECT_FALSE(outcomes[1].response.ok());
  EXPECT_TRUE(outcomes[2].response.ok()) << told(outcomes[2]);
}

TEST(ClientFaults, AResetOfAFreshConnectionIsNotTriedAgain) {
  ScriptedServer server([](Peer& peer, int) {
    peer.read_request();
    peer.reset();
  });
  Client client({}, system_clock());
  const Outcome outcome = one(client, server.endpoint(), put("/", "x"), within(20s));
  ASSERT_FALSE(outcome.response.ok());
  EXPECT_TRUE(outcome.response.error().retryable()) << told(outcome);
  EXPECT_TRUE(outcome.maybe_applied);
  EXPECT_EQ(outcome.sends, 1);
  EXPECT_EQ(server.connections(), 1);
}

class ReusedConnection : public testing::TestWithParam<bool> {};  // reset, else closed

// [G24] The server takes the second request of the first connection and says nothing.
TEST_P(ReusedConnection, IsReplacedOnceWhenItBreaksBeforeTheAnswer) {
  const bool reset = GetParam();
  ScriptedServer server([reset](Peer& peer, int connection) {
    peer.read_request();
    peer.send(answer("connection " + std::to_string(connection)));
    if (!peer.read_request()) return;
    if (reset) peer.reset();
  });
  Client client({}, system_clock());
  ASSERT_TRUE(one(client, server.endpoint(), get()).response.ok());
  const Outcome outcome = one(client, server.endpoint(), put("/", "body"), within(20s));
  ASSERT_TRUE(outcome.response.ok()) << told(outcome);
  EXPECT_EQ(outcome.response->body.text(), "connection 1");
  EXPECT_EQ(outcome.sends, 2);
  EXPECT_TRUE(outcome.maybe_applied);  // the first send had arrived
  EXPECT_FALSE(outcome.reused);        // the last one went over a fresh connection
}

INSTANTIATE_TEST_SUITE_P(, ReusedConnection, testing::Bool(),
                         [](const auto& each) { return each.param ? "Reset" : "Closed"; });

TEST(ClientFaults, TheReplacementOfAConnectionIsNotReplacedAgain) {
  ScriptedServer server([](Peer& peer, int connection) {
    peer.read_request();
    if (connection > 0) return peer.reset();
    peer.send(answer("x"));
    peer.read_request();
    peer.reset();
  });
  Client client({}, system_clock());
  ASSERT_TRUE(one(client, server.endpoint(), get()).response.ok());
  const Outcome outcome = one(client, server.endpoint(), put("/", "body"), within(20s));
  EXPECT_FALSE(outcome.response.ok());
  EXPECT_EQ(outcome.sends, 2);
  EXPECT_TRUE(outcome.maybe_applied);
  EXPECT_EQ(server.connections(), 2);
}

TEST(ClientFaults, ABreakWithinTheAnswerIsNotTriedAgain) {
  ScriptedServer server([](Peer& peer, int) {
    peer.read_request();
    peer.send(answer("x"));
    peer.read_request();
    peer.send("HTTP/1.1 200 O");
  });
  Client client({}, system_clock());
  ASSERT_TRUE(one(client, server.endpoint(), get()).response.ok());
  const Outcome outcome = one(client, server.endpoint(), put("/", "body"), within(20s));
  EXPECT_FALSE(outcome.response.ok());
  EXPECT_EQ(outcome.sends, 1);
  EXPECT_TRUE(outcome.maybe_applied);
}

class BrokenAnswer : public testing::TestWithParam<const char*> {};

// [G39]
TEST_P(BrokenAnswer, IsAnErrorThatTheCallerMayRetry) {
  ScriptedServer server([](Peer& peer, int) {
    peer.read_request();
    peer.send(GetParam());
  });
  Client client({}, system_clock());
  const Outcome outcome = one(client, server.endpoint(), put("/", "x"), within(20s));
  ASSERT_FALSE(outcome.response.ok()) << "status " << outcome.response->status << ", body '"
                                      << outcome.response->body.text() << "'";
  EXPECT_TRUE(outcome.response.is(ErrorCode::Io) || outcome.response.is(ErrorCode::Unavailable))
      << told(outcome);
  EXPECT_TRUE(outcome.response.error().retryable());
  EXPECT_TRUE(outcome.maybe_applied);
}

INSTANTIATE_TEST_SUITE_P(
    , BrokenAnswer,
    testing::Values("",                                                        // nothing
                    "HTTP/1.1 200 OK\r\nContent-Le",                           // half a head
                    "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",           // no body
                    "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123456789",  // a byte short
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n",
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
                    "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nx",
                    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy",
                    "HTTP/1.1 100 Continue\r\n\r\n",  // and then nothing
                    "SSH-2.0-OpenSSH_9.2p1\r\n\r\n"));

TEST(ClientFaults, AHeadWithoutEndIsRefused) {
  ScriptedServer server([](Peer& peer, int) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\n");
    const std::string line = "X-More: " + std::string(1'000, 'x') + "\r\n";
    for (int i = 0; i < 1'000; ++i) peer.send(line);
  });
  Client client({}, system_clock());
  const Outcome outcome = one(client, server.endpoint(), get(), within(20s));
  EXPECT_TRUE(outcome.response.is(ErrorCode::Io)) << told(outcome);
}

class TooLargeAnswer : public testing::TestWithParam<const char*> {};

TEST_P(TooLargeAnswer, IsRefusedWithTheLimit) {
  ScriptedServer server([](Peer& peer, int) {
    peer.read_request();
    peer.send(std::string("HTTP/1.1 200 OK\r\n") + GetParam());
    peer.client_closes();
  });
  Client client({}, system_clock());
  Sending request = get();
  request.response_bytes_max = 10;
  const Outcome outcome = one(client, server.endpoint(), request, within(20s));
  ASSERT_TRUE(outcome.response.is(ErrorCode::TooLarge)) << told(outcome);
  EXPECT_THAT(told(outcome), HasSubstr("10 bytes"));
}

INSTANTIATE_TEST_SUITE_P(, TooLargeAnswer,
                         testing::Values("Content-Length: 11\r\n\r\n12345678901",
                                         "Content-Length: 18446744073709551615\r\n\r\n",
                                         "Transfer-Encoding: chunked\r\n\r\nb\r\n12345678901\r\n",
                                         "\r\n12345678901"));

TEST(ClientFaults, ALengthThatNoMemoryHoldsIsAnError) {
  ScriptedServer server([](Peer& peer, int) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n");
    peer.client_closes();
  });
  Client client({}, system_clock());
  Sending request = get();
  request.response_bytes_max = ~std::uint64_t{0};
  const std::array<Sending, 1> requests = {request};
  const auto outcomes = client.exchange(server.endpoint(), requests, within(20s));
  EXPECT_TRUE(outcomes.at(0).response.is(ErrorCode::TooLarge)) << told(outcomes.at(0));
}

// The server refuses after it has read the head alone, as S3 servers do with 403 and 503.
enum class Refusal { stays_open, closes, resets };
class EarlyAnswer : public testing::TestWithParam<Refusal> {};

TEST_P(EarlyAnswer, IsReadWhileTheBodyIsStillGoingOut) {
  ScriptedServer server(
      [](Peer& peer, int) {
        peer.read_head();
        peer.send(answer("<Error/>", "503 Slow Down"));
        if (GetParam() == Refusal::stays_open) {
          // It never takes the rest: a client that wants to send it first would wait for ever.
          pollfd gone{peer.socket(), POLLRDHUP, 0};
          ::poll(&gone, 1, 20'000);
        } else if (GetParam() == Refusal::closes) {
          peer.close();
        }
        // Else: closing a socket with unread bytes sends RST.
      },
      4'096);
  Client client({}, system_clock());
  for (int i = 0; i < 2; ++i) {  // the second finds no half-used connection in the pool
    const Outcome outcome =
        one(client, server.endpoint(), put("/", eight_megabytes()), within(20s));
    ASSERT_TRUE(outcome.response.ok()) << told(outcome);
    EXPECT_EQ(outcome.response->status, 503);
    EXPECT_EQ(outcome.response->body.text(), "<Error/>");
    EXPECT_FALSE(outcome.reused);
  }
}

INSTANTIATE_TEST_SUITE_P(, EarlyAnswer,
                         testing::Values(Refusal::stays_open, Refusal::closes, Refusal::resets));

// [G34]
TEST(ClientFaults, AServerThatGoesWhileABodyIsSentIsAnErrorNotASignal) {
  ScriptedServer server([](Peer& peer, int) {
    peer.read_head();
    peer.reset();
  });
  Client client({}, system_clock());
  const Outcome outcome = one(client, server.endpoint(), put("/", eight_megabytes()), within(20s));
  ASSERT_FALSE(outcome.response.ok());
  EXPECT_TRUE(outcome.maybe_applied);
}

}  // namespace
}  // namespace stepstore::http
