// Every wait of an exchange ends in time: at the deadline, when another thread or the caller says
// so, and when the server is silent for too long.
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

TEST(ClientLimits, AServerThatSaysNothingIsGivenUp) {
  std::promise<void> came;
  ScriptedServer server(silent(came));
  Client client({.silence_timeout = 100ms}, system_clock());
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

TEST(ClientLimits, ASlowServerIsNotASilentOne) {
  // It takes longer than the silence that is borne, but never pauses for so long.
  ScriptedServer server([](Peer& peer, int) { drip(peer, 150, 10); });
  Client client({.silence_timeout = 1'000ms}, system_clock());
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

TEST(ClientLimits, ASilentAddressIsGivenUpAfterTheConnectTimeout) {
  // A listener whose queue is full drops further connections, as a firewall does.
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(::bind(listener, generic, size), 0);
  ASSERT_EQ(::listen(listener, 0), 0);
  ASSERT_EQ(::getsockname(listener, generic, &size), 0);
  std::array<int, 3> fillers{};
  for (int& filler : fillers) {
    filler = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    [[maybe_unused]] const int begun = ::connect(filler, generic, size);
  }
  Client client({.connect_timeout = 100ms}, system_clock());
  const Endpoint full{.tls = false, .host = "127.0.0.1", .port = ntohs(address.sin_port)};
  const Outcome outcome = one(client, full, put("/", "x"), within(20s));
  ASSERT_FALSE(outcome.response.ok());
  EXPECT_TRUE(outcome.response.error().retryable()) << told(outcome);
  EXPECT_FALSE(outcome.maybe_applied);
  EXPECT_LT(outcome.took, 5s);

  const Outcome late = one(client, full, put("/", "x"), within(30ms));
  EXPECT_TRUE(late.response.is(ErrorCode::Timeout)) << told(late);
  EXPECT_FALSE(late.maybe_applied);
  for (const int filler : fillers) ::close(filler);
  ::close(listener);
}

}  // namespace
}  // namespace stepstore::http
