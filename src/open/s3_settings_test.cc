// How an S3 store is reached, from the URI and the options; what cannot be is refused.
#include "open/s3_settings.h"

#include <gmock/gmock.h>

#include "stepstore/error.h"

namespace stepstore {
namespace {

using ::testing::HasSubstr;

S3Settings settings(const std::string& uri) {
  return s3_settings(parse_store_uri(uri), {},
                     [](std::string_view) { return std::optional<std::string>(); });
}

TEST(S3Settings, RefusesPlainHttpToAnotherMachineUnlessItIsAllowed) {
  const std::string far = "s3://bucket?endpoint=http://192.0.2.1:9000";
  try {
    (void)settings(far);
    FAIL();
  } catch (const ConfigError& refused) {
    EXPECT_THAT(refused.what(), HasSubstr("http://192.0.2.1:9000 would go without TLS"));
    EXPECT_THAT(refused.advice(), HasSubstr("allow_http=true"));
  }
  EXPECT_THROW((void)settings(far + "&allow_http=false"), ConfigError);
  EXPECT_THROW((void)settings(far + "&allow_http=maybe"), ConfigError);
  const S3Settings allowed = settings(far + "&allow_http=true");
  EXPECT_FALSE(allowed.client.endpoint.tls);
  EXPECT_EQ(settings(allowed.location()).location(), allowed.location()) << "opens the same again";
  for (const char* near : {"http://127.0.0.1:9000", "http://localhost:9000", "http://[::1]:9000",
                           "https://192.0.2.1"}) {
    EXPECT_NO_THROW((void)settings(std::string("s3://bucket?endpoint=") + near)) << near;
  }
}

// [G65] Its name alone tells, and only on AWS.
TEST(S3Settings, RefusesADirectoryBucket) {
  const std::string bucket = "s3://steps--use1-az4--x-s3";
  try {
    (void)settings(bucket);
    FAIL();
  } catch (const ConfigError& refused) {
    EXPECT_THAT(refused.what(), HasSubstr("is a directory bucket (S3 Express)"));
    EXPECT_EQ(refused.advice(), "Name a general purpose bucket.");
  }
  EXPECT_NO_THROW((void)settings(bucket + "?endpoint=http://127.0.0.1:9000"));
}

// [G12] The certificate is for *.s3.eu-west-1.amazonaws.com, and a star stands for no dot; another
// endpoint has one name, if not an address.
TEST(S3Settings, AddressesByHostOnlyWhatTheCertificateFits) {
  using enum s3::AddressStyle;
  const auto style = [](const std::string& uri) { return settings(uri).client.style; };
  EXPECT_EQ(style("s3://bucket?region=eu-west-1"), virtual_host);
  EXPECT_EQ(style("s3://my.bucket?region=eu-west-1"), path);
  for (const char* const own : {"http://127.0.0.1:9000", "http://localhost:9000",
                                "https://s3.example.com", "https://[2001:db8::1]"}) {
    EXPECT_EQ(style(std::string("s3://bucket?endpoint=") + own), path) << own;
  }
  EXPECT_EQ(style("s3://bucket?endpoint=https://s3.example.com&style=virtual"), virtual_host);
  EXPECT_EQ(style("s3://bucket?region=eu-west-1&style=path"), path);
}

}  // namespace
}  // namespace stepstore
