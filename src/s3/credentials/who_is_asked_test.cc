// Secrets are sent to the services that the configuration means, by the way that is right for each,
// and nowhere else.
#include "s3/credentials/ways_fixture.h"
#include "s3/scripted_transport_fixture.h"

namespace stepstore::s3 {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class WhoIsAskedTest : public WaysFixture {};

// The order of AWS's documentation: variables, the section of the service, the profile, the region.
TEST_F(WhoIsAskedTest, StsIsWhereTheConfigurationSays) {
  const auto transport = std::make_shared<ScriptedTransport>();
  transport->then({.body = sts_answer("AssumeRole", "AK2")});
  const auto asked_at = [&] {
    (void)default_credentials(means(transport), "p")->current({});
    return transport->to().back().text();
  };
  const std::string role =
      "role_arn=arn:r\nsource_profile=p\naws_access_key_id=AK\n"
      "aws_secret_access_key=SK\n";
  write(".aws/config", "[profile p]\n" + role);
  EXPECT_EQ(asked_at(), "https://sts.eu-west-1.amazonaws.com");
  write(".aws/config", "[profile p]\nendpoint_url=https://all\n" + role);
  EXPECT_EQ(asked_at(), "https://all");
  write(".aws/config", "[profile p]\nservices=mine\nendpoint_url=https://all\n" + role +
                           "[services mine]\nsts =\n  endpoint_url = https://section\n");
  EXPECT_EQ(asked_at(), "https://section");
  variables["AWS_ENDPOINT_URL"] = "https://variable";
  EXPECT_EQ(asked_at(), "https://variable");
  variables["AWS_ENDPOINT_URL_STS"] = "https://sts-variable";
  EXPECT_EQ(asked_at(), "https://sts-variable");
  variables["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true";
  EXPECT_EQ(asked_at(), "https://sts.eu-west-1.amazonaws.com");
}

// What assumes a role, and what comes back, is a secret.
TEST_F(WhoIsAskedTest, StsIsAskedOverPlainHttpOnlyWhereThatIsAllowed) {
  const auto transport = std::make_shared<ScriptedTransport>();
  transport->then({.body = sts_answer("AssumeRole", "AK2")});
  write(".aws/config",
        "[profile p]\nrole_arn=arn:r\nsource_profile=p\naws_access_key_id=AK\n"
        "aws_secret_access_key=SK-hush\n");
  variables["AWS_ENDPOINT_URL_STS"] = "http://192.0.2.1:8080";
  CredentialsMeans needs = means(transport);
  try {
    (void)default_credentials(needs, "p")->current({});
    FAIL() << "was asked";
  } catch (const ConfigError& refused) {
    EXPECT_THAT(refused.what(), AllOf(HasSubstr("at http://192.0.2.1:8080 without TLS"),
                                      HasSubstr("allow_http=true"), Not(HasSubstr("hush"))));
  }
  EXPECT_EQ(transport->sent().size(), 0U);
  needs.allow_http = true;
  EXPECT_EQ(default_credentials(needs, "p")->current({})->access_key, "AK2");
  EXPECT_EQ(transport->to().back().text(), "http://192.0.2.1:8080");
}

// [G13] A token is for whom it was configured for.
TEST_F(WhoIsAskedTest, NoServiceIsFollowedElsewhere) {
  const auto transport = std::make_shared<ScriptedTransport>();
  const http::Headers elsewhere = {{"Location", "https://evil.example.com/"}};
  transport->then({.status = 307, .headers = elsewhere});
  variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://127.0.0.1:1/c";
  variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "hush";
  EXPECT_THROW((void)default_credentials(means(transport))->current({}), Unauthenticated);
  variables.erase("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  on_aws = true;
  EXPECT_THROW((void)default_credentials(means(transport))->current({}), Unauthenticated);
  write("token", "hush");
  variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = (home / "token").string();
  variables["AWS_ROLE_ARN"] = "arn:r";
  EXPECT_THROW((void)default_credentials(means(transport))->current({}), Unauthenticated);
  ASSERT_EQ(transport->to().size(), 3U);
  EXPECT_EQ(transport->to()[0].text(), "http://127.0.0.1:1");
  EXPECT_EQ(transport->to()[1].text(), "http://169.254.169.254");
  EXPECT_EQ(transport->to()[2].text(), "https://sts.eu-west-1.amazonaws.com");
}

// STS may be far away, behind a proxy; containers' and instances' services are next door.
TEST_F(WhoIsAskedTest, OnlyStsIsAskedByTheWayThatMayHaveAProxy) {
  const auto far = std::make_shared<ScriptedTransport>();
  const auto near = std::make_shared<ScriptedTransport>();
  far->then({.body = sts_answer("AssumeRoleWithWebIdentity", "STS")});
  near->then({.body = metadata_answer("NEAR")});
  CredentialsMeans both = means(far);
  both.direct = near;
  both.on_aws = true;
  variables["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/c";
  EXPECT_EQ(default_credentials(both)->current({})->access_key, "NEAR");
  variables.erase("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  near->plays({{.body = "token"}, {.body = "role"}, {.body = metadata_answer("NEARER")}});
  EXPECT_EQ(default_credentials(both)->current({})->access_key, "NEARER");
  EXPECT_TRUE(far->sent().empty());
  EXPECT_EQ(near->sent().size(), 4U);
  write("token", "t");
  variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = (home / "token").string();
  variables["AWS_ROLE_ARN"] = "arn:r";
  EXPECT_EQ(default_credentials(both)->current({})->access_key, "STS");
  EXPECT_EQ(near->sent().size(), 4U);
}

}  // namespace
}  // namespace stepstore::s3
