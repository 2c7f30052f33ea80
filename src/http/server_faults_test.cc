// A server breaks answers and requests at the byte that it is told: it cuts, resets, stalls and
// drips, keeps a connection alive with blanks, and answers before it has read the request.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <string>

#include "http/http_fixture.h"
#include "http/server.h"

namespace stepstore::http {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

// A client that looks at every byte.
class RawClient {
 public:
  explicit RawClient(const Server& server) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    (void)::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(server.port());
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { ::close(socket_); }

  RawClient& send(std::string_view text) {
    EXPECT_EQ(::send(socket_, text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
    return *this;
  }
  // All that comes until the connection ends; then "(end)", "(reset)" or, after 20 s, "(silence)".
  std::string all() {
    std::string text;
    while (true) {
      char bytes[4096];
      const ssize_t got = ::recv(socket_, bytes, sizeof bytes, 0);
      if (got > 0) {
        text.append(bytes, static_cast<std::size_t>(got));
        continue;
      }
      if (got == 0) return text + "(end)";
      return text + (errno == ECONNRESET ? "(reset)" : "(silence)");
    }
  }
  // Exactly so many bytes.
  std::string some(std::size_t bytes) {
    std::string text(bytes, '?');
    EXPECT_EQ(::recv(socket_, text.data(), bytes, MSG_WAITALL), static_cast<ssize_t>(bytes));
    return text;
  }

 private:
  int socket_;
};

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr std::string_view kBody = "0123456789";
const std::string kHead = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";

Reply ten_bytes(Delivery delivery = Delivery::send) {
  return {.response = {.status = 200, .body = Bytes::copy(kBody)}, .delivery = delivery};
}

Server serving(Reply reply) {
  return Server({}, [reply = std::move(reply)](const Received&) { return reply; });
}

TEST(ServerFaults, EndAnAnswerAtTheByteThatIsNamed) {
  struct Case {
    AnswerByte byte;
    std::string sent;
  };
  for (const Case& each :
       {Case{{.number = 0, .in_head = true}, ""},
        Case{{.number = 12, .in_head = true}, kHead.substr(0, 12)}, Case{{.number = 0}, kHead},
        Case{{.number = 3}, kHead + "012"}, Case{{.number = 10}, kHead + "0123456789"}}) {
    for (const Delivery delivery : {Delivery::drop, Delivery::reset}) {
      Reply reply = ten_bytes(delivery);
      reply.until = each.byte;
      const Server server = serving(reply);
      const std::string got = RawClient(server).send(kGet).all();
      // A reset may overtake the bytes before it.
      if (delivery == Delivery::drop) {
        EXPECT_EQ(got, each.sent + "(end)");
      } else {
        EXPECT_THAT(got, testing::EndsWith("(reset)"));
        EXPECT_THAT(each.sent, StartsWith(got.substr(0, got.size() - 7)));
      }
    }
  }
}

TEST(ServerFaults, StallAfterTheByteThatIsNamed) {
  Reply reply = ten_bytes(Delivery::stall);
  reply.until = AnswerByte{.number = 4};
  const Server server = serving(reply);
  {
    RawClient client(server);
    EXPECT_EQ(client.send(kGet).some(kHead.size() + 4), kHead + "0123");
    EXPECT_EQ(server.connections(), 1U);
  }
  EXPECT_TRUE(server.wait_until_idle(20s)) << "a stalled connection outlives its client";
  EXPECT_EQ(server.connections(), 0U);

  reply.stall_max = 50ms;
  const Server brief = serving(reply);
  EXPECT_EQ(RawClient(brief).send(kGet).all(), kHead + "0123(end)");
}

TEST(ServerFaults, DripAnAnswer) {
  Reply reply = ten_bytes();
  reply.close = true;
  reply.drip_bytes = 5;
  reply.drip_every = 2ms;
  const Server server = serving(reply);
  const auto begun = std::chrono::steady_clock::now();
  const std::string got = RawClient(server).send(kGet).all();
  EXPECT_THAT(got, testing::EndsWith("\r\n\r\n0123456789(end)"));
  const auto pieces = static_cast<std::int64_t>((got.size() - 5) / 5);
  EXPECT_GE(std::chrono::steady_clock::now() - begun, pieces * 2ms);
}

TEST(ServerFaults, KeepAConnectionAliveWithBlanks) {
  struct Case {
    Framing framing;
    std::string head, body;
  };
  for (const Case& each : {Case{Framing::sized, "Content-Length: 13\r\n", "   0123456789"},
                           Case{Framing::chunked, "Transfer-Encoding: chunked\r\n",
                                "1\r\n \r\n1\r\n \r\n1\r\n \r\na\r\n0123456789\r\n0\r\n\r\n"},
                           Case{Framing::until_closed, "", "   0123456789"}}) {
    Reply reply = ten_bytes();
    reply.framing = each.framing;
    reply.spaces = 3;
    reply.space_every = 5ms;
    reply.close = true;
    const Server server = serving(reply);
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(
        RawClient(server).send(kGet).all(),
        "HTTP/1.1 200 OK\r\n" + each.head + "Connection: close\r\n\r\n" + each.body + "(end)");
    EXPECT_GE(std::chrono::steady_clock::now() - begun, 15ms);
    Client client({}, system_clock());
    const Outcome outcome =
        one(client, {.tls = false, .host = "127.0.0.1", .port = server.port()}, get(), within(20s));
    ASSERT_TRUE(outcome.response.ok()) << told(outcome);
    EXPECT_EQ(outcome.response->body.text(), "   0123456789");
  }
}

TEST(ServerFaults, ChunksServeAgain) {
  Reply reply = ten_bytes();
  reply.framing = Framing::chunked;
  const Server server = serving(reply);
  Client client({}, system_clock());
  const Endpoint endpoint{.tls = false, .host = "127.0.0.1", .port = server.port()};
  for (const bool reused : {false, true}) {
    const Outcome outcome = one(client, endpoint, get(), within(20s));
    ASSERT_TRUE(outcome.response.ok()) << told(outcome);
    EXPECT_EQ(outcome.response->body.text(), kBody);
    EXPECT_EQ(outcome.reused, reused);
  }
}

// A server that decides by the head alone, and counts the requests that came whole.
class EarlyServer {
 public:
  explicit EarlyServer(const Early& early)
      : server(
            {},
            [this](const Received&) {
              ++whole;
              return ten_bytes();
            },
            [early](const Received& head) -> std::optional<Early> {
              EXPECT_TRUE(head.body.empty());
              EXPECT_THAT(head.peer, StartsWith("127.0.0.1:"));
              if (head.method != "PUT" || head.target != "/early") return std::nullopt;
              return early;
            }) {}

  std::atomic<int> whole = 0;
  Server server;
};

std::string put_head(std::size_t bytes) {
  return "PUT /early HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n";
}

TEST(ServerFaults, LeaveOtherRequestsAlone) {
  EarlyServer early({.reply = {.delivery = Delivery::drop}});
  EXPECT_EQ(RawClient(early.server).send(kGet).some(kHead.size()), kHead);
  EXPECT_EQ(early.whole, 1);
}

TEST(ServerFaults, AnswerBeforeTheRequestHasCome) {
  EarlyServer early({.body_bytes = 3, .reply = ten_bytes()});
  // The rest of the body never comes.
  EXPECT_EQ(RawClient(early.server).send(put_head(1'000) + "123").all(),
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\n0123456789(end)");
  // One whose body is shorter has come whole, and still does not go to the handler.
  EXPECT_THAT(RawClient(early.server).send(put_head(2) + "12").all(), HasSubstr("0123456789(end)"));
  EXPECT_EQ(early.whole, 0);
}

TEST(ServerFaults, AnswerWhileMegabytesAreStillOnTheirWay) {
  EarlyServer early({.body_bytes = 1'000, .reply = ten_bytes()});
  const std::string body(32 << 20, 'x');
  Client client({}, system_clock());
  const Endpoint endpoint{.tls = false, .host = "127.0.0.1", .port = early.server.port()};
  const Outcome outcome = one(client, endpoint, put("/early", body), within(20s));
  ASSERT_TRUE(outcome.response.ok()) << told(outcome);
  EXPECT_EQ(outcome.response->body.text(), kBody);
  EXPECT_LT(outcome.bytes_sent, body.size()) << "the answer was not noticed before all was sent";
  EXPECT_TRUE(early.server.wait_until_idle(20s));
}

TEST(ServerFaults, EndTheConnectionInTheMiddleOfARequest) {
  for (const auto& [delivery, end] :
       {std::pair(Delivery::drop, "(end)"), std::pair(Delivery::reset, "(reset)")}) {
    EarlyServer early({.body_bytes = 3, .reply = {.delivery = delivery}});
    EXPECT_EQ(RawClient(early.server).send(put_head(1'000) + "123").all(), end);
  }
  EarlyServer stalled({.body_bytes = 3, .reply = {.delivery = Delivery::stall, .stall_max = 50ms}});
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(RawClient(stalled.server).send(put_head(1'000) + "123").all(), "(end)");
  EXPECT_GE(std::chrono::steady_clock::now() - begun, 50ms);
}

TEST(ServerFaults, NeedNoBodyOfAClientThatWaits) {
  EarlyServer early({.body_bytes = 0, .reply = ten_bytes()});
  RawClient client(early.server);
  client.send(
      "PUT /early HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_THAT(client.all(), StartsWith("HTTP/1.1 200 OK")) << "and not 100";
}

TEST(ServerFaults, TellEveryReason) {
  for (const auto& [status, reason] :
       {std::pair(301, "Moved Permanently"), std::pair(307, "Temporary Redirect"),
        std::pair(407, "Proxy Authentication Required"), std::pair(429, "Too Many Requests"),
        std::pair(504, "Gateway Timeout"), std::pair(599, "Status")}) {
    const Server server = serving({.response = {.status = status}, .close = true});
    EXPECT_THAT(RawClient(server).send(kGet).all(),
                StartsWith("HTTP/1.1 " + std::to_string(status) + ' ' + reason + "\r\n"));
  }
}

}  // namespace
}  // namespace stepstore::http
