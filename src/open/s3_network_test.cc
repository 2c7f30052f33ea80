// Time limits, certificates, proxies and tries come from the URI, then the options, then variables,
// then the profile; what cannot be is refused with who said it, and without a password.
#include "open/s3_network.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "open/s3_settings.h"
#include "stepstore/error.h"

namespace stepstore {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class S3NetworkSettings : public ::testing::Test {
 protected:
  S3Network network(const std::string& parameters = "") {
    const std::string between = parameters.empty() ? "" : "?";
    return s3_settings(parse_store_uri("s3://bucket" + between + parameters), options,
                       [this](std::string_view name) -> std::optional<std::string> {
                         const auto found = variables.find(std::string(name));
                         if (found == variables.end()) return std::nullopt;
                         return found->second;
                       })
        .network;
  }
  // The way to a server of one scheme; "" for a direct one.
  std::string way(const std::string& scheme, const std::string& parameters = "") {
    const bool tls = scheme == "https";
    const http::Endpoint to{.tls = tls, .host = "192.0.2.1", .port = 9000};
    const S3Network found = network(parameters);
    const http::Proxy* const proxy = way_to(to, found);
    return proxy == nullptr ? "" : proxy->text();
  }
  std::string refused(const std::string& parameters = "") {
    try {
      (void)network(parameters);
    } catch (const ConfigError& wrong) {
      EXPECT_FALSE(wrong.advice().empty());
      EXPECT_EQ(wrong.operation(), "StorageManager");
      return wrong.what();
    }
    return "(no error)";
  }

  Options options;
  std::map<std::string, std::string> variables;
};

TEST_F(S3NetworkSettings, HaveTheClientsOwnDefaults) {
  const S3Network usual = network();
  const http::ClientOptions own;
  EXPECT_EQ(usual.http.connect_timeout, own.connect_timeout);
  EXPECT_EQ(usual.http.first_byte_timeout, own.first_byte_timeout);
  EXPECT_EQ(usual.http.stall_timeout, own.stall_timeout);
  EXPECT_EQ(usual.http.total_timeout, own.total_timeout);
  EXPECT_EQ(usual.attempts_max, s3::RetryPolicy().attempts_max);
  EXPECT_EQ(usual.http.ca_file, "");
  EXPECT_FALSE(usual.allow_http);
  EXPECT_EQ(way("https"), "");
}

TEST_F(S3NetworkSettings, TimesAreSecondsInTheUri) {
  options.connect_timeout = 7s;
  options.first_byte_timeout = 8ms;
  options.stall_timeout = 9s;
  options.total_timeout = 24h;
  const S3Network given = network();
  EXPECT_EQ(given.http.connect_timeout, 7s);
  EXPECT_EQ(given.http.first_byte_timeout, 8ms);
  EXPECT_EQ(given.http.stall_timeout, 9s);
  EXPECT_EQ(given.http.total_timeout, 24h);
  const S3Network named =
      network("connect_timeout=2&first_byte_timeout=0.25&stall_timeout=1e1&total_timeout=86400");
  EXPECT_EQ(named.http.connect_timeout, 2s);
  EXPECT_EQ(named.http.first_byte_timeout, 250ms);
  EXPECT_EQ(named.http.stall_timeout, 10s);
  EXPECT_EQ(network("connect_timeout=0.0001").http.connect_timeout, 1ms) << "not none at all";
  for (const char* bad : {"0", "-1", "86401", "x", "1s", "nan", "inf", "1e400"}) {
    EXPECT_THAT(refused(std::string("stall_timeout=") + bad), HasSubstr("stall_timeout is no time"))
        << bad;
  }
  options.total_timeout = 0ms;
  EXPECT_THAT(refused(), HasSubstr("total_timeout is no time"));
  options.total_timeout = 25h;
  EXPECT_THAT(refused(), HasSubstr("total_timeout is no time"));
}

TEST_F(S3NetworkSettings, TriesHaveTheVariableOfAws) {
  variables["AWS_MAX_ATTEMPTS"] = "5";
  EXPECT_EQ(network().attempts_max, 5);
  options.attempts_max = 3;
  EXPECT_EQ(network().attempts_max, 3);
  EXPECT_EQ(network("attempts_max=1").attempts_max, 1);
  EXPECT_THAT(refused("attempts_max=0"), HasSubstr("the URI's attempts_max is '0'"));
  options.attempts_max = 101;
  EXPECT_THAT(refused(), HasSubstr("the argument attempts_max is '101'"));
  options.attempts_max.reset();
  for (const char* bad : {"0", "-3", "many", "5x", "5.0", "99999999999999999999"}) {
    variables["AWS_MAX_ATTEMPTS"] = bad;
    EXPECT_THAT(refused(), HasSubstr("AWS_MAX_ATTEMPTS is '")) << bad;
  }
  variables["AWS_MAX_ATTEMPTS"] = "";
  EXPECT_EQ(network().attempts_max, s3::RetryPolicy().attempts_max) << "as if it were not set";
}

TEST_F(S3NetworkSettings, TheProfileIsAskedLast) {
  const auto file = std::filesystem::path(testing::TempDir()) / "stepstore-network-config";
  std::ofstream(file) << "[default]\nmax_attempts = 4\nca_bundle = /profile.pem\n";
  variables["AWS_CONFIG_FILE"] = file.string();
  EXPECT_EQ(network().attempts_max, 4);
  EXPECT_EQ(network().http.ca_file, "/profile.pem");
  variables["AWS_CA_BUNDLE"] = "/variable.pem";
  EXPECT_EQ(network().http.ca_file, "/variable.pem");
  options.ca_file = "/option.pem";
  EXPECT_EQ(network().http.ca_file, "/option.pem");
  EXPECT_EQ(network("ca_file=/uri.pem").http.ca_file, "/uri.pem");
  std::ofstream(file) << "[default]\nmax_attempts = no\n";
  EXPECT_THAT(refused(), HasSubstr("the profile's max_attempts is 'no'"));
  std::filesystem::remove(file);
}

TEST_F(S3NetworkSettings, TheUriMayTakeBackWhatTheOptionsAllow) {
  options.allow_http = true;
  EXPECT_TRUE(network("endpoint=http://192.0.2.1").allow_http);
  EXPECT_THAT(refused("endpoint=http://192.0.2.1&allow_http=false"), HasSubstr("without TLS"));
}

TEST_F(S3NetworkSettings, ProxiesHaveTheUsualVariables) {
  variables["ALL_PROXY"] = "all:1";
  EXPECT_EQ(way("http"), "the proxy http://all:1 (ALL_PROXY)");
  EXPECT_EQ(way("https"), "the proxy http://all:1 (ALL_PROXY)");
  variables["all_proxy"] = "small:1";
  EXPECT_EQ(way("https"), "the proxy http://small:1 (all_proxy)");
  variables["HTTPS_PROXY"] = "tls:2";
  EXPECT_EQ(way("https"), "the proxy http://tls:2 (HTTPS_PROXY)");
  EXPECT_EQ(way("http"), "the proxy http://small:1 (all_proxy)");
  variables["https_proxy"] = "lower:3";
  EXPECT_EQ(way("https"), "the proxy http://lower:3 (https_proxy)");
  variables["http_proxy"] = "plain:4";
  EXPECT_EQ(way("http"), "the proxy http://plain:4 (http_proxy)");
  options.proxy = "http://option:5";
  EXPECT_EQ(way("http"), "the proxy http://option:5 (the argument proxy)");
  EXPECT_EQ(way("https"), "the proxy http://option:5 (the argument proxy)");
  EXPECT_EQ(way("https", "proxy=uri:6"), "the proxy http://uri:6 (the URI's proxy)");
  EXPECT_EQ(way("https", "proxy=none"), "");
  EXPECT_EQ(way("http", "proxy=none"), "");
  options.proxy = "none";
  EXPECT_EQ(way("https"), "") << "whatever the variables say";
}

// A web server sets it from a header of whoever asks it for a page ("httpoxy").
TEST_F(S3NetworkSettings, HttpProxyInCapitalsIsNotBelieved) {
  variables["HTTP_PROXY"] = "evil:1";
  EXPECT_EQ(way("http"), "");
  EXPECT_EQ(way("https"), "");
}

TEST_F(S3NetworkSettings, NoProxyHoldsForEveryProxy) {
  variables["HTTPS_PROXY"] = "tls:2";
  variables["NO_PROXY"] = "example.com,192.0.2.0/24";
  EXPECT_EQ(way("https"), "");
  variables["no_proxy"] = "example.com";
  EXPECT_EQ(way("https"), "the proxy http://tls:2 (HTTPS_PROXY)") << "the other is not looked at";
  options.no_proxy = "192.0.2.1";
  EXPECT_EQ(way("https"), "");
  EXPECT_EQ(way("https", "no_proxy=other.example.com"), "the proxy http://tls:2 (HTTPS_PROXY)");
}

// [G21]
TEST_F(S3NetworkSettings, AWrongProxyMattersOnlyWhereItWouldBeUsed) {
  variables["ALL_PROXY"] = "socks5://me:hush@proxy:1080";
  EXPECT_THAT(refused(), AllOf(HasSubstr("(ALL_PROXY)"), HasSubstr("SOCKS"), Not(HasSubstr("hush")),
                               HasSubstr("proxy=none")));
  EXPECT_EQ(refused("endpoint=http://127.0.0.1:9000"), "(no error)");
  variables["NO_PROXY"] = "amazonaws.com";
  EXPECT_EQ(refused(), "(no error)");
  variables.clear();
  EXPECT_THAT(refused("proxy=http://me:hush@proxy:1080"),
              AllOf(HasSubstr("holds a user name or password"), Not(HasSubstr("hush"))));
  options.proxy = "http://me:hush@proxy:1080";
  EXPECT_EQ(way("https"), "the proxy http://proxy:1080 (the argument proxy)");
}

}  // namespace
}  // namespace stepstore
