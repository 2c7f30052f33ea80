// [G13] Over real connections: who is told to go elsewhere sends nothing there that tells who asks,
// unless the configuration meant that place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "base/random.h"
#include "http/client.h"
#include "http/server.h"
#include "s3/client.h"

namespace stepstore::s3 {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A server that says to every request what it is told to, and notes what it was asked.
class Station {
 public:
  explicit Station(http::Response says = {.status = 200}) : says_(std::move(says)) {}

  void says(http::Response response) {
    const std::lock_guard lock(mutex_);
    says_ = std::move(response);
  }
  std::vector<http::Received> received() {
    const std::lock_guard lock(mutex_);
    return received_;
  }
  std::uint16_t port() const { return server_.port(); }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port()); }

 private:
  std::mutex mutex_;
  http::Response says_;
  std::vector<http::Received> received_{};
  http::Server server_{{}, [this](const http::Received& request) {
                         const std::lock_guard lock(mutex_);
                         received_.push_back(request);
                         return http::Reply{.response = says_};
                       }};
};

class S3Redirects : public ::testing::Test {
 protected:
  Result<Answer> ask() {
    Client client({.endpoint = {.tls = false, .host = "127.0.0.1", .port = configured.port()},
                   .bucket = "steps"},
                  std::make_shared<http::Client>(http::ClientOptions{}, system_clock()),
                  fixed_credentials({.access_key = "AK",
                                     .secret_key = "SK",
                                     .session_token = "hush",
                                     .source = "the test"}),
                  system_clock(), system_random());
    return client.send_one(put_object({.key = ObjectKey("a"), .body = "secret", .crc64 = {}}, {}),
                           {});
  }

  Station configured, other;
};

TEST_F(S3Redirects, GoToNoOtherServer) {
  const std::string elsewhere = other.url() + "/steps/a";
  const std::string body =
      "<Error><Code>TemporaryRedirect</Code><Endpoint>127.0.0.1:" + std::to_string(other.port()) +
      "</Endpoint></Error>";
  for (const int status : {301, 302, 303, 307, 308}) {
    configured.says({.status = status, .headers = {{"Location", elsewhere}}});
    const auto by_header = ask();
    ASSERT_TRUE(by_header.is(ErrorCode::ConfigError)) << status;
    EXPECT_THAT(by_header.error().what(), Not(HasSubstr("hush")));
    configured.says({.status = status, .headers = {}, .body = Bytes::copy(body)});
    EXPECT_TRUE(ask().is(ErrorCode::ConfigError)) << status;
  }
  EXPECT_EQ(other.received().size(), 0U);
  EXPECT_EQ(configured.received().size(), 10U) << "asked once for each";
}

// The same place by another path is the same place; it is signed for anew.
TEST_F(S3Redirects, ComeBackToTheSameServer) {
  configured.says({.status = 307,
                   .headers = {{"Location", configured.url() + "/steps/a"},
                               {"x-amz-bucket-region", "eu-west-1"}}});
  EXPECT_TRUE(ask().is(ErrorCode::ConfigError)) << "and not for ever";
  const auto asked = configured.received();
  ASSERT_EQ(asked.size(), 3U);
  EXPECT_THAT(*http::find_header(asked[0].headers, "Authorization"), HasSubstr("/us-east-1/s3/"));
  EXPECT_THAT(*http::find_header(asked[1].headers, "Authorization"), HasSubstr("/eu-west-1/s3/"));
  EXPECT_EQ(asked[1].body.view().text(), "secret");
}

}  // namespace
}  // namespace stepstore::s3
