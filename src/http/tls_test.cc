// Over TLS the client trusts only whom it should, tells apart what is wrong with the rest, and
// carries the same exchanges as without.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>

#include "http/http_fixture.h"
#include "http/server.h"
#include "http/tls_context.h"
#include "http/tls_fixture.h"

namespace stepstore::http {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class Tls : public testing::Test {
 protected:
  // Answers with the body it was sent.
  Server& serve(const std::vector<std::string>& names, int days = 1) {
    const auto issued = authority.issue(names, days);
    server =
        std::make_unique<Server>(ServerOptions{.certificate_file = issued.certificate_file,
                                               .key_file = issued.key_file,
                                               .body_bytes_max = 6'000'000},
                                 [](const Received& request) {
                                   return Reply{.response = {.status = 200, .body = request.body}};
                                 });
    return *server;
  }
  Endpoint at(const std::string& host) const {
    return {.tls = true, .host = host, .port = server->port()};
  }
  ClientOptions trusting() const { return {.ca_file = authority.ca_file()}; }

  void expect_refused(const ClientOptions& options, const std::string& host,
                      const std::string& reason) {
    Client client(options, system_clock());
    const Outcome outcome = one(client, at(host), put("/", "secret"), within(20s));
    ASSERT_TRUE(outcome.response.is(ErrorCode::ConfigError)) << told(outcome);
    EXPECT_FALSE(outcome.response.error().retryable());
    EXPECT_THAT(told(outcome), HasSubstr(reason));
    EXPECT_FALSE(outcome.maybe_applied);
  }

  TestAuthority authority;
  std::unique_ptr<Server> server{};
};

TEST_F(Tls, TrustsTheCaFileForNamesAndAddresses) {
  serve({"DNS:localhost", "IP:127.0.0.1"});
  Client client(trusting(), system_clock());
  for (const char* host : {"localhost", "127.0.0.1"}) {
    for (const bool reused : {false, true}) {
      const Outcome outcome = one(client, at(host), put("/", "body"), within(20s));
      ASSERT_TRUE(outcome.response.ok()) << told(outcome);
      EXPECT_EQ(outcome.response->body.text(), "body");
      EXPECT_EQ(outcome.reused, reused);
    }
  }
}

TEST_F(Tls, RefusesACertificateOfAnUnknownAuthority) {
  serve({"DNS:localhost", "IP:127.0.0.1"});
  expect_refused({}, "localhost", "certificate is not trusted");
  expect_refused({.ca_file = TestAuthority().ca_file()}, "localhost", "PEM file");
}

TEST_F(Tls, RefusesACertificateForAnotherName) {
  serve({"DNS:other.example", "IP:127.0.0.2"});
  expect_refused(trusting(), "localhost", "hostname mismatch");
  expect_refused(trusting(), "127.0.0.1", "IP address mismatch");
}

TEST_F(Tls, RefusesACertificateThatIsOver) {
  serve({"DNS:localhost"}, -2);
  expect_refused(trusting(), "localhost", "expired");
}

TEST_F(Tls, TrustsAnybodyOnlyWhenToldTo) {
  serve({"DNS:other.example"}, -2);
  Client client({.verify_certificates = false}, system_clock());
  const Outcome outcome = one(client, at("localhost"), get(), within(20s));
  EXPECT_TRUE(outcome.response.ok()) << told(outcome);
}

TEST_F(Tls, NamesACaFileThatCannotBeRead) {
  serve({"DNS:localhost"});
  const std::string missing = authority.ca_file() + ".missing";
  const std::string empty = authority.ca_file() + ".empty";
  std::fclose(std::fopen(empty.c_str(), "w"));
  for (const std::string& file : {missing, empty}) {
    Client client({.ca_file = file}, system_clock());
    for (int i = 0; i < 2; ++i) {  // also when it has failed before
      const Outcome outcome = one(client, at("localhost"), get(), within(20s));
      ASSERT_TRUE(outcome.response.is(ErrorCode::ConfigError)) << told(outcome);
      EXPECT_THAT(told(outcome), HasSubstr("CA file"));
      EXPECT_THAT(told(outcome), HasSubstr(file));
    }
  }
}

TEST_F(Tls, SaysWhenTheServerSpeaksPlainHttp) {
  const ScriptedServer plain([](Peer& peer, int) {
    // As servers answer to what is no HTTP.
    peer.send("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    peer.client_closes();
  });
  Client client(trusting(), system_clock());
  Endpoint endpoint = plain.endpoint();
  endpoint.tls = true;
  const Outcome outcome = one(client, endpoint, put("/", "x"), within(20s));
  ASSERT_TRUE(outcome.response.is(ErrorCode::ConfigError)) << told(outcome);
  EXPECT_THAT(told(outcome), HasSubstr("http://"));
  EXPECT_FALSE(outcome.maybe_applied);
}

TEST_F(Tls, SaysThatTheSchemeMayBeWrongWhenATlsServerHangsUp) {
  serve({"DNS:localhost"});
  Client client({}, system_clock());
  Endpoint endpoint = at("127.0.0.1");
  endpoint.tls = false;
  const Outcome outcome = one(client, endpoint, get(), within(20s));
  ASSERT_FALSE(outcome.response.ok());
  EXPECT_THAT(told(outcome), HasSubstr("https"));
}

TEST_F(Tls, AServerThatHangsUpDuringTheHandshakeMayBeBusy) {
  const ScriptedServer busy([](Peer& peer, int) { peer.close(); });
  Client client(trusting(), system_clock());
  Endpoint endpoint = busy.endpoint();
  endpoint.tls = true;
  const Outcome outcome = one(client, endpoint, put("/", "x"), within(20s));
  ASSERT_TRUE(outcome.response.is(ErrorCode::Unavailable)) << told(outcome);
  EXPECT_TRUE(outcome.response.error().retryable());
  EXPECT_FALSE(outcome.maybe_applied);
}

TEST_F(Tls, AHandshakeThatHangsIsGivenUp) {
  const ScriptedServer silent([](Peer& peer, int) { peer.client_closes(); });
  Client client({.connect_timeout = 100ms}, system_clock());
  Endpoint endpoint = silent.endpoint();
  endpoint.tls = true;
  const Outcome outcome = one(client, endpoint, put("/", "x"), within(20s));
  ASSERT_TRUE(outcome.response.is(ErrorCode::Timeout)) << told(outcome);
  EXPECT_FALSE(outcome.maybe_applied);
  EXPECT_LT(outcome.took, 5s);
}

TEST_F(Tls, CarriesLargeBodiesSideBySide) {
  serve({"DNS:localhost"});
  std::string large(5'000'000, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 11 + i / 3'001);
  Client client(trusting(), system_clock());
  std::vector<Sending> requests;
  for (int i = 0; i < 8; ++i) requests.push_back(put("/", i % 2 == 0 ? BytesView(large) : "small"));
  for (int round = 0; round < 2; ++round) {
    const auto outcomes = client.exchange(at("localhost"), requests, within(60s));
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      ASSERT_TRUE(outcomes[i].response.ok()) << told(outcomes[i]);
      EXPECT_TRUE(outcomes[i].response->body.view() == requests[i].request.body[0]) << i;
      EXPECT_EQ(outcomes[i].reused, round == 1);
    }
  }
}

TEST_F(Tls, TakesNoBodyForWholeThatAnybodyMayHaveCutOff) {
  // The body ends with the connection, which ends without TLS's farewell.
  const auto issued = authority.issue({"DNS:localhost"});
  const auto unsized = [](const Received&) {
    return Reply{.response = {.status = 200,
                              .headers = {{"Transfer-Encoding", "identity"}},
                              .body = Bytes::copy("some of it")},
                 .close = true};
  };
  const Server plain({}, unsized);
  const Server tls({.certificate_file = issued.certificate_file, .key_file = issued.key_file},
                   unsized);
  Client client(trusting(), system_clock());
  const Outcome whole =
      one(client, {.tls = false, .host = "localhost", .port = plain.port()}, get(), within(20s));
  ASSERT_TRUE(whole.response.ok()) << told(whole);
  EXPECT_EQ(whole.response->body.text(), "some of it");
  const Outcome cut =
      one(client, {.tls = true, .host = "localhost", .port = tls.port()}, get(), within(20s));
  EXPECT_TRUE(cut.response.is(ErrorCode::Io)) << told(cut);
}

TEST_F(Tls, ReadsAnEarlyRefusal) {
  serve({"DNS:localhost"});
  const std::string large(8'000'000, 'x');  // more than the server takes
  Client client(trusting(), system_clock());
  for (int i = 0; i < 2; ++i) {
    const Outcome outcome = one(client, at("localhost"), put("/", large), within(20s));
    ASSERT_TRUE(outcome.response.ok()) << told(outcome);
    EXPECT_EQ(outcome.response->status, 413);
    EXPECT_FALSE(outcome.reused);
  }
}

// [G38] Spoken over HTTP/2, all requests would share one connection: only HTTP/1.1 is offered.
TEST_F(Tls, OffersHttp11Alone) {
  using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
  using Side = std::unique_ptr<SSL, decltype(&SSL_free)>;
  const auto issued = authority.issue({"DNS:localhost"});
  const Context context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  ASSERT_EQ(SSL_CTX_use_certificate_file(context.get(), issued.certificate_file.c_str(),
                                         SSL_FILETYPE_PEM),
            1);
  ASSERT_EQ(SSL_CTX_use_PrivateKey_file(context.get(), issued.key_file.c_str(), SSL_FILETYPE_PEM),
            1);
  std::string offered;
  SSL_CTX_set_alpn_select_cb(
      context.get(),
      [](SSL*, const unsigned char**, unsigned char*, const unsigned char* names, unsigned int size,
         void* out) {
        static_cast<std::string*>(out)->assign(reinterpret_cast<const char*>(names), size);
        return SSL_TLSEXT_ERR_NOACK;
      },
      &offered);
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
  {
    TlsContext ours(authority.ca_file(), true);
    const Side client(ours.make({.tls = true, .host = "localhost", .port = 443}, ends[0]),
                      SSL_free);
    const Side peer(SSL_new(context.get()), SSL_free);
    SSL_set_fd(peer.get(), ends[1]);
    SSL_set_accept_state(peer.get());
    for (int i = 0; i < 10 && SSL_do_handshake(client.get()) != 1; ++i) {
      (void)SSL_do_handshake(peer.get());
    }
    EXPECT_TRUE(SSL_is_init_finished(client.get()));
  }
  ::close(ends[0]);
  ::close(ends[1]);
  EXPECT_EQ(offered, "\x08http/1.1");
}

// [G36] AWS_CA_BUNDLE may be either.
TEST(TlsDirectory, TrustsCertificatesUnderTheirHash) {
  TestAuthority authority;
  const auto folder = std::filesystem::path(authority.ca_file()).parent_path() / "hashed";
  std::filesystem::create_directory(folder);
  EXPECT_THROW(TlsContext(folder, true), ConfigError)
      << "OpenSSL would trust nobody, and not say why";
  std::filesystem::copy(authority.ca_file(), folder / "ca.pem");
  EXPECT_THROW(TlsContext(folder, true), ConfigError) << "not under its hash";
  const auto issued = authority.issue({"DNS:localhost", "IP:127.0.0.1"});
  Server server({.certificate_file = issued.certificate_file, .key_file = issued.key_file},
                [](const Received&) { return Reply{.response = {.status = 200}}; });
  FILE* const file = ::fopen(authority.ca_file().c_str(), "r");
  ASSERT_NE(file, nullptr);
  X509* const ca = ::PEM_read_X509(file, nullptr, nullptr, nullptr);
  ::fclose(file);
  ASSERT_NE(ca, nullptr);
  char name[16];
  std::snprintf(name, sizeof name, "%08lx.0", ::X509_subject_name_hash(ca));
  ::X509_free(ca);
  std::filesystem::copy(authority.ca_file(), folder / name);
  Client client({.ca_file = folder}, system_clock());
  const Outcome outcome =
      one(client, {.tls = true, .host = "127.0.0.1", .port = server.port()}, get(), within(20s));
  EXPECT_TRUE(outcome.response.ok()) << told(outcome);
}

}  // namespace
}  // namespace stepstore::http
