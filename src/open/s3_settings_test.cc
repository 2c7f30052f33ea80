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

}  // namespace
}  // namespace stepstore
