// The client sends again only what failed and may pass, waits as long as it says, and tells of a
// write that may have happened.
#include "s3/client.h"

#include <gmock/gmock.h>

#include "s3/scripted_transport_fixture.h"

namespace stepstore::s3 {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

class S3ClientRetry : public ClientFixture {};

// [G25]
TEST_F(S3ClientRetry, SendsAgainOnlyWhatFailed) {
  const std::vector<Operation> operations = {get(), put(), head_object(ObjectKey("c"))};
  transport->plays({{}, refusal(500, "InternalError"), no_answer(ErrorCode::Unavailable), {}, {}});
  const auto answers = client().send(operations, {});
  for (const auto& answer : answers) EXPECT_TRUE(answer.ok());
  EXPECT_EQ(transport->calls(), (std::vector<std::size_t>{3, 2}));
  EXPECT_EQ(transport->sent().at(3).request.method, "PUT");
  EXPECT_EQ(transport->sent().at(4).request.method, "HEAD");
  EXPECT_EQ(transport->bodies().at(3), "body");
  EXPECT_EQ(answers[0]->attempts, 1);
  EXPECT_EQ(answers[1]->attempts, 2);
  EXPECT_TRUE(answers[1]->maybe_applied_before) << "the 500 may have been a success";
  EXPECT_FALSE(answers[2]->maybe_applied_before);
}

// [G9] A request that has waited for longer than 15 minutes would be refused with its old
// signature.
TEST_F(S3ClientRetry, SignsEveryAttemptAnew) {
  transport->plays({refusal(503, "SlowDown", {{"Retry-After", "7"}}), {}});
  ASSERT_TRUE(client().send_one(get(), {}).ok());
  EXPECT_EQ(transport->header(0, "x-amz-date"), "20260101T000000Z");
  EXPECT_EQ(transport->header(1, "x-amz-date"), "20260101T000007Z");
  EXPECT_NE(transport->header(0, "Authorization"), transport->header(1, "Authorization"));
  EXPECT_EQ(elapsed(), seconds(7));
}

// [G27]
TEST_F(S3ClientRetry, ObeysRetryAfterOnlyUpToTheLongestWait) {
  transport->plays({refusal(503, "SlowDown", {{"Retry-After", "3600"}}), {}});
  ASSERT_TRUE(client().send_one(get(), {}).ok());
  EXPECT_EQ(elapsed(), seconds(10));
}

TEST_F(S3ClientRetry, TakesRetryAfterAsATime) {
  transport->plays(
      {refusal(503, "SlowDown", {{"Retry-After", "Thu, 01 Jan 2026 00:00:03 GMT"}}), {}});
  ASSERT_TRUE(client().send_one(get(), {}).ok());
  EXPECT_EQ(elapsed(), seconds(3));
}

TEST_F(S3ClientRetry, StopsAfterTheAttemptsAllowed) {
  transport->then(refusal(500, "InternalError", {{"x-amz-request-id", "R1"}}));
  ClientOptions options = default_options();
  options.retry.attempts_max = 4;
  const auto answer = client(options).send_one(get(), {});
  ASSERT_TRUE(answer.is(ErrorCode::Unavailable));
  EXPECT_EQ(transport->calls().size(), 4U);
  EXPECT_EQ(answer.error().http_status(), 500);
  EXPECT_EQ(answer.error().request_id(), "R1");
  EXPECT_EQ(answer.error().operation(), "GetObject");
  EXPECT_EQ(answer.error().key(), "a/b");
  EXPECT_TRUE(answer.error().retryable());
  EXPECT_FALSE(answer.error().outcome_unknown()) << "a read leaves no doubt";
  ASSERT_EQ(answer.error().attempts().size(), 4U);
  EXPECT_EQ(answer.error().attempts()[3].what,
            "4 of 4: GetObject to https://s3.example.com (192.0.2.1:9000): 500 InternalError, "
            "request R1, 12.0 ms");
  EXPECT_EQ(answer.error().attempts()[3].request_id, "R1");
  EXPECT_EQ(answer.error().attempts()[3].peer, "192.0.2.1:9000");
  EXPECT_EQ(answer.error().attempts()[3].http_status, 500);
  EXPECT_EQ(answer.error().attempts()[3].total, milliseconds(12));
  EXPECT_THAT(answer.error().what(), HasSubstr("4 attempts"));
}

// [G28]
TEST_F(S3ClientRetry, BeginsNoRetryAfterTheTotalTime) {
  transport->then(refusal(503, "SlowDown"));
  ClientOptions options = default_options();
  options.retry.attempts_max = 1000;
  options.retry.total = seconds(20);
  const auto answer = client(options).send_one(get(), {});
  ASSERT_TRUE(answer.is(ErrorCode::Throttled));
  EXPECT_LT(elapsed(), seconds(20));
  EXPECT_GT(transport->calls().size(), 3U);
  EXPECT_THAT(answer.error().what(), HasSubstr("no room for another try"));
}

TEST_F(S3ClientRetry, BeginsNoRetryBeyondTheDeadline) {
  transport->then(refusal(503, "SlowDown", {{"Retry-After", "2"}}));
  const auto answer = client().send_one(get(), {.deadline = clock.steady_now() + seconds(5)});
  ASSERT_TRUE(answer.is(ErrorCode::Throttled));
  EXPECT_EQ(transport->calls().size(), 3U);
  EXPECT_EQ(elapsed(), seconds(4));
}

// [G28]
TEST_F(S3ClientRetry, StopsWaitingWhenTheCallerStops) {
  transport->then(refusal(503, "SlowDown", {{"Retry-After", "9"}}));
  std::stop_source source;
  transport->before_each([&] { source.request_stop(); });
  const auto answer = client().send_one(put(), {.stop = source.get_token()});
  ASSERT_TRUE(answer.is(ErrorCode::Cancelled));
  EXPECT_EQ(elapsed(), milliseconds(0));
  EXPECT_EQ(answer.error().attempts().size(), 1U) << "what was tried before is told";
}

TEST_F(S3ClientRetry, StopsWaitingWhenInterrupted) {
  transport->then(no_answer(ErrorCode::Timeout, true));
  ClientOptions options = default_options();
  options.retry.base = seconds(10);
  int asked = 0;
  const auto answer =
      client(options).send_one(put(), {.interrupted = [&asked] { return ++asked == 3; }});
  ASSERT_TRUE(answer.is(ErrorCode::Cancelled));
  EXPECT_EQ(elapsed(), milliseconds(40)) << "asked before each slice of 20 ms";
  EXPECT_TRUE(answer.error().outcome_unknown());
}

// [G28] An outage must not be multiplied by the number of callers.
TEST_F(S3ClientRetry, SharesABudgetBetweenCalls) {
  transport->then(refusal(500, "InternalError"));
  ClientOptions options = default_options();
  options.retry.tokens = 20;
  Client& one = client(options);
  ASSERT_TRUE(one.send_one(get(), {}).is(ErrorCode::Unavailable));
  EXPECT_EQ(transport->calls().size(), 5U) << "20 tokens are 4 retries";
  const auto answer = one.send_one(get(), {});
  EXPECT_EQ(transport->calls().size(), 6U) << "and none for the next call";
  EXPECT_THAT(answer.error().what(), HasSubstr("too many requests are failing"));

  transport->then({});
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(one.send_one(get(), {}).ok());
  transport->plays({refusal(500, "InternalError")});
  EXPECT_TRUE(one.send_one(get(), {}).ok()) << "five successes pay for one retry";
}

// [G10] [G26]
TEST_F(S3ClientRetry, DoesNotRepeatWhatWouldBeRefusedAgain) {
  for (const Play& play : {refusal(403, "SignatureDoesNotMatch"), refusal(404, "NoSuchKey"),
                           refusal(412, "X"), no_answer(ErrorCode::Cancelled),
                           no_answer(ErrorCode::ConfigError), no_answer(ErrorCode::TooLarge),
                           Play{.status = 307, .headers = {{"Location", "http://x"}}}}) {
    const std::size_t before = transport->calls().size();
    transport->plays({play});
    EXPECT_FALSE(client().send_one(get(), {}).ok());
    EXPECT_EQ(transport->calls().size(), before + 1);
  }
}

class S3ClientDoubt : public ClientFixture {};

// [G49] [G25] The answer to the first send was lost; the second is the echo of its success, or of
// another's.
TEST_F(S3ClientDoubt, RefusalAfterALostAnswerIsUnknown) {
  transport->plays({no_answer(ErrorCode::Unavailable, true), refusal(412, "PreconditionFailed")});
  const auto answer = client().send_one(put(Condition::absent()), {});
  ASSERT_TRUE(answer.is(ErrorCode::AlreadyExists));
  EXPECT_TRUE(answer.error().outcome_unknown());
  EXPECT_EQ(answer.error().attempts().size(), 2U);
}

TEST_F(S3ClientDoubt, RefusalAtOnceIsCertain) {
  transport->plays({refusal(412, "PreconditionFailed")});
  const auto answer = client().send_one(put(Condition::absent()), {});
  ASSERT_TRUE(answer.is(ErrorCode::AlreadyExists));
  EXPECT_FALSE(answer.error().outcome_unknown());
}

TEST_F(S3ClientDoubt, ASilentSecondSendOfTheTransportLeavesADoubt) {
  transport->plays(
      {{.status = 412, .body = "", .headers = {}, .failure = {}, .maybe_applied = true},
       {.status = 200, .body = "", .headers = {}, .failure = {}, .maybe_applied = true}});
  const auto refused = client().send_one(put(Condition::unchanged(ETag("e"))), {});
  ASSERT_TRUE(refused.is(ErrorCode::Conflict));
  EXPECT_TRUE(refused.error().outcome_unknown());
  const auto done = client().send_one(put(Condition::unchanged(ETag("e"))), {});
  ASSERT_TRUE(done.ok());
  EXPECT_TRUE(done->maybe_applied_before);
}

// [G25]
TEST_F(S3ClientDoubt, FailuresOfTheServerLeaveADoubt) {
  ClientOptions options = default_options();
  options.retry.attempts_max = 1;
  struct Row {
    Play play;
    bool doubt;
  };
  const std::vector<Row> rows = {
      {refusal(500, "InternalError"), true},
      {refusal(500, "UnknownError"), true},
      {{.status = 502, .body = "<html>Bad Gateway</html>"}, true},
      {{.status = 503}, true},
      {refusal(503, "SlowDown"), true},
      {refusal(503, "ServiceUnavailable"), true},
      {refusal(429, "SlowDown"), false},
      // About a header that names itself: about the checksum's the next one would be tried.
      {{.status = 501,
        .body = "<Error><Code>NotImplemented</Code><Header>If-None-Match</Header></Error>"},
       false},
      {refusal(409, "ConditionalRequestConflict"), false},
      {no_answer(ErrorCode::Timeout, true), true},
      {no_answer(ErrorCode::Unavailable, false), false},
  };
  for (const Row& row : rows) {
    transport->plays({row.play});
    const auto answer = client(options).send_one(put(Condition::absent()), {});
    ASSERT_FALSE(answer.ok());
    EXPECT_EQ(answer.error().outcome_unknown(), row.doubt) << answer.error().what();
    transport->plays({row.play});
    EXPECT_FALSE(client(options).send_one(get(), {}).error().outcome_unknown()) << "a read";
  }
}

Operation complete() {
  const std::vector<UploadedPart> parts = {{.number = 1, .etag = "\"e\"", .crc64 = 1}};
  return complete_multipart_upload(ObjectKey("a/b"), "U", parts, {}, 1, {});
}

// [G47]
TEST_F(S3ClientDoubt, FindsErrorsInsideASuccess) {
  const std::string blanks = "<?xml version=\"1.0\"?>\n\n   \n";
  transport->plays(
      {{.body = blanks + "<Error><Code>InternalError</Code><Message>m</Message></Error>"},
       {.body = blanks + "<Error><Code>PreconditionFailed</Code></Error>"}});
  const auto answer = client().send_one(complete(), {});
  ASSERT_TRUE(answer.is(ErrorCode::Conflict)) << answer.error().what();
  EXPECT_EQ(answer.error().http_status(), 200);
  EXPECT_TRUE(answer.error().outcome_unknown());
  EXPECT_EQ(transport->calls().size(), 2U);
}

// [G47]
TEST_F(S3ClientDoubt, ASuccessThatWasCutOffIsNone) {
  for (const std::string body : {"", "   ", "<CompleteMultipartUploadResult><ETag>x", "not XML"}) {
    transport->plays({{.body = body}, {.body = "<CompleteMultipartUploadResult/>"}});
    const auto answer = client().send_one(complete(), {});
    ASSERT_TRUE(answer.ok()) << body;
    EXPECT_TRUE(answer->maybe_applied_before) << body;
    EXPECT_EQ(answer->attempts, 2);
  }
  ClientOptions options = default_options();
  options.retry.attempts_max = 1;
  transport->plays({{.body = ""}});
  const auto answer = client(options).send_one(complete(), {});
  ASSERT_TRUE(answer.is(ErrorCode::Io));
  EXPECT_TRUE(answer.error().outcome_unknown());
}

// [G48]
TEST_F(S3ClientDoubt, AnUploadThatIsGoneAfterALostAnswerIsUnknown) {
  transport->plays({no_answer(ErrorCode::Unavailable, true), refusal(404, "NoSuchUpload")});
  const auto answer = client().send_one(complete(), {});
  ASSERT_TRUE(answer.is(ErrorCode::NotFound));
  EXPECT_TRUE(answer.error().outcome_unknown());
}

}  // namespace
}  // namespace stepstore::s3
