// What a network and a distant server do to single requests, and what the S3 client makes of it:
// over real connections, to the fault server.
#include <gmock/gmock.h>

#include "base/random.h"
#include "http/client.h"
#include "http/url.h"
#include "s3/client.h"
#include "testing/fault_server/fault_server.h"
#include "tests/canary/canary.h"

namespace stepstore {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class S3Network : public testing::Test {
 protected:
  S3Network() {
    for (std::size_t i = 0; i < object.size(); ++i) object[i] = static_cast<char>(i % 251);
  }

  s3::Client& client() {
    http::ClientOptions http;
    s3::ClientOptions options{.endpoint = http::parse_url(server.endpoint()).endpoint,
                              .bucket = "checkpoints"};
    options.retry.base = std::chrono::milliseconds(1);
    made =
        std::make_unique<s3::Client>(options, std::make_shared<http::Client>(http, system_clock()),
                                     s3::fixed_credentials({.access_key = "any",
                                                            .secret_key = canary(),
                                                            .session_token = canary(),
                                                            .source = "the test"}),
                                     system_clock(), system_random());
    return *made;
  }
  void put() {
    const auto done = client().send_one(
        s3::put_object({.key = ObjectKey("big"), .body = object, .crc64 = {}}, {}), {});
    ASSERT_TRUE(done.ok()) << done.error().what();
  }
  static s3::Operation get() {
    return s3::get_object({.key = ObjectKey("big")}, std::uint64_t{1} << 30U);
  }
  // Notes the range that each GET asks for.
  void watch() {
    server.plan()
        .on("GET")
        .when([this](const fault::Call& call) {
          const std::string* const range = call.header("Range");
          ranges.push_back(range != nullptr ? *range : "");
          return false;  // nothing happens to any of them
        })
        .stall();
  }

  fault::FaultServer server;
  std::string object = std::string(1 << 20, 'x');
  std::vector<std::string> ranges;  // written by one connection after the other
  std::unique_ptr<s3::Client> made;
};

// [G39] Half of it comes, then half of the rest: the client asks for what is missing, twice.
TEST_F(S3Network, ABodyThatIsCutOffIsReadOn) {
  put();
  watch();
  server.plan().on("GET").times(2).cut_answer();
  const auto answer = client().send_one(get(), {});
  ASSERT_TRUE(answer.ok()) << answer.error().what();
  EXPECT_EQ(answer->response.body.text(), object);
  EXPECT_THAT(ranges, ElementsAre("", "bytes=524288-", "bytes=786432-"));
}

TEST_F(S3Network, AnObjectThatIsReplacedMeanwhileIsReadFromItsBeginning) {
  put();
  watch();
  server.plan().on("GET").nth(1).cut_answer();
  bool replaced = false;
  server.plan()
      .on("GET")
      .when([&](const fault::Call& call) {
        if (call.header("Range") == nullptr || std::exchange(replaced, true)) return false;
        return true;
      })
      .error(412, "PreconditionFailed");
  const auto answer = client().send_one(get(), {});
  ASSERT_TRUE(answer.ok()) << answer.error().what();
  EXPECT_EQ(answer->response.body.text(), object);
  EXPECT_THAT(ranges, ElementsAre("", "bytes=524288-", ""));
}

// [G16] The region of the bucket is another one than that of the signature.
TEST_F(S3Network, TheRegionIsFoundOut) {
  put();
  server.plan().on("GET").nth(1).answer(
      {.status = 400,
       .headers = {{"Content-Type", "application/xml"}},
       .body = Bytes::copy("<Error><Code>AuthorizationHeaderMalformed</Code>"
                           "<Region>eu-west-1</Region></Error>")});
  std::vector<std::string> signatures;
  server.plan()
      .on("GET")
      .when([&](const fault::Call& call) {
        signatures.push_back(*call.header("Authorization"));
        return false;
      })
      .stall();
  const auto answer = client().send_one(get(), {});
  ASSERT_TRUE(answer.ok()) << answer.error().what();
  ASSERT_EQ(signatures.size(), 1U);
  EXPECT_THAT(signatures.back(), HasSubstr("/eu-west-1/s3/"));
}

}  // namespace
}  // namespace stepstore
