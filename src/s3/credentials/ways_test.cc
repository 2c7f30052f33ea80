// Each way to credentials asks what its service expects, byte for byte, and tells what is wrong.
#include "s3/credentials/process.h"
#include "s3/credentials/ways_fixture.h"
#include "s3/scripted_transport_fixture.h"
#include "s3/sigv4.h"
#include "s3/times.h"

namespace stepstore::s3 {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class WaysTest : public WaysFixture {};

TEST_F(WaysTest, ARoleIsAssumedWithTheKeysOfAnotherProfile) {
  variables["AWS_ENDPOINT_URL_STS"] = url();
  write(".aws/credentials",
        "[base]\naws_access_key_id=AK\naws_secret_access_key=SK\naws_session_token=T/K=\n");
  write(".aws/config",
        "[profile work]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n"
        "role_session_name = me\nexternal_id = a b\nduration_seconds = 900\n");
  answer("POST /", 200, sts_answer("AssumeRole", "AK2"));
  const auto found = find("work");
  EXPECT_EQ(found->access_key, "AK2");
  EXPECT_EQ(found->session_token, "T2");
  EXPECT_EQ(found->source, "role of profile work");
  const http::Received request = asked().at(0);
  EXPECT_EQ(request.body.view().text(),
            "Action=AssumeRole&DurationSeconds=900&ExternalId=a%20b&"
            "RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&RoleSessionName=me&Version=2011-06-15");
  EXPECT_EQ(header(request, "x-amz-date"), "20260101T000000Z");
  EXPECT_EQ(header(request, "x-amz-security-token"), "T/K=");
  http::Headers signed_headers;
  for (const auto& each : request.headers) {
    if (is_signed(each.first) && each.first != "Content-Length") signed_headers.push_back(each);
  }
  std::erase_if(signed_headers, [](const auto& each) { return each.first == "Authorization"; });
  const Target target{.path = "/"};
  Signer signer("eu-west-1", "sts");
  EXPECT_EQ(header(request, "Authorization"),
            signer.authorization({.method = "POST",
                                  .target = target,
                                  .headers = signed_headers,
                                  .payload_hash = hex(sha256(request.body.view()))},
                                 {.access_key = "AK", .secret_key = "SK", .session_token = "T/K="},
                                 amz_date(std::chrono::sys_days(std::chrono::year(2026) / 1 / 1))));
}

TEST_F(WaysTest, RolesMayFollowEachOtherButNotInACircle) {
  variables["AWS_ENDPOINT_URL_STS"] = url();
  answer("POST /", 200, sts_answer("AssumeRole", "AK2"));
  write(".aws/config",
        "[profile a]\nrole_arn=arn:a\nsource_profile=b\n[profile b]\nrole_arn=arn:b\n"
        "source_profile=c\n[profile c]\naws_access_key_id=AK\naws_secret_access_key=S\n"
        "[profile self]\nrole_arn=arn:s\nsource_profile=self\naws_access_key_id=AK\n"
        "aws_secret_access_key=S\n[profile x]\nrole_arn=arn:x\nsource_profile=y\n"
        "[profile y]\nrole_arn=arn:y\nsource_profile=x\n"
        "[profile env]\nrole_arn=arn:e\ncredential_source=Environment\n");
  EXPECT_EQ(find("a")->access_key, "AK2");
  EXPECT_THAT(std::string(asked().at(0).body.view().text()), HasSubstr("RoleArn=arn%3Ab"));
  EXPECT_THAT(std::string(asked().at(1).body.view().text()), HasSubstr("RoleArn=arn%3Aa"));
  EXPECT_THAT(header(asked().at(1), "Authorization"), HasSubstr("Credential=AK2/"));
  EXPECT_EQ(find("self")->access_key, "AK2") << "it has keys, too";
  EXPECT_THAT(refused("x"), HasSubstr("name each other in a circle"));
  variables["AWS_ACCESS_KEY_ID"] = "ENV";
  variables["AWS_SECRET_ACCESS_KEY"] = "S";
  EXPECT_EQ(find("env")->access_key, "AK2");
  EXPECT_THAT(header(asked().back(), "Authorization"), HasSubstr("Credential=ENV/"));
}

TEST_F(WaysTest, SaysWhatIsWrongWithARole) {
  write(".aws/config",
        "[profile none]\nrole_arn=arn:a\n[profile mfa]\nrole_arn=arn:a\nsource_profile=b\n"
        "mfa_serial=arn:mfa\n[profile gone]\nrole_arn=arn:a\nsource_profile=nobody\n"
        "[profile odd]\nrole_arn=arn:a\ncredential_source=Moon\n"
        "[profile long]\nrole_arn=arn:a\nsource_profile=none\nduration_seconds=1\n");
  EXPECT_THAT(refused("none"), HasSubstr("neither source_profile nor credential_source"));
  EXPECT_THAT(refused("mfa"), AllOf(HasSubstr("mfa_serial"), HasSubstr("export-credentials"),
                                    HasSubstr("credentials= in Python")));
  EXPECT_THAT(refused("gone"), HasSubstr("source_profile 'nobody' of profile 'gone' does not"));
  EXPECT_THAT(refused("odd"), HasSubstr("unknown credential_source"));
  EXPECT_THAT(refused("long"), HasSubstr("duration_seconds"));
}

TEST_F(WaysTest, WhatStsRefusesIsToldWithItsWords) {
  variables["AWS_ENDPOINT_URL_STS"] = url();
  write(".aws/config",
        "[profile p]\nrole_arn=arn:r\nsource_profile=p\naws_access_key_id=AK\n"
        "aws_secret_access_key=SK-hush\n");
  answer("POST /", 403,
         "<ErrorResponse><Error><Code>AccessDenied</Code><Message>User u is not authorized"
         "</Message></Error></ErrorResponse>");
  EXPECT_THAT(refused("p"), AllOf(HasSubstr("Unauthenticated"),
                                  HasSubstr("STS answered 403 AccessDenied: User u is not")));
  answer("POST /", 403,
         "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>key SK-hush"
         "</Message></Error></ErrorResponse>");
  EXPECT_THAT(refused("p"), AllOf(HasSubstr("SignatureDoesNotMatch"), Not(HasSubstr("hush"))));
  answer("POST /", 200, "<Other/>");
  EXPECT_THAT(refused("p"), HasSubstr("its root is another element"));
}

// [G20] Kubernetes replaces the token long before it expires.
TEST_F(WaysTest, TheTokenOfAWebIdentityIsReadAnewEachTime) {
  variables["AWS_ENDPOINT_URL_STS"] = url();
  variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = (home / "token").string();
  EXPECT_THAT(refused(), HasSubstr("AWS_ROLE_ARN is not"));
  variables["AWS_ROLE_ARN"] = "arn:r";
  variables["AWS_ROLE_SESSION_NAME"] = "me";
  EXPECT_THAT(refused(), HasSubstr("cannot be read"));
  write("token", "eyJ.one\n");
  answer("POST /", 200, sts_answer("AssumeRoleWithWebIdentity", "AK2"));
  const auto source = this->source();
  EXPECT_EQ(source->current({})->access_key, "AK2");
  EXPECT_EQ(asked().at(0).body.view().text(),
            "Action=AssumeRoleWithWebIdentity&RoleArn=arn%3Ar&RoleSessionName=me&"
            "Version=2011-06-15&WebIdentityToken=eyJ.one");
  EXPECT_EQ(header(asked().at(0), "Authorization"), "") << "the token is all that proves it";
  write("token", "eyJ.two\n");
  clock.advance(std::chrono::minutes(56));
  (void)source->current({});
  EXPECT_THAT(std::string(asked().at(1).body.view().text()), HasSubstr("=eyJ.two"));
}

// [G22] [G20]
TEST_F(WaysTest, AContainerIsAskedWithItsToken) {
  variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = url() + "/v1/creds?id=7";
  variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = (home / "token").string();
  write("token", "Bearer one\n");
  answer("GET /v1/creds?id=7", 200, metadata_answer("AKC"));
  const auto source = this->source();
  EXPECT_EQ(source->current({})->access_key, "AKC");
  EXPECT_EQ(header(asked().at(0), "Authorization"), "Bearer one");
  write("token", "Bearer two");
  clock.advance(std::chrono::minutes(56));
  (void)source->current({});
  EXPECT_EQ(header(asked().at(1), "Authorization"), "Bearer two");
  variables.erase("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "Basic x";
  EXPECT_EQ(find()->access_key, "AKC");
  EXPECT_EQ(header(asked().back(), "Authorization"), "Basic x");
  variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "hush\r\nX: y";
  EXPECT_THAT(refused(), AllOf(HasSubstr("a character that no token has"), Not(HasSubstr("hush"))));
}

// [G22] The answer is a secret.
TEST_F(WaysTest, AContainersEndpointMayBePlainOnlyOnTheMachine) {
  for (const std::string place :
       {"http://192.0.2.1", "http://example.com", "http://169.254.170.3"}) {
    variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = place + "/x";
    EXPECT_THAT(refused(), HasSubstr("would send secrets over plain HTTP")) << place;
  }
  const auto transport = std::make_shared<ScriptedTransport>();
  transport->then({.body = metadata_answer("AKC")});
  for (const std::string place :
       {"http://169.254.170.2", "http://169.254.170.23", "http://[fd00:ec2::23]",
        "http://localhost:8080", "https://example.com"}) {
    variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = place + "/x";
    EXPECT_EQ(default_credentials(means(transport))->current({})->access_key, "AKC") << place;
  }
  variables["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/task";
  (void)default_credentials(means(transport))->current({});
  EXPECT_EQ(transport->to().back().host, "169.254.170.2");
  EXPECT_EQ(transport->sent().back().request.target, "/v2/task");
  variables["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "@example.com/";
  EXPECT_THAT(refused(), HasSubstr("user name"));
}

// [G21]
TEST_F(WaysTest, AnInstanceIsAskedWithATokenFirst) {
  on_aws = true;
  variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = url() + "/";
  const std::string roles = "/latest/meta-data/iam/security-credentials/";
  answer("PUT /latest/api/token", 200, "tok==");
  EXPECT_THAT(refused(), HasSubstr("the instance has no role"));
  answer("GET " + roles, 200, "the-role\n");
  answer("GET " + roles + "the-role", 200, metadata_answer("AKI"));
  received.clear();
  EXPECT_EQ(find()->access_key, "AKI");
  ASSERT_EQ(asked().size(), 3U);
  EXPECT_EQ(asked()[0].method, "PUT");
  EXPECT_EQ(header(asked()[0], "X-aws-ec2-metadata-token-ttl-seconds"), "21600");
  EXPECT_EQ(header(asked()[1], "X-aws-ec2-metadata-token"), "tok==");
  EXPECT_EQ(header(asked()[2], "X-aws-ec2-metadata-token"), "tok==");
  answer("PUT /latest/api/token", 403, "");
  received.clear();
  EXPECT_THAT(refused(), HasSubstr("answered 403"));
  EXPECT_EQ(asked().size(), 1U) << "never by version 1";
}

// [G21] A look costs a second where there is no such service.
TEST_F(WaysTest, AnInstanceIsNotAskedInVain) {
  const auto transport = std::make_shared<ScriptedTransport>();
  transport->then(no_answer(ErrorCode::Timeout));
  EXPECT_THROW((void)default_credentials(means(transport))->current({}), Unauthenticated);
  EXPECT_EQ(transport->sent().size(), 0U) << "the store is not AWS's";
  on_aws = true;
  variables["AWS_EC2_METADATA_DISABLED"] = "true";
  EXPECT_THROW((void)default_credentials(means(transport))->current({}), Unauthenticated);
  EXPECT_EQ(transport->sent().size(), 0U);
  variables.erase("AWS_EC2_METADATA_DISABLED");
  const auto source = default_credentials(means(transport));
  for (int i = 0; i < 5; ++i) {
    try {
      (void)source->current({});
      FAIL();
    } catch (const Unauthenticated& none) {
      EXPECT_THAT(none.what(), AllOf(HasSubstr("AWS_ACCESS_KEY_ID is not set"),
                                     HasSubstr("there is no metadata service")));
    }
    clock.advance(std::chrono::seconds(10));
  }
  EXPECT_EQ(transport->sent().size(), 1U) << "silence is not asked twice, and remembered";
  EXPECT_EQ(transport->to().front().host, "169.254.169.254");
}

// [G23]
TEST(SplitCommand, AsAShellWouldWithoutBeingOne) {
  const auto words = [](std::string_view text) { return *split_command(text); };
  EXPECT_THAT(words(" a  'b c' \"d \\\"e\" f\\ g h'i'j \"\" $X `y` "),
              ElementsAre("a", "b c", "d \"e", "f g", "hij", "", "$X", "`y`"));
  EXPECT_THAT(words("'a\\b' \"c\\d\""), ElementsAre("a\\b", "c\\d"));
  EXPECT_TRUE(words("  ").empty());
  EXPECT_FALSE(split_command("a 'b"));
}

// [G23]
TEST_F(WaysTest, AProgramPrintsTheKeys) {
  const auto prints = [&](const std::string& text, const std::string& end = "") {
    write("keys.json", text);
    write(".aws/config", "[profile p]\ncredential_process = sh -c 'cat " +
                             (home / "keys.json").string() + "; echo hush >&2; " + end + "'\n");
  };
  const std::string keys = R"("AccessKeyId":"AKP","SecretAccessKey":"hush","SessionToken":"T")";
  prints(R"({"Version":1,)" + keys + R"(,"Expiration":"2026-01-01T01:00:00+00:00"})");
  EXPECT_EQ(find("p")->access_key, "AKP");
  EXPECT_EQ(find("p")->expires_at,
            std::chrono::sys_days(std::chrono::year(2026) / 1 / 1) + std::chrono::hours(1));
  prints("{\"Version\":1," + keys + "}");
  EXPECT_EQ(find("p")->expires_at, std::nullopt);
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"{\"Version\":2," + keys + "}", "Version"},
      {"hush", "is no JSON object"},
      {R"({"Version":1,"AccessKeyId":"hush"})", "no SecretAccessKey"},
      {R"({"Version":1,"SecretAccessKey":"hush"})", "no AccessKeyId"},
      {R"({"Version":1,"AccessKeyId":"A","SecretAccessKey":"hush\r\nX"})", "no key has"},
      {"{\"Version\":1," + keys + R"(,"Expiration":"hush"})", "no time in UTC"},
      {"{\"Version\":1," + keys + R"(,"Expiration":"2025-12-31T00:00:00Z"})", "have expired"}};
  for (const auto& [text, message] : wrong) {
    prints(text);
    EXPECT_THAT(refused("p"), AllOf(HasSubstr(message), Not(HasSubstr("hush"))));
  }
  prints("{\"Version\":1," + keys + "}", "exit 4");
  EXPECT_THAT(refused("p"), AllOf(HasSubstr("has ended with status 4"), Not(HasSubstr("hush"))));
  write(".aws/config", "[profile p]\ncredential_process = /no/such --key hush\n");
  EXPECT_THAT(refused("p"), AllOf(HasSubstr("cannot be started"), Not(HasSubstr("hush"))));
  write(".aws/config", "[profile p]\ncredential_process = sh 'hush\n");
  EXPECT_THAT(refused("p"), AllOf(HasSubstr("quote"), Not(HasSubstr("hush"))));
}

// As the documentation of AWS orders them.
TEST_F(WaysTest, OneWayGoesBeforeTheOther) {
  variables["AWS_ENDPOINT_URL_STS"] = url();
  answer("POST /", 200, sts_answer("AssumeRole", "ROLE"));
  answer("GET /c", 200, metadata_answer("CONTAINER"));
  on_aws = true;
  variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = url();
  answer("PUT /latest/api/token", 200, "t");
  answer("GET /latest/meta-data/iam/security-credentials/", 200, "r");
  answer("GET /latest/meta-data/iam/security-credentials/r", 200, metadata_answer("INSTANCE"));
  EXPECT_EQ(find()->access_key, "INSTANCE");
  variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = url() + "/c";
  EXPECT_EQ(find()->access_key, "CONTAINER");
  EXPECT_THAT(refused("nobody"), HasSubstr("does not exist")) << "no other identity instead";
  const std::string config = "aws_access_key_id=CONFIG\naws_secret_access_key=S\n";
  write(".aws/config", "[default]\n" + config);
  EXPECT_EQ(find()->access_key, "CONFIG");
  const std::string process =
      "credential_process=echo "
      R"('{"Version":1,"AccessKeyId":"PROCESS","SecretAccessKey":"S"}')"
      "\n";
  write(".aws/config", "[default]\n" + config + process);
  EXPECT_EQ(find()->access_key, "PROCESS");
  write(".aws/credentials", "[default]\naws_access_key_id=FILE\naws_secret_access_key=S\n");
  EXPECT_EQ(find()->access_key, "FILE");
  write(".aws/config", "[default]\n" + config + process + "role_arn=r\nsource_profile=default\n");
  EXPECT_EQ(find()->access_key, "ROLE");
  variables["AWS_ACCESS_KEY_ID"] = "VARIABLE";
  variables["AWS_SECRET_ACCESS_KEY"] = "S";
  EXPECT_EQ(find()->access_key, "VARIABLE");
  EXPECT_EQ(find("default")->access_key, "ROLE") << "a profile that was named comes before";
}

}  // namespace
}  // namespace stepstore::s3
