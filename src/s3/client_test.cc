// The client addresses and signs as S3 wants it, renews credentials and sets its clock when told
// so, and shows no secret.
#include "s3/client.h"

#include <gmock/gmock.h>

#include <thread>

#include "s3/digest.h"
#include "s3/scripted_transport_fixture.h"
#include "s3/sigv4.h"
#include "s3/times.h"
#include "stepstore/log.h"

namespace stepstore::s3 {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class S3Client : public ClientFixture {};

TEST_F(S3Client, AddressesTheBucketByPath) {
  ASSERT_TRUE(client().send_one(get(), {}).ok());
  EXPECT_EQ(transport->sent().at(0).request.method, "GET");
  EXPECT_EQ(transport->sent().at(0).request.target, "/steps/a/b");
  EXPECT_EQ(transport->header(0, "Host"), "s3.example.com");
  EXPECT_EQ(transport->to().at(0).host, "s3.example.com");
}

TEST_F(S3Client, AddressesTheBucketByHost) {
  ClientOptions options = default_options();
  options.style = AddressStyle::virtual_host;
  options.endpoint.port = 8443;
  const std::vector<Operation> operations = {get(), list_objects({.prefix = "p q/"})};
  transport->plays({{}, {.body = "<ListBucketResult/>"}});
  for (const auto& answer : client(options).send(operations, {})) EXPECT_TRUE(answer.ok());
  EXPECT_EQ(transport->sent().at(0).request.target, "/a/b");
  EXPECT_EQ(transport->sent().at(1).request.target,
            "/?encoding-type=url&list-type=2&prefix=p%20q%2F");
  EXPECT_EQ(transport->header(0, "Host"), "steps.s3.example.com:8443");
  EXPECT_EQ(transport->to().at(0).host, "steps.s3.example.com");
}

// [G6] [G7]
TEST_F(S3Client, SignsWithTheTimeTheTokenAndTheRegion) {
  ClientOptions options = default_options();
  options.region = "eu-west-1";
  ASSERT_TRUE(client(options).send_one(put(Condition::absent()), {}).ok());
  EXPECT_EQ(transport->header(0, "x-amz-date"), "20260101T000000Z");
  EXPECT_EQ(transport->header(0, "x-amz-security-token"), kToken);
  EXPECT_THAT(transport->header(0, "Authorization"),
              StartsWith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/eu-west-1/s3/"
                         "aws4_request, SignedHeaders=content-type;host;if-none-match;"
                         "x-amz-checksum-crc64nvme;x-amz-content-sha256;x-amz-date;"
                         "x-amz-security-token, Signature="));
}

// [G4] Computed again from what went out, as a server does it: the target and the headers as sent.
TEST_F(S3Client, SignsTheBytesThatItSends) {
  const std::vector<std::string> keys = {"a//b",           "./x",   "x/../y",
                                         "a b+c/\xC3\xA4", "%2F/%", "~-_."};
  for (const AddressStyle style : {AddressStyle::path, AddressStyle::virtual_host}) {
    ClientOptions options = default_options();
    options.style = style;
    options.endpoint.port = 8443;
    Client& one = client(options);
    for (const std::string& key : keys) {
      Operation odd = get();
      odd.key = key;
      odd.query = {{"versionId", "v+/="}, {"delete", ""}};
      ASSERT_TRUE(one.send_one(odd, {}).ok());
      const http::Request& sent = transport->sent().back().request;
      const std::size_t question = sent.target.find('?');
      http::Headers headers;
      for (const auto& each : sent.headers) {
        if (is_signed(each.first)) headers.push_back(each);
      }
      const Target target{.path = sent.target.substr(0, question),
                          .query = sent.target.substr(question + 1)};
      Signer signer("us-east-1");
      EXPECT_EQ(*http::find_header(sent.headers, "Authorization"),
                signer.authorization(
                    {.method = "GET",
                     .target = target,
                     .headers = headers,
                     .payload_hash = *http::find_header(sent.headers, "x-amz-content-sha256")},
                    {.access_key = "AKIDEXAMPLE", .secret_key = kSecret, .session_token = kToken},
                    amz_date(std::chrono::sys_days(std::chrono::year(2026) / 1 / 1))))
          << sent.target;
    }
  }
}

// [G33] Joining the parts of an upload takes the server minutes, in which it says nothing.
TEST_F(S3Client, WaitsLongerForTheEndOfAnUpload) {
  const std::vector<UploadedPart> parts = {{.number = 1, .etag = "e", .crc64 = 1}};
  transport->plays({{}, {.body = "<CompleteMultipartUploadResult/>"}});
  ASSERT_TRUE(client().send_one(put(), {}).ok());
  ASSERT_TRUE(client()
                  .send_one(complete_multipart_upload(ObjectKey("a/b"), "U", parts, {}, 1, {}), {})
                  .ok());
  EXPECT_EQ(transport->sent().at(0).first_byte_timeout.count(), 0) << "the transport's own";
  EXPECT_GE(transport->sent().at(1).first_byte_timeout, std::chrono::minutes(3));
}

// TLS guards the body already, and so does a wire that leaves no machine.
TEST_F(S3Client, SignsTheBodyOnlyWhereNothingElseGuardsIt) {
  struct Row {
    bool tls;
    const char* host;
    SignPayload sign;
    bool hashed;
  };
  const std::vector<Row> rows = {
      {true, "s3.example.com", SignPayload::automatic, false},
      {false, "localhost", SignPayload::automatic, false},
      {false, "127.0.0.1", SignPayload::automatic, false},
      {false, "s3.example.com", SignPayload::automatic, true},
      {true, "s3.example.com", SignPayload::always, true},
      {false, "s3.example.com", SignPayload::never, false},
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ClientOptions options = default_options();
    options.endpoint = {.tls = rows[i].tls, .host = rows[i].host, .port = 9000};
    options.sign_payload = rows[i].sign;
    ASSERT_TRUE(client(options).send_one(put(), {}).ok());
    // SHA-256 of "body".
    EXPECT_EQ(transport->header(i, "x-amz-content-sha256"),
              rows[i].hashed ? "230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5"
                             : "UNSIGNED-PAYLOAD")
        << "row " << i;
  }
}

// [G30]
TEST_F(S3Client, SendsEmptyBodiesOverPlainHttpWithTheirHash) {
  ClientOptions options = default_options();
  options.endpoint.tls = false;
  ASSERT_TRUE(client(options).send_one(get(), {}).ok());
  EXPECT_EQ(transport->header(0, "x-amz-content-sha256"),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_F(S3Client, SendsAllAtOnceAndAnswersInOrder) {
  const std::vector<Operation> operations = {get(), put(), get()};
  transport->plays({{.body = "one"}, refusal(403, "AccessDenied"), {.body = "three"}});
  const auto answers = client().send(operations, {});
  ASSERT_EQ(answers.size(), 3U);
  EXPECT_EQ(answers[0]->response.body.text(), "one");
  EXPECT_TRUE(answers[1].is(ErrorCode::PermissionDenied));
  EXPECT_EQ(answers[2]->response.body.text(), "three");
  EXPECT_EQ(transport->calls(), std::vector<std::size_t>{3});
}

TEST_F(S3Client, SendsNothingForNoOperations) {
  EXPECT_TRUE(client().send({}, {}).empty());
  EXPECT_TRUE(transport->calls().empty());
}

class S3ClientCredentials : public ClientFixture {
 protected:
  // Changes its credentials when told that they were refused.
  struct Renewing final : CredentialsSource {
    int refreshes = 0;
    bool works = true;
    std::shared_ptr<const Credentials> current(const CallLimits&) override {
      return std::make_shared<const Credentials>(
          Credentials{.access_key = "AK" + std::to_string(refreshes), .secret_key = kSecret});
    }
    bool refresh(const Credentials& refused) override {
      EXPECT_EQ(refused.access_key, "AK" + std::to_string(refreshes));
      ++refreshes;
      return works;
    }
    std::string describe() const override { return "renewing"; }
  };
  std::shared_ptr<Renewing> renewing = std::make_shared<Renewing>();
};

// [G18]
TEST_F(S3ClientCredentials, RenewsOnceForAllRequestsOfACall) {
  transport->plays({refusal(400, "ExpiredToken"), refusal(400, "ExpiredToken"), {}, {}});
  const std::vector<Operation> operations = {get(), get()};
  for (const auto& answer : client(default_options(), renewing).send(operations, {})) {
    EXPECT_TRUE(answer.ok());
  }
  EXPECT_EQ(renewing->refreshes, 1);
  EXPECT_THAT(transport->header(2, "Authorization"), HasSubstr("Credential=AK1/"));
  EXPECT_EQ(elapsed(), milliseconds(0)) << "there is nothing to wait for";
}

TEST_F(S3ClientCredentials, RenewsOnlyOnce) {
  transport->then(refusal(400, "ExpiredToken"));
  const auto answer = client(default_options(), renewing).send_one(get(), {});
  ASSERT_TRUE(answer.is(ErrorCode::Unauthenticated));
  EXPECT_EQ(renewing->refreshes, 1);
  EXPECT_EQ(transport->calls().size(), 2U);
}

TEST_F(S3ClientCredentials, DoesNotAskAgainWithCredentialsThatCannotBeRenewed) {
  transport->then(refusal(400, "ExpiredToken"));
  EXPECT_TRUE(client().send_one(get(), {}).is(ErrorCode::Unauthenticated));
  EXPECT_EQ(transport->calls().size(), 1U);
}

TEST_F(S3ClientCredentials, MissingOnesAreEachOperationsError) {
  const std::vector<Operation> operations = {get(), put()};
  const auto answers = client(default_options(), fixed_credentials({})).send(operations, {});
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_TRUE(answers[0].is(ErrorCode::Unauthenticated));
  EXPECT_TRUE(answers[1].is(ErrorCode::Unauthenticated));
  EXPECT_TRUE(transport->calls().empty());
}

// A source that somebody else wrote may throw anything; a write that may have happened stays told.
TEST_F(S3ClientCredentials, ASourceThatThrowsLosesNoDoubt) {
  struct Throwing final : CredentialsSource {
    int calls = 0;
    std::shared_ptr<const Credentials> current(const CallLimits&) override {
      if (++calls > 1) throw std::runtime_error("no network");
      return std::make_shared<const Credentials>(
          Credentials{.access_key = "A", .secret_key = kSecret});
    }
    bool refresh(const Credentials&) override { return false; }
    std::string describe() const override { return "throwing"; }
  };
  transport->plays({no_answer(ErrorCode::Unavailable, true)});
  const auto answer = client(default_options(), std::make_shared<Throwing>())
                          .send_one(put(Condition::absent()), {});
  ASSERT_TRUE(answer.is(ErrorCode::Unauthenticated));
  EXPECT_TRUE(answer.error().outcome_unknown());
  EXPECT_TRUE(answer.error().cause());
  EXPECT_EQ(answer.error().attempts().size(), 1U);
}

class S3ClientClock : public ClientFixture {};

// [G10]
TEST_F(S3ClientClock, SignsByTheServersClockWhenOursIsWrong) {
  const Play skewed =
      refusal(403, "RequestTimeTooSkewed", {{"Date", "Thu, 01 Jan 2026 01:00:00 GMT"}});
  transport->plays({skewed, {}});
  Client& one = client();
  ASSERT_TRUE(one.send_one(get(), {}).ok());
  EXPECT_EQ(transport->header(1, "x-amz-date"), "20260101T010000Z");
  ASSERT_TRUE(one.send_one(get(), {}).ok());
  EXPECT_EQ(transport->header(2, "x-amz-date"), "20260101T010000Z") << "and from then on";

  transport->plays({skewed, skewed});
  const auto answer = client().send_one(get(), {});
  ASSERT_TRUE(answer.is(ErrorCode::Unauthenticated));
  EXPECT_THAT(answer.error().what(),
              HasSubstr("the server's reads 2026-01-01 01:00:00 UTC, this one's read"));
}

// [G11]
TEST_F(S3Client, IsSharedByThreads) {
  Client& one = client();
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 200; ++i) EXPECT_TRUE(one.send_one(put(Condition::absent()), {}).ok());
      });
    }
    // Midnight comes meanwhile: the key of the day changes under way.
    for (int i = 0; i < 20; ++i) clock.advance(std::chrono::hours(7));
  }
  EXPECT_EQ(transport->sent().size(), 800U);
  for (std::size_t i = 0; i < 800; ++i) {
    const std::string scope =
        "Credential=AKIDEXAMPLE/" + transport->header(i, "x-amz-date").substr(0, 8) + "/us-east-1/";
    EXPECT_THAT(transport->header(i, "Authorization"), HasSubstr(scope));
  }
}

class S3ClientSecrets : public ClientFixture {};

// [G23] Also in another spelling, and where the server's words are cut: a token is longer than what
// of them is told.
TEST_F(S3ClientSecrets, AreInNoErrorHoweverTheyAreSpelled) {
  const std::string token = std::string(300, 'T') + canary() + std::string(300, 'T');
  const auto source = fixed_credentials(
      {.access_key = "AKIDEXAMPLE", .secret_key = canary(), .session_token = token});
  ClientOptions options = default_options();
  options.retry.attempts_max = 1;
  const auto all_of_it = [&](const std::string& words) {
    transport->plays({{.status = 403,
                       .body = "<Error><Code>InvalidToken</Code><Message>you sent " + words +
                               "</Message></Error>"}});
    return all_text(client(options, source).send_one(get(), {}).error());
  };
  EXPECT_THAT(all_of_it(token), Not(HasSubstr("TTT")));
  for (const std::size_t before : {0U, 1U, 2U}) {
    const std::string encoded = base64(BytesView(std::string(before, '.') + canary() + ":more"));
    const std::string told = all_of_it(encoded);
    EXPECT_THAT(told, HasSubstr("***")) << before;
    EXPECT_THAT(told, Not(HasSubstr(encoded.substr(8, 20)))) << before;
  }
  for (const std::string& spelled :
       {uri_encode(uri_encode(canary())), uri_encode(canary()), canary()}) {
    const std::string told = all_of_it(spelled);
    EXPECT_THAT(told, HasSubstr("you sent ***"));
    EXPECT_THAT(told, Not(HasSubstr(spelled)));
  }
}

// [G23] Whatever a server repeats of what it was sent, no error and no line of the log shows it.
TEST_F(S3ClientSecrets, AreInNoErrorAndNoLog) {
  std::string log;
  set_log_handler([&log](const LogRecord& record) { log += record.message + '\n'; },
                  LogLevel::debug);
  const auto echo = [](const std::string& code) {
    return "<Error><Code>" + code + "</Code><Message>you sent " + std::string(kSecret) + " and " +
           kToken + "</Message><RequestId>" + kToken + "</RequestId></Error>";
  };
  ClientOptions options = default_options();
  options.retry.attempts_max = 2;
  transport->plays(
      {{.status = 403, .body = echo("AccessDenied")},
       {.status = 500, .body = echo("InternalError")},
       {.status = 500, .body = echo("InternalError"), .headers = {{"x-amz-request-id", kSecret}}},
       {.status = 301, .body = "", .headers = {{"Location", kToken}}}});
  for (int i = 0; i < 3; ++i) {
    const auto answer = client(options).send_one(get(), {});
    ASSERT_FALSE(answer.ok());
    EXPECT_THAT(all_text(answer.error()), Not(HasSubstr(kSecret)));
    EXPECT_THAT(all_text(answer.error()), Not(HasSubstr(kToken)));
    EXPECT_THAT(all_text(answer.error()), Not(HasSubstr("Signature")));
  }
  set_log_handler({});
  EXPECT_TRUE(transport->is_over());
  EXPECT_THAT(log, HasSubstr("403 AccessDenied"));
  EXPECT_THAT(log, Not(HasSubstr(kSecret)));
  EXPECT_THAT(log, Not(HasSubstr(kToken)));
  EXPECT_THAT(log, Not(HasSubstr("Signature")));
}

// An answer that says no must fit, however few bytes were asked for.
TEST_F(S3Client, AllowsMoreBytesForARefusalThanForTheObject) {
  const Operation small = get_object({.key = ObjectKey("a/b"), .range = {}, .if_match = {}}, 10);
  transport->plays({refusal(404, "NoSuchKey"), {.body = "0123456789"}, {.body = "0123456789a"}});
  EXPECT_TRUE(client().send_one(small, {}).is(ErrorCode::NotFound));
  EXPECT_TRUE(client().send_one(small, {}).ok());
  EXPECT_TRUE(client().send_one(small, {}).is(ErrorCode::TooLarge));
  EXPECT_EQ(transport->sent().at(0).response_bytes_max, 64U << 10);
}

}  // namespace
}  // namespace stepstore::s3
