// Requests go through a proxy, to plain servers as they are and to others in a tunnel that only the
// two ends can read; what a proxy refuses or breaks is told as its doing, without its password.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/proxy_fixture.h"
#include "http/server.h"
#include "http/tls_fixture.h"

namespace stepstore::http {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

constexpr const char* kWho = "me:hush%20hush";
constexpr const char* kBasic = "Basic bWU6aHVzaCBodXNo";

class ProxyTest : public testing::Test {
 protected:
  explicit ProxyTest(bool by_tls)
      : tls(by_tls), server(server_options(), [this](const Received& request) {
          const std::lock_guard lock(mutex);
          received_.push_back(request);
          return Reply{.response = {.status = 200, .body = request.body}};
        }) {}

  ServerOptions server_options() {
    if (!tls) return {};
    const auto issued = authority.issue({"DNS:s3.test"});
    return {.certificate_file = issued.certificate_file, .key_file = issued.key_file};
  }
  Endpoint endpoint(const std::string& host = "s3.test") const {
    return {.tls = tls, .host = host, .port = server.port()};
  }
  std::vector<Received> received() {
    const std::lock_guard lock(mutex);
    return received_;
  }
  ClientOptions by(Proxies proxies) const {
    return {.ca_file = authority.ca_file(), .proxies = std::move(proxies)};
  }
  ClientOptions by(const TestProxy& proxy, const std::string& who = {}) const {
    return by(proxy.proxies(who));
  }
  // One proxy's word instead of a proxy; it says it to each request.
  Outcome told_by(const ScriptedServer& proxy, std::chrono::milliseconds connect_timeout = 20s) {
    const ProxyUrl url{.url = "http://" + std::string(kWho) +
                              "@127.0.0.1:" + std::to_string(proxy.endpoint().port),
                       .named_by = "the test"};
    ClientOptions options = by({url, url, ""});
    options.connect_timeout = connect_timeout;
    Client client(std::move(options), system_clock());
    return one(client, endpoint(), put("/a", "body"), within(20s));
  }
  void expect_error(const Outcome& outcome, ErrorCode code, const std::string& message) {
    ASSERT_TRUE(outcome.response.is(code)) << told(outcome);
    EXPECT_THAT(told(outcome),
                AllOf(HasSubstr(message), HasSubstr("the proxy http://127.0.0.1"),
                      HasSubstr("(the test)"), Not(HasSubstr("hush")), Not(HasSubstr("bWU6"))));
    EXPECT_FALSE(outcome.response.error().advice().empty());
    EXPECT_FALSE(outcome.maybe_applied);
    EXPECT_TRUE(outcome.by_proxy);
    EXPECT_TRUE(received().empty());
  }

  const bool tls;
  TestAuthority authority;
  std::mutex mutex;
  std::vector<Received> received_;
  Server server;
};

class ByTunnel : public ProxyTest {
 protected:
  ByTunnel() : ProxyTest(true) {}
};

// Whether the server speaks TLS.
class ByProxy : public ProxyTest, public testing::WithParamInterface<bool> {
 protected:
  ByProxy() : ProxyTest(GetParam()) {}
};
INSTANTIATE_TEST_SUITE_P(, ByProxy, testing::Bool(),
                         [](const auto& test) { return test.param ? "Tls" : "Plain"; });

TEST_P(ByProxy, RequestsReachTheServerAndItsConnectionsServeAgain) {
  const TestProxy proxy(kBasic);
  Client client(by(proxy, kWho), system_clock());
  for (int i = 0; i < 3; ++i) {
    const Outcome outcome = one(client, endpoint(), put("/a?b=c", "body"), within(20s));
    ASSERT_TRUE(outcome.response.ok()) << told(outcome);
    EXPECT_EQ(outcome.response->body.text(), "body");
    EXPECT_EQ(outcome.reused, i > 0);
    EXPECT_TRUE(outcome.by_proxy);
    EXPECT_EQ(outcome.peer, "127.0.0.1:" + std::to_string(proxy.port()));
  }
  EXPECT_EQ(proxy.connections(), 1);
  const std::string name = "s3.test:" + std::to_string(server.port());
  const std::string asks = tls ? "CONNECT " + name + " HTTP/1.1\r\nHost: " + name + "\r\n"
                               : "PUT http://" + name + "/a?b=c HTTP/1.1\r\n";
  EXPECT_THAT(proxy.heads(), AllOf(SizeIs(tls ? 1 : 3), Each(StartsWith(asks))));
  ASSERT_EQ(received().size(), 3U);
  EXPECT_EQ(received().front().target, "/a?b=c");
  EXPECT_EQ(*find_header(received().front().headers, "Host"), "test") << "as the request has it";
}

TEST_F(ByTunnel, TheServerDoesNotLearnThePassword) {
  const TestProxy proxy(kBasic);
  Client client(by(proxy, kWho), system_clock());
  ASSERT_TRUE(one(client, endpoint(), get(), within(20s)).response.ok());
  EXPECT_EQ(find_header(received().at(0).headers, "Proxy-Authorization"), nullptr);
}

TEST_P(ByProxy, ManyLargeBodiesGoSideBySide) {
  const TestProxy proxy;
  std::string large(3'000'000, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 7 + i / 2'003);
  Client client(by(proxy), system_clock());
  std::vector<Sending> requests;
  for (int i = 0; i < 6; ++i) requests.push_back(put("/", i % 2 == 0 ? BytesView(large) : "small"));
  for (int round = 0; round < 2; ++round) {
    const auto outcomes = client.exchange(endpoint(), requests, within(60s));
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      ASSERT_TRUE(outcomes[i].response.ok()) << told(outcomes[i]);
      EXPECT_TRUE(outcomes[i].response->body.view() == requests[i].request.body[0]) << i;
    }
  }
  EXPECT_EQ(proxy.connections(), 6);
}

// Whoever sits at the other end of the tunnel must have the certificate of the server's name.
TEST_F(ByTunnel, TheServerIsWhoItsCertificateNames) {
  const TestProxy proxy;
  Client client(by(proxy), system_clock());
  const Outcome outcome = one(client, endpoint("other.test"), put("/", "secret"), within(20s));
  expect_error(outcome, ErrorCode::ConfigError, "hostname mismatch");
}

TEST_P(ByProxy, NeitherThisMachineNorAnExceptionTakesTheWay) {
  const ProxyUrl nobody{.url = "http://127.0.0.1:" + std::to_string(unused_port()),
                        .named_by = "the test"};
  Client client(by({nobody, nobody, ""}), system_clock());
  Endpoint here = endpoint("127.0.0.1");
  here.tls = false;
  const Server plain({}, [](const Received&) { return Reply{.response = {.status = 200}}; });
  here.port = plain.port();
  const Outcome direct = one(client, here, get(), within(20s));
  ASSERT_TRUE(direct.response.ok()) << told(direct);
  EXPECT_FALSE(direct.by_proxy);
  const TestProxy proxy;
  ClientOptions options = by(proxy.proxies({}, "s3.test"));
  options.addresses = {{"s3.test", {"127.0.0.1"}}};
  Client excepting(options, system_clock());
  EXPECT_TRUE(one(excepting, endpoint(), get(), within(20s)).response.ok());
  EXPECT_EQ(proxy.connections(), 0);
}

TEST_P(ByProxy, AProxyThatWantsToKnowWhoAsksIsAConfigError) {
  const TestProxy proxy(kBasic);
  Client nobody(by(proxy), system_clock());
  expect_error(one(nobody, endpoint(), put("/", "x"), within(20s)), ErrorCode::ConfigError,
               "wants a user and password (407)");
  Client wrong(by(proxy, "me:hush"), system_clock());
  expect_error(one(wrong, endpoint(), put("/", "x"), within(20s)), ErrorCode::ConfigError,
               "does not take the user and password of its URL (407)");
}

TEST_P(ByProxy, AProxyThatIsNotThereIsUnavailable) {
  const ProxyUrl nobody{
      .url = "http://" + std::string(kWho) + "@127.0.0.1:" + std::to_string(unused_port()),
      .named_by = "the test"};
  Client client(by({nobody, nobody, ""}), system_clock());
  const Outcome refused = one(client, endpoint(), put("/", "x"), within(20s));
  expect_error(refused, ErrorCode::Unavailable, "Connection refused");
  EXPECT_TRUE(refused.response.error().retryable());
  const ProxyUrl unknown{.url = "http://proxy.invalid:1", .named_by = "the test"};
  Client lost(by({unknown, unknown, ""}), system_clock());
  const Outcome outcome = one(lost, endpoint(), put("/", "x"), within(20s));
  ASSERT_TRUE(outcome.response.is(ErrorCode::Unavailable)) << told(outcome);
  EXPECT_THAT(told(outcome),
              AllOf(HasSubstr("the proxy http://proxy.invalid:1 (the test): the name "
                              "of the host cannot be resolved"),
                    HasSubstr("NO_PROXY")));
}

TEST_P(ByProxy, AWrongUrlIsToldWhereItWouldBeUsed) {
  const ProxyUrl wrong{.url = "socks5://proxy:1080", .named_by = "ALL_PROXY"};
  Client client(by({wrong, wrong, ""}), system_clock());
  const Outcome outcome = one(client, endpoint(), put("/", "x"), within(20s));
  ASSERT_TRUE(outcome.response.is(ErrorCode::ConfigError)) << told(outcome);
  EXPECT_THAT(told(outcome), HasSubstr("the proxy (ALL_PROXY)"));
}

TEST_F(ByTunnel, ATunnelThatIsRefusedSaysWhetherToCallAgain) {
  const std::vector<std::pair<std::string, ErrorCode>> rows = {
      {"403 Forbidden", ErrorCode::ConfigError},
      {"400 Bad Request", ErrorCode::ConfigError},
      {"405 Method Not Allowed", ErrorCode::ConfigError},
      {"501 Not Implemented", ErrorCode::ConfigError},
      {"302 Found\r\nLocation: http://127.0.0.1:1/", ErrorCode::ConfigError},  // is not followed
      {"429 Too Many Requests", ErrorCode::Unavailable},
      {"502 Bad Gateway", ErrorCode::Unavailable},
      {"503 Service Unavailable", ErrorCode::Unavailable},
      {"504 Gateway Timeout", ErrorCode::Unavailable}};
  for (const auto& [status, code] : rows) {
    const ScriptedServer proxy([&](Peer& peer, int) {
      const std::string head = peer.read_head();
      peer.send(answer("<p>you sent " + head + "</p>", status));
      peer.client_closes();
    });
    const Outcome outcome = told_by(proxy);
    expect_error(outcome, code, "it answered " + status.substr(0, 3));
    EXPECT_EQ(outcome.response.error().retryable(), code == ErrorCode::Unavailable);
    EXPECT_THAT(told(outcome), HasSubstr("s3.test:" + std::to_string(server.port())));
  }
}

TEST_F(ByTunnel, AnAnswerToConnectThatIsCutOffIsUnavailable) {
  const std::string whole = "HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n";
  for (std::size_t size = 0; size < whole.size(); size += 3) {
    for (const bool reset : {false, true}) {
      const ScriptedServer proxy([&](Peer& peer, int) {
        (void)peer.read_head();
        peer.send(whole.substr(0, size));
        reset ? peer.reset() : peer.close();
      });
      const Outcome outcome = told_by(proxy);
      expect_error(outcome, ErrorCode::Unavailable, "reset");
      EXPECT_TRUE(outcome.response.error().retryable());
    }
  }
}

TEST_F(ByTunnel, AnAnswerToConnectMayComeInPieces) {
  const ScriptedServer slow([&](Peer& peer, int) {
    (void)peer.read_head();
    for (const char c : std::string("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")) {
      peer.send({&c, 1});
    }
    peer.client_closes();  // it has begun with TLS by then, which nobody answers
  });
  const Outcome outcome = told_by(slow, 300ms);
  ASSERT_TRUE(outcome.response.is(ErrorCode::Timeout)) << told(outcome);
  EXPECT_THAT(told(outcome), HasSubstr("(through the proxy"));
}

TEST_F(ByTunnel, WhatIsNoProxyIsAConfigError) {
  for (const char* words : {"SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nhello"}) {
    const ScriptedServer other([&](Peer& peer, int) {
      (void)peer.read_head();
      peer.send(words);
      peer.client_closes();
    });
    const Outcome outcome = told_by(other, 500ms);
    expect_error(outcome, ErrorCode::ConfigError,
                 std::string(words).starts_with("HTTP") ? "sent more than an answer" : "no HTTP");
  }
}

TEST_F(ByTunnel, AProxyThatHangsIsGivenUpInTime) {
  const ScriptedServer silent([](Peer& peer, int) { peer.client_closes(); });
  const Outcome outcome = told_by(silent, 100ms);
  expect_error(outcome, ErrorCode::Timeout, "no connection within 100 ms");
  EXPECT_LT(outcome.took, 5s);
}

// A tunnel that has served before may have been closed just now: the request goes again, once.
TEST_P(ByProxy, AKeptConnectionThatBreaksIsReplaced) {
  std::atomic<int> served = 0;
  const TestProxy proxy;
  Server breaking(server_options(), [&](const Received&) {
    return Reply{.response = {.status = 200},
                 .delivery = ++served == 2 ? Delivery::drop : Delivery::send};
  });
  Client client(by(proxy), system_clock());
  const Endpoint there{.tls = tls, .host = "s3.test", .port = breaking.port()};
  ASSERT_TRUE(one(client, there, get(), within(20s)).response.ok());
  const Outcome outcome = one(client, there, get(), within(20s));
  ASSERT_TRUE(outcome.response.ok()) << told(outcome);
  EXPECT_EQ(outcome.sends, 2);
  EXPECT_EQ(served, 3);
}

}  // namespace
}  // namespace stepstore::http
