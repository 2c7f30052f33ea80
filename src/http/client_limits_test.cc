// Every wait of an exchange ends in time: at the deadline, when another thread or the caller says
// so, and when the server is silent for too long.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <future>

#include "http/http_fixture.h"

namespace stepstore::http {
namespace {

using namespace std::chrono_literals;

// The server takes the request and says nothing.
ScriptedServer::Script silent(std::promise<void>& came) {
  return [&came](Peer& peer, int) {
    peer.read_request();
    came.set_value();
    peer.client_closes();
  };
}

TEST(ClientLimits, TheDeadlineEndsAWait) {
  std::promise<void> came;
  ScriptedServer server(silent(came));
  Client client({}, system_clock());
  const auto begin = std::chrono::steady_clock::now();
  const Outcome outcome = one(client, server.endpoint(), put("/", "x"), within(200ms));
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_TRUE(outcome.response.is(ErrorCode::Timeout)) << told(outcome);
  EXPECT_TRUE(outcome.maybe_applied);
  EXPECT_GE(took, 200ms);
  EXPECT_LT(took, 5s);
}

TEST(ClientLimits, ACallThatIsOverSendsNothing) {
  ScriptedServer server(always("x"));
  Client client({}, system_clock());
  const Outcome late = one(client, server.endpoint(), put("/", "x"), within(-1ms));
  EXPECT_TRUE(late.response.is(ErrorCode::Timeout)) << told(late);
  EXPECT_FALSE(late.maybe_applied);
  std::stop_source stop;
  stop.request_stop();
  const Outcome stopped = one(client, server.endpoint(), put("/", "x"), {.stop = stop.get_token()});
  EXPECT_TRUE(stopped.response.is(ErrorCode::Cancelled)) << told(stopped);
  EXPECT_FALSE(stopped.maybe_applied);
}

TEST(ClientLimits, AnotherThreadCanStopAWait) {
  std::promise<void> came;
  ScriptedServer server(silent(came));
  Client client({}, system_clock());
  std::stop_source stop;
  const std::jthread stopper([&] {
    came.get_future().wait_for(20s);
    stop.request_stop();
  });
  const auto begin = std::chrono::steady_clock::now();
  const Outcome outcome = one(client, server.endpoint(), put("/", "x"),
                              {.deadline = begin + 20s, .stop = stop.get_token()});
  EXPECT_TRUE(outcome.response.is(ErrorCode::Cancelled)) << told(outcome);
  EXPECT_TRUE(outcome.maybe_applied);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
}

TEST(ClientLimits, TheCallerIsAskedOnItsOwnThreadWhetherToGoOn) {
  std::promise<void> came;
  ScriptedServer server(silent(came));
  Client client({}, system_clock());
  auto arrived = came.get_future();
  const std::thread::id caller = std::this_thread::get_id();
  CallLimits limits = within(20s);
  limits.interrupted = [&] {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    return arrived.wait_for(0s) == std::future_status::ready;
  };
  const Outcome outcome = one(client, server.endpoint(), put("/", "x"), limits);
  EXPECT_TRUE(outcome.response.is(ErrorCode::Cancelled)) << told(outcome);
  EXPECT_LT(outcome.took, 5s);
}

// [G33]
TEST(ClientLimits, AServerThatSaysNothingIsGivenUp) {
  std::promise<void> came;
  ScriptedServer server(silent(came));
  Client client({.first_byte_timeout = 100ms}, system_clock());
  const Outcome outcome = one(client, server.endpoint(), put("/", "x"), within(20s));
  EXPECT_TRUE(outcome.response.is(ErrorCode::Timeout)) << told(outcome);
  EXPECT_TRUE(outcome.maybe_applied);
  EXPECT_LT(outcome.took, 5s);
}

// Sends a long answer a few bytes at a time, until the client goes.
void drip(Peer& peer, int count, int pause_ms) {
  peer.read_request();
  peer.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(count) + "\r\n\r\n");
  for (int i = 0; i < count; ++i) {
    pollfd gone{peer.socket(), POLLRDHUP, 0};
    if (::poll(&gone, 1, pause_ms) != 0) return;
    peer.send("x");
  }
  peer.client_closes();
}

// [G33]
TEST(ClientLimits, ASlowServerIsNotASilentOne) {
  // It takes longer than the silence that is borne, but never pauses for so long.
  ScriptedServer server([](Peer& peer, int) { drip(peer, 150, 10); });
  Client client({.first_byte_timeout = 1'000ms, .stall_timeout = 1'000ms}, system_clock());
  const Outcome outcome = one(client, server.endpoint(), get(), within(20s));
  ASSERT_TRUE(outcome.response.ok()) << told(outcome);
  EXPECT_EQ(outcome.response->body.size(), 150U);
  EXPECT_GT(outcome.took, 1'000ms);
}

TEST(ClientLimits, ASlowServerDoesNotMoveTheDeadline) {
  ScriptedServer server([](Peer& peer, int) { drip(peer, 10'000, 5); });
  Client client({}, system_clock());
  const Outcome outcome = one(client, server.endpoint(), get(), within(300ms));
  EXPECT_TRUE(outcome.response.is(ErrorCode::Timeout)) << told(outcome);
  EXPECT_LT(outcome.took, 5s);
}

// A listener whose queue is full drops further connections, as a firewall does.
class Silent {
 public:
  // The port: 0 for a free one.
  explicit Silent(const char* host = "127.0.0.1", std::uint16_t port = 0) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    ::inet_pton(AF_INET, host, &address.sin_addr);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener_, generic, size), 0);
    EXPECT_EQ(::listen(listener_, 0), 0);
    EXPECT_EQ(::getsockname(listener_, generic, &size), 0);
    for (int& filler : fillers_) {
      filler = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      [[maybe_unused]] const int begun = ::connect(filler, generic, size);
    }
    port_ = ntohs(address.sin_port);
  }
  ~Silent() {
    for (const int filler : fillers_) ::close(filler);
    ::close(listener_);
  }
  Silent(const Silent&) = delete;
  Silent& operator=(const Silent&) = delete;
  std::uint16_t port() const { return port_; }

 private:
  int listener_;
  std::array<int, 3> fillers_{};
  std::uint16_t port_ = 0;
};

// [G33]
TEST(ClientLimits, ASilentAddressIsGivenUpAfterTheConnectTimeout) {
  const Silent silent;
  Client client({.connect_timeout = 100ms}, system_clock());
  const Endpoint full{.tls = false, .host = "127.0.0.1", .port = silent.port()};
  const Outcome outcome = one(client, full, put("/", "x"), within(20s));
  ASSERT_FALSE(outcome.response.ok());
  EXPECT_TRUE(outcome.response.error().retryable()) << told(outcome);
  EXPECT_FALSE(outcome.maybe_applied);
  EXPECT_LT(outcome.took, 5s);

  const Outcome late = one(client, full, put("/", "x"), within(30ms));
  EXPECT_TRUE(late.response.is(ErrorCode::Timeout)) << told(late);
  EXPECT_FALSE(late.maybe_applied);
}

ClientOptions named(std::vector<std::string> addresses) {
  return {.connect_timeout = 5s,
          .next_address_after = 50ms,
          .addresses = {{"name", std::move(addresses)}}};
}

// [G37] A dead IPv6, or the one dead server of several, does not use up the time for connecting.
TEST(ClientAddresses, ASilentOneIsOvertakenByTheNext) {
  ScriptedServer server(always("x"));
  const std::uint16_t port = server.endpoint().port;
  const Silent silent("127.0.0.2", port);
  Client client(named({"127.0.0.2", "127.0.0.1"}), system_clock());
  const Endpoint endpoint{.tls = false, .host = "name", .port = port};
  const Outcome outcome = one(client, endpoint, get(), within(20s));
  ASSERT_TRUE(outcome.response.ok()) << told(outcome);
  EXPECT_GE(outcome.connect, 50ms);
  EXPECT_LT(outcome.took, 4s);
  EXPECT_EQ(outcome.peer, "127.0.0.1:" + std::to_string(port));
}

TEST(ClientAddresses, ARefusalPassesToTheNextAtOnce) {
  ScriptedServer server(always("x"));
  const std::uint16_t port = server.endpoint().port;
  ClientOptions options = named({"127.0.0.3", "127.0.0.1"});
  options.next_address_after = 20s;
  Client client(options, system_clock());
  const Outcome outcome =
      one(client, {.tls = false, .host = "name", .port = port}, get(), within(10s));
  ASSERT_TRUE(outcome.response.ok()) << told(outcome);
  EXPECT_EQ(outcome.sends, 1);
}

// [G37] A server that takes the connection and dies with it is not the one that the retry asks.
TEST(ClientAddresses, TheNextTryGoesToAnotherOne) {
  ScriptedServer server([](Peer& peer, int connection) {
    if (connection > 0) always("x")(peer, connection);
  });
  const std::uint16_t port = server.endpoint().port;
  ClientOptions options = named({"127.0.0.1", "127.0.0.4"});
  Client client(options, system_clock());
  const Endpoint endpoint{.tls = false, .host = "name", .port = port};
  const Outcome first = one(client, endpoint, get(), within(10s));
  ASSERT_TRUE(first.response.is(ErrorCode::Unavailable)) << told(first);
  EXPECT_EQ(first.peer, "127.0.0.1:" + std::to_string(port));
  const Silent silent("127.0.0.4", port);
  const Outcome second = one(client, endpoint, get(), within(10s));
  ASSERT_TRUE(second.response.ok()) << told(second);
  EXPECT_GE(second.connect, 50ms) << "the other address was asked first";
}

// [G33]
TEST(ClientLimits, TheTotalTimeEndsARequestThatDrips) {
  ScriptedServer server([](Peer& peer, int) { drip(peer, 10'000, 5); });
  Client client({.total_timeout = 200ms}, system_clock());
  const Outcome outcome = one(client, server.endpoint(), get(), within(20s));
  EXPECT_TRUE(outcome.response.is(ErrorCode::Timeout)) << told(outcome);
  EXPECT_LT(outcome.took, 5s);
  EXPECT_NE(outcome.partial, nullptr) << "what came is kept for whoever goes on from there";
}

TEST(ClientLimits, TellsTimesAndBytes) {
  ScriptedServer server(always("hello"));
  Client client({}, system_clock());
  const Outcome first = one(client, server.endpoint(), put("/", "body"));
  ASSERT_TRUE(first.response.ok()) << told(first);
  EXPECT_GT(first.connect.count(), 0);
  EXPECT_GE(first.first_byte, first.connect);
  EXPECT_GE(first.took, first.first_byte);
  EXPECT_GT(first.bytes_sent, 4U);
  EXPECT_GT(first.bytes_received, 5U);
  const Outcome second = one(client, server.endpoint(), get());
  ASSERT_TRUE(second.response.ok());
  EXPECT_TRUE(second.reused);
  EXPECT_EQ(second.connect.count(), 0);
}

}  // namespace
}  // namespace stepstore::http
