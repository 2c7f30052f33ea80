// URLs of servers are taken apart exactly, and what does not belong in one is refused without being
// repeated.
#include "http/url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stepstore/error.h"

namespace stepstore::http {
namespace {

struct GoodUrl {
  const char* text;
  bool tls;
  const char* host;
  int port;
  const char* path;
  const char* query;
};
class GoodUrls : public testing::TestWithParam<GoodUrl> {};

TEST_P(GoodUrls, AreTakenApart) {
  const GoodUrl& expected = GetParam();
  const Url url = parse_url(expected.text);
  EXPECT_EQ(url.endpoint.tls, expected.tls);
  EXPECT_EQ(url.endpoint.host, expected.host);
  EXPECT_EQ(url.endpoint.port, expected.port);
  EXPECT_EQ(url.path, expected.path);
  EXPECT_EQ(url.query, expected.query);
}

INSTANTIATE_TEST_SUITE_P(
    , GoodUrls,
    testing::Values(GoodUrl{"http://host", false, "host", 80, "", ""},
                    GoodUrl{"https://host", true, "host", 443, "", ""},
                    GoodUrl{"HTTPS://host/", true, "host", 443, "/", ""},
                    GoodUrl{"http://127.0.0.1:9000", false, "127.0.0.1", 9000, "", ""},
                    GoodUrl{"http://[::1]:9000/a", false, "::1", 9000, "/a", ""},
                    GoodUrl{"https://[2001:db8::2]", true, "2001:db8::2", 443, "", ""},
                    GoodUrl{"http://host:65535", false, "host", 65535, "", ""},
                    GoodUrl{"http://host:/x", false, "host", 80, "/x", ""},
                    GoodUrl{"https://host/a%20b/c?d=e%2Ff&g", true, "host", 443, "/a%20b/c",
                            "d=e%2Ff&g"}));

class BadUrls : public testing::TestWithParam<const char*> {};

TEST_P(BadUrls, AreRefused) {
  try {
    parse_url(GetParam());
    FAIL() << "was taken";
  } catch (const ConfigError& refused) {
    EXPECT_FALSE(refused.advice().empty());
    EXPECT_THAT(refused.what(), testing::Not(testing::HasSubstr("secret")));
  }
}

INSTANTIATE_TEST_SUITE_P(, BadUrls,
                         testing::Values("", "host", "host:9000", "/path", "ftp://host",
                                         "s3://bucket", "http://", "http://:80", "https:///path",
                                         "http://user:secret@host", "http://secret@host",
                                         "http://user:secret@host:bad", "http://host#secret",
                                         "http://host:0", "http://host:65536", "http://host:99999",
                                         "http://host:1x", "http://[::1", "http://ho st",
                                         "http://host/%zz", " http://host", "http://host\r\nX: y",
                                         "http://ho%0d%0aX", "http://ho%20st"));

TEST(ProxyUrl, MayNameWhoAsks) {
  std::optional<UserInfo> who;
  const Url url = parse_url("http://m%65:p%40ss%3A@host:3128", who);
  EXPECT_EQ(url.endpoint.text(), "http://host:3128");
  ASSERT_TRUE(who);
  EXPECT_EQ(who->user, "me");
  EXPECT_EQ(who->password, "p@ss:");
  (void)parse_url("http://me@host", who);
  ASSERT_TRUE(who);
  EXPECT_EQ(who->user, "me");
  EXPECT_EQ(who->password, "");
  (void)parse_url("http://host", who);
  EXPECT_FALSE(who);
}

}  // namespace
}  // namespace stepstore::http
