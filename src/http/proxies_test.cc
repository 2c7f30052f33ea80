// The URL of a proxy is taken apart, its password stays unseen, and a wrong one matters only where
// it would be used.
#include "http/proxies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stepstore/error.h"

namespace stepstore::http {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const Endpoint kPlain{.tls = false, .host = "s3.example.com", .port = 80};
const Endpoint kTls{.tls = true, .host = "s3.example.com", .port = 443};

Proxies by(const std::string& url) {
  return {{.url = url, .named_by = "http_proxy"}, {.url = url, .named_by = "HTTPS_PROXY"}, ""};
}

struct Good {
  const char* url;
  const char* text;
  const char* authorization;
};
class GoodProxies : public testing::TestWithParam<Good> {};

TEST_P(GoodProxies, AreTakenApart) {
  const Proxies proxies = by(GetParam().url);
  const Proxy* const proxy = proxies.on_the_way_to(kTls);
  ASSERT_NE(proxy, nullptr);
  EXPECT_EQ(proxy->text(), std::string("the proxy ") + GetParam().text + " (HTTPS_PROXY)");
  EXPECT_EQ(proxy->authorization, GetParam().authorization);
  EXPECT_FALSE(proxy->endpoint.tls);
}

INSTANTIATE_TEST_SUITE_P(
    , GoodProxies,
    testing::Values(Good{"http://proxy:3128", "http://proxy:3128", ""},
                    Good{"HTTP://proxy:3128/", "http://proxy:3128", ""},
                    Good{"proxy:3128", "http://proxy:3128", ""}, Good{"proxy", "http://proxy", ""},
                    Good{"10.0.0.1:8080", "http://10.0.0.1:8080", ""},
                    Good{"http://[fd00::1]:8080", "http://[fd00::1]:8080", ""},
                    Good{"http://user:pass@proxy:1", "http://proxy:1", "Basic dXNlcjpwYXNz"},
                    Good{"user:pass@proxy:1", "http://proxy:1", "Basic dXNlcjpwYXNz"},
                    Good{"http://user@proxy:1", "http://proxy:1", "Basic dXNlcjo="},
                    // "u@x:p:/ä", as RFC 7617 wants it: decoded, then base64.
                    Good{"http://u%40x:p%3A%2F%C3%A4@proxy", "http://proxy",
                         "Basic dUB4OnA6L8Ok"}));

TEST(Proxies, RefuseWhatTheyCannotBeWithoutRepeatingAPassword) {
  for (const char* bad :
       {"https://u:hush@proxy:3128", "socks5://u:hush@proxy:1080", "ftp://u:hush@proxy",
        "http://u:hush@", "http://u:hush@proxy:99999", "http://u:hush@proxy/path",
        "http://u:hush@proxy?x", "http://u:hush@proxy#x", "http://u:hu%0ash@proxy",
        "http://a%3Ab:hush@proxy", "http://u:hush@pro xy", "http://"}) {
    const Proxies proxies = by(bad);
    try {
      (void)proxies.on_the_way_to(kTls);
      FAIL() << bad;
    } catch (const ConfigError& wrong) {
      EXPECT_THAT(wrong.what(), AllOf(HasSubstr("the proxy (HTTPS_PROXY)"), Not(HasSubstr("hush")),
                                      Not(HasSubstr("aHVzaA"))))
          << bad;
      EXPECT_FALSE(wrong.advice().empty());
    }
  }
}

TEST(Proxies, AreChosenByTheServersScheme) {
  const Proxies proxies({.url = "one:1", .named_by = "http_proxy"},
                        {.url = "two:2", .named_by = "HTTPS_PROXY"}, "direct.example.com");
  EXPECT_EQ(proxies.on_the_way_to(kPlain)->endpoint.host, "one");
  EXPECT_EQ(proxies.on_the_way_to(kTls)->endpoint.host, "two");
  Endpoint direct = kTls;
  direct.host = "direct.example.com";
  EXPECT_EQ(proxies.on_the_way_to(direct), nullptr);
  EXPECT_EQ(Proxies().on_the_way_to(kTls), nullptr);
  const Proxies half({.url = "one:1", .named_by = "http_proxy"}, {}, "");
  EXPECT_EQ(half.on_the_way_to(kTls), nullptr);
}

// [G21] Services that give secrets to who is on the spot must not be asked by somebody else.
TEST(Proxies, AreNeverAskedForThisMachineOrItsLink) {
  const Proxies proxies = by("ftp://wrong");  // throws where it would be used
  for (const char* host :
       {"localhost", "127.0.0.1", "127.8.9.1", "::1", "169.254.169.254", "169.254.170.2",
        "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23", "fe80::1"}) {
    for (const bool tls : {false, true}) {
      EXPECT_EQ(proxies.on_the_way_to({.tls = tls, .host = host, .port = 80}), nullptr) << host;
    }
  }
  for (const char* host : {"s3.example.com", "10.0.0.1", "169.253.1.1", "fd00:ec3::1",
                           "localhost.example.com", "127.0.0.1.example.com"}) {
    EXPECT_THROW((void)proxies.on_the_way_to({.tls = true, .host = host, .port = 443}), ConfigError)
        << host;
  }
}

}  // namespace
}  // namespace stepstore::http
