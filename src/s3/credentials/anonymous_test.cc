// Anonymous requests carry nothing that tells who asks.
#include <gmock/gmock.h>

#include "s3/scripted_transport_fixture.h"

namespace stepstore::s3 {
namespace {

using AnonymousTest = ClientFixture;

TEST_F(AnonymousTest, NothingIsSigned) {
  transport->then({.body = "x"});
  const auto source = anonymous_credentials();
  EXPECT_TRUE(client(default_options(), source).send_one(get(), {}).ok());
  EXPECT_EQ(transport->header(0, "Host"), "s3.example.com");
  EXPECT_EQ(transport->header(0, "Authorization"), "");
  EXPECT_EQ(transport->header(0, "x-amz-security-token"), "");
  EXPECT_EQ(source->describe(), "anonymous");
  EXPECT_FALSE(source->refresh(*source->current({})));
}

// Who may not read without a signature is told so once.
TEST_F(AnonymousTest, ARefusalIsFinal) {
  transport->then(refusal(403, "AccessDenied"));
  const auto answer = client(default_options(), anonymous_credentials()).send_one(get(), {});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code(), ErrorCode::PermissionDenied);
  EXPECT_EQ(transport->sent().size(), 1U);
}

}  // namespace
}  // namespace stepstore::s3
