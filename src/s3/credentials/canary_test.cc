// Whatever fails, no message and no log line holds a secret: raw, URL-encoded or in base64. [G23]
#include "tests/canary/canary.h"
#include "s3/credentials/ways_fixture.h"
#include "s3/digest.h"
#include "s3/encode.h"
#include "stepstore/log.h"

namespace stepstore::s3 {
namespace {

// With a blank, which URLs encode in two ways.
const std::string kCanary = canary() + " of the secret kind";

class CanaryTest : public WaysFixture {
 protected:
  CanaryTest() {
    set_log_handler([this](const LogRecord& record) { told += record.message + '\n'; },
                    LogLevel::trace);
    variables["AWS_ENDPOINT_URL_STS"] = url();
  }
  ~CanaryTest() override { set_log_handler({}); }

  // Every answer that a broken or spiteful service may give, with the canary in it.
  void every_answer(const std::string& request, const std::function<void()>& ask) {
    const std::string plain(kCanary);
    for (const std::string& secret : {plain, uri_encode(plain), base64(BytesView(plain))}) {
      const std::vector<std::string> bodies = {
          secret,
          "<ErrorResponse><Error><Code>" + secret +
              "</Code><Message>m</Message></Error>"
              "</ErrorResponse>",
          "<ErrorResponse><Error><Code>Denied</Code><Message>sent " + secret +
              "</Message><RequestId>" + secret + "</RequestId></Error></ErrorResponse>",
          "<AssumeRoleResponse>" + secret + "</AssumeRoleResponse>",
          R"({"Code":")" + secret + R"("})",
          R"({"AccessKeyId":"A","SecretAccessKey":")" + secret + R"(","Expiration":"x"})"};
      for (const std::string& body : bodies) {
        for (const int status : {200, 400, 403, 500}) {
          answer(request, status, body);
          ask();
        }
      }
    }
  }
  void expect_silence() {
    const std::string plain(kCanary);
    EXPECT_GT(told.size(), 1000U);
    EXPECT_EQ(told.find(plain), std::string::npos);
    EXPECT_EQ(told.find(uri_encode(plain)), std::string::npos);
    EXPECT_EQ(told.find(base64(BytesView(plain)).substr(0, 30)), std::string::npos);
    EXPECT_EQ(told.find("c4nary"), std::string::npos);
  }

  std::string told;
};

TEST_F(CanaryTest, OfARole) {
  write(".aws/credentials",
        "[base]\naws_access_key_id=A\naws_secret_access_key=" + std::string(kCanary) +
            "\naws_session_token=" + std::string(kCanary) + "\n");
  write(".aws/config", "[profile p]\nrole_arn=r\nsource_profile=base\n");
  every_answer("POST /", [&] { told += refused("p") + '\n'; });
  expect_silence();
}

TEST_F(CanaryTest, OfAWebIdentity) {
  write("token", std::string(kCanary));
  variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = (home / "token").string();
  variables["AWS_ROLE_ARN"] = "r";
  every_answer("POST /", [&] { told += refused() + '\n'; });
  expect_silence();
}

TEST_F(CanaryTest, OfAContainer) {
  variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = url() + "/c";
  variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = std::string(kCanary);
  every_answer("GET /c", [&] { told += refused() + '\n'; });
  variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = std::string(kCanary) + '\n';
  told += refused();
  expect_silence();
}

TEST_F(CanaryTest, OfAnInstance) {
  on_aws = true;
  variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = url();
  const std::string roles = "/latest/meta-data/iam/security-credentials/";
  every_answer("PUT /latest/api/token", [&] { told += refused() + '\n'; });
  answer("PUT /latest/api/token", 200, "tok");
  every_answer("GET " + roles, [&] { told += refused() + '\n'; });
  answer("GET " + roles, 200, "r");
  every_answer("GET " + roles + "r", [&] { told += refused() + '\n'; });
  expect_silence();
}

TEST_F(CanaryTest, OfVariablesFilesAndPrograms) {
  const std::string canary(kCanary);
  variables["AWS_SECRET_ACCESS_KEY"] = canary;
  told += refused() + '\n';
  variables.erase("AWS_SECRET_ACCESS_KEY");
  write(".aws/credentials", "[default]\naws_secret_access_key=" + canary + "\n");
  told += refused() + '\n';
  write(".aws/credentials", "");
  for (const std::string& command : std::vector<std::string>{
           "echo '" + canary + "'", "sh -c 'exit 1' '" + canary + "'", "/none '" + canary + "'",
           "sh -c 'echo " + canary + " >&2; kill -9 $$'", "echo '" + canary}) {
    write(".aws/config", "[default]\ncredential_process=" + command + "\n");
    told += refused() + '\n';
  }
  told.append(1000, ' ');
  expect_silence();
}

}  // namespace
}  // namespace stepstore::s3
