// Links: addressed and signed like requests, never for longer than the credentials live, and with
// all that whoever uses them has to send.
#include <gmock/gmock.h>

#include "s3/encode.h"
#include "s3/scripted_transport_fixture.h"

namespace stepstore::s3 {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class S3Links : public ClientFixture {
 protected:
  // Of a clock that stands at the beginning of 2026.
  static constexpr Timestamp kNow =
      std::chrono::sys_days(std::chrono::year(2026) / std::chrono::January / 1);

  static std::shared_ptr<CredentialsSource> source(Credentials credentials) {
    return fixed_credentials(std::move(credentials));
  }
  static Credentials keys() { return {.access_key = "AKIDEXAMPLE", .secret_key = kSecret}; }
};

TEST_F(S3Links, AreTheObjectsAddressAndASignature) {
  const Link link = client(default_options(), source(keys())).link(get(), hours(1), {});
  EXPECT_THAT(link.url, StartsWith("https://s3.example.com/steps/a/b?X-Amz-Algorithm=AWS4-HMAC-"
                                   "SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260101%2Fus-east-1%2F"
                                   "s3%2Faws4_request&X-Amz-Date=20260101T000000Z&"
                                   "X-Amz-Expires=3600&X-Amz-SignedHeaders=host&X-Amz-Signature="));
  EXPECT_TRUE(link.headers.empty());
  EXPECT_EQ(link.expires_at, kNow + hours(1));
  EXPECT_FALSE(link.cut_short || link.may_end_before);
  EXPECT_TRUE(transport->sent().empty()) << "a link costs no request";
}

TEST_F(S3Links, HaveTheBucketInTheHostWhereRequestsHave) {
  ClientOptions options = default_options();
  options.style = AddressStyle::virtual_host;
  options.endpoint.port = 8443;
  const Link link = client(options, source(keys())).link(get(), hours(1), {});
  EXPECT_THAT(link.url, StartsWith("https://steps.s3.example.com:8443/a/b?X-Amz-Algorithm="));
}

// G7, G8.
TEST_F(S3Links, TemporaryCredentialsSignTheirTokenAndEndTheLink) {
  Credentials temporary = keys();
  temporary.session_token = kToken;
  const Link unknown = client(default_options(), source(temporary)).link(get(), hours(1), {});
  EXPECT_THAT(unknown.url, HasSubstr("&X-Amz-Security-Token=" + uri_encode(kToken) + "&"));
  EXPECT_EQ(unknown.expires_at, kNow + hours(1));
  EXPECT_TRUE(unknown.may_end_before) << "nobody has said when";

  temporary.expires_at = kNow + seconds(600);
  const Link cut = client(default_options(), source(temporary)).link(get(), hours(1), {});
  EXPECT_EQ(cut.expires_at, kNow + seconds(600));
  EXPECT_THAT(cut.url, HasSubstr("&X-Amz-Expires=600&"));
  EXPECT_TRUE(cut.cut_short);
  EXPECT_FALSE(cut.may_end_before);

  temporary.expires_at = kNow + hours(2);
  const Link whole = client(default_options(), source(temporary)).link(get(), hours(1), {});
  EXPECT_EQ(whole.expires_at, kNow + hours(1));
  EXPECT_FALSE(whole.cut_short);

  temporary.expires_at = kNow - seconds(5);
  const Link over = client(default_options(), source(temporary)).link(get(), hours(1), {});
  EXPECT_EQ(over.expires_at, kNow + seconds(1)) << "S3 takes no link that has ended";
}

TEST_F(S3Links, LiveSevenDaysAtMostWhateverTheCredentials) {
  Credentials temporary = keys();
  temporary.expires_at = kNow + hours(1);
  for (const auto lifetime : {seconds(0), seconds(-1), seconds(604'801), seconds::max()}) {
    for (const Credentials& each : {keys(), temporary}) {
      EXPECT_THROW((void)client(default_options(), source(each)).link(get(), lifetime, {}),
                   InvalidArgument);
    }
  }
  EXPECT_EQ(client(default_options(), source(keys())).link(get(), hours(7 * 24), {}).expires_at,
            kNow + hours(7 * 24));
}

// What is signed and not sent, or sent and not signed, is refused.
TEST_F(S3Links, SayWhichHeadersHaveToBeSent) {
  ClientOptions options = default_options();
  options.objects = {.encryption = "AES256",
                     .storage_class = "STANDARD_IA",
                     .bucket_owner = "111122223333",
                     .tags = {{"team", "qa"}}};
  Operation upload = put(Condition::absent());
  upload.holds_data = true;
  const Link link = client(options, source(keys())).link(upload, hours(1), {});
  EXPECT_EQ(link.headers, (http::Headers{{"Content-Type", "text/plain"},
                                         {"If-None-Match", "*"},
                                         {"x-amz-server-side-encryption", "AES256"},
                                         {"x-amz-storage-class", "STANDARD_IA"},
                                         {"x-amz-tagging", "team=qa"}}));
  EXPECT_THAT(link.url,
              HasSubstr("X-Amz-SignedHeaders=content-type%3Bhost%3Bif-none-match%3Bx-amz-server-"
                        "side-encryption%3Bx-amz-storage-class%3Bx-amz-tagging&"));
  EXPECT_THAT(link.url, HasSubstr("&x-amz-expected-bucket-owner=111122223333&"))
      << "nobody need send what the URL can say";
  EXPECT_THAT(link.url, Not(HasSubstr("checksum"))) << "nobody knows the bytes yet";
}

TEST_F(S3Links, NeedSomebodyToSignThem) {
  EXPECT_THROW((void)client(default_options(), anonymous_credentials()).link(get(), hours(1), {}),
               Unauthenticated);
}

// By the server's clock, where a refusal has told that this one is wrong.
TEST_F(S3Links, AreDatedAsRequestsAre) {
  transport->plays(
      {refusal(403, "RequestTimeTooSkewed", {{"Date", "Thu, 01 Jan 2026 02:00:00 GMT"}})});
  ASSERT_TRUE(client(default_options(), source(keys())).send_one(get(), {}).ok());
  const Link link = made->link(get(), hours(1), {});
  EXPECT_THAT(link.url, HasSubstr("X-Amz-Date=20260101T020000Z"));
  EXPECT_EQ(link.expires_at, kNow + hours(3));
}

}  // namespace
}  // namespace stepstore::s3
