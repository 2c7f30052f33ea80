// Every row of the error table is reached and says what to do, and what S3 servers are known to
// answer maps to the error that callers act on.
#include "s3/errors.h"

#include <gmock/gmock.h>

#include <iterator>
#include <sstream>

#include "s3/scripted_transport_fixture.h"

namespace stepstore::s3 {
namespace {

using enum Action;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kBody = "body";

Operation put(Condition condition = {}) {
  return put_object(
      {.key = ObjectKey("k"), .body = kBody, .condition = std::move(condition), .crc64 = {}}, {});
}
Operation create() { return put(Condition::absent()); }
Operation swap() { return put(Condition::unchanged(ETag("e"))); }
Operation get() { return get_object({.key = ObjectKey("k")}, 1 << 20); }
Operation get_if() {
  return get_object({.key = ObjectKey("k"), .range = {}, .if_match = ETag("e")}, 1 << 20);
}
Operation head() { return head_object(ObjectKey("k")); }
Operation list() { return list_objects({.prefix = "p"}); }
Operation complete(const Condition& condition = {}) {
  return complete_multipart_upload(ObjectKey("k"), "U", {}, condition, 0, {});
}

Operation example_of(Asked asked) {
  switch (asked) {
    case Asked::create:
      return create();
    case Asked::swap:
      return swap();
    case Asked::complete:
      return complete();
    case Asked::bucket:
      return head_bucket();
    case Asked::head:
      return head();
    case Asked::anything:
    case Asked::object:
      break;
  }
  return get();
}

std::vector<std::string> codes_of(const ErrorRow& row) {
  if (row.code == kAnyCode) return {"SomethingNew"};
  if (row.code == kNoCode) return {""};
  std::istringstream words{std::string(row.code)};
  return {std::istream_iterator<std::string>(words), {}};
}

TEST(S3ErrorTable, EveryRowIsReached) {
  for (const ErrorRow& row : error_table()) {
    const int status = row.status == 0 ? 400 : row.status;
    for (const std::string& code : codes_of(row)) {
      // Where the object's own row comes first, only a request of the bucket gets to this one.
      const bool reached = &row_for(example_of(row.asked), status, code) == &row ||
                           &row_for(list(), status, code) == &row;
      EXPECT_TRUE(reached) << row.status << ' ' << code << ": an earlier row hides it";
    }
  }
}

TEST(S3ErrorTable, EveryRowSaysWhatHappened) {
  for (const ErrorRow& row : error_table()) {
    EXPECT_FALSE(row.message.empty());
    EXPECT_THAT(row.message, Not(::testing::EndsWith("."))) << row.message;
    if (!row.advice.empty()) {
      EXPECT_THAT(row.advice, ::testing::EndsWith(".")) << row.advice;
    }
    // What was not refused for good must be an error that callers may repeat; Unsupported is what
    // may pass, and else is for good.
    if (row.action == retry || row.action == throttle) {
      EXPECT_TRUE(error(row.error, "", "", "").retryable() || row.error == ErrorCode::Unsupported)
          << row.message;
    }
  }
}

struct Known {
  Operation operation;
  int status;
  const char* code;  // null: an empty body
  ErrorCode error;
  Action action;
  bool doubt;
};

// [G26] [G50]
TEST(S3ErrorTable, KnowsWhatServersAnswer) {
  using enum ErrorCode;
  const std::vector<Known> rows = {
      {get(), 404, "NoSuchKey", NotFound, give_up, false},
      {get(), 404, nullptr, NotFound, give_up, false},
      {head(), 404, nullptr, NotFound, give_up, false},
      {get(), 404, "NoSuchBucket", ConfigError, give_up, false},
      {list(), 404, "NoSuchBucket", ConfigError, give_up, false},
      {list(), 404, nullptr, ConfigError, give_up, false},
      {head_bucket(), 404, nullptr, ConfigError, give_up, false},
      {put(), 404, "NoSuchUpload", NotFound, give_up, false},
      {get(), 403, "AccessDenied", PermissionDenied, give_up, false},
      {head(), 403, nullptr, PermissionDenied, give_up, false},
      {head_bucket(), 403, nullptr, PermissionDenied, give_up, false},
      {get(), 403, "SignatureDoesNotMatch", Unauthenticated, give_up, false},
      {get(), 403, "InvalidAccessKeyId", Unauthenticated, give_up, false},
      {get(), 404, "XAdminUserNotFound", Unauthenticated, give_up, false},  // versitygw
      {get(), 401, nullptr, Unauthenticated, give_up, false},
      {get(), 400, "ExpiredToken", Unauthenticated, refresh, false},
      {get(), 403, "RequestExpired", Unauthenticated, refresh, false},
      {get(), 400, "InvalidToken", Unauthenticated, refresh, false},
      {get(), 400, "TokenRefreshRequired", Unauthenticated, refresh, false},
      {head(), 400, nullptr, Unauthenticated, refresh, false},
      {get(), 403, "RequestTimeTooSkewed", Unauthenticated, set_clock, false},
      {get(), 400, "AuthorizationHeaderMalformed", ConfigError, move, false},
      {get(), 301, "PermanentRedirect", ConfigError, move, false},
      {head(), 301, nullptr, ConfigError, move, false},
      {put(), 307, "TemporaryRedirect", ConfigError, move, false},
      {put(), 302, nullptr, ConfigError, give_up, false},
      {put(), 300, nullptr, ConfigError, give_up, false},
      {create(), 412, "PreconditionFailed", AlreadyExists, give_up, false},
      {create(), 412, nullptr, AlreadyExists, give_up, false},
      {complete(Condition::absent()), 412, "PreconditionFailed", AlreadyExists, give_up, false},
      {complete(Condition::absent()), 200, "PreconditionFailed", AlreadyExists, give_up, false},
      {swap(), 412, "PreconditionFailed", Conflict, give_up, false},
      {get_if(), 412, "PreconditionFailed", Conflict, give_up, false},
      {swap(), 404, "NoSuchKey", Conflict, give_up, false},
      {swap(), 404, nullptr, Conflict, give_up, false},
      {get_if(), 404, "NoSuchKey", NotFound, give_up, false},
      {swap(), 404, "NoSuchBucket", ConfigError, give_up, false},
      {create(), 409, "ConditionalRequestConflict", Unavailable, retry, false},
      {complete(), 409, "ConditionalRequestConflict", Unavailable, give_up, false},
      {put(), 409, "OperationAborted", Unavailable, retry, false},
      {put(), 409, "ExistingObjectIsDirectory", Unsupported, retry, false},  // versitygw
      {put(), 409, "ObjectParentIsFile", Unsupported, give_up, false},
      {put(), 409, "SomethingNew", Unsupported, give_up, false},
      {put(), 503, "SlowDown", Throttled, throttle, true},
      {put(), 503, "SlowDownWrite", Throttled, throttle, true},  // MinIO
      {put(), 400, "Slow", InvalidArgument, give_up, false},     // no whole code
      {put(), 503, "ServiceUnavailable", Unavailable, throttle, true},
      {put(), 429, "SlowDown", Throttled, throttle, false},
      {put(), 503, nullptr, Unavailable, throttle, true},
      {put(), 429, nullptr, Throttled, throttle, false},
      {put(), 400, "ThrottlingException", Throttled, throttle, false},  // KMS
      {put(), 200, "SlowDown", Throttled, throttle, false},
      {put(), 500, "InternalError", Unavailable, retry, true},
      {put(), 200, "InternalError", Unavailable, retry, true},
      {put(), 200, "SomethingNew", Unavailable, retry, true},
      {swap(), 500, "UnknownError", Unavailable, retry, true},  // Ceph: the loser of a race
      {put(), 500, nullptr, Unavailable, retry, true},
      {put(), 502, nullptr, Unavailable, retry, true},
      {put(), 504, nullptr, Unavailable, retry, true},
      {put(), 599, nullptr, Unavailable, retry, true},
      {put(), 400, "RequestTimeout", Unavailable, retry, false},
      {put(), 408, nullptr, Unavailable, retry, false},
      {put(), 499, nullptr, Unavailable, retry, true},  // R2
      {put(), 400, "IncompleteBody", Io, retry, false},
      {put(), 400, "BadDigest", Io, retry, false},
      {complete(), 400, "BadDigest", Io, give_up, false},
      {put(), 400, "XAmzContentSHA256Mismatch", Io, retry, false},
      {get(), 304, nullptr, Conflict, give_up, false},
      {get(), 416, "InvalidRange", InvalidArgument, give_up, false},
      {get(), 416, nullptr, InvalidArgument, give_up, false},
      {put(), 400, "EntityTooLarge", TooLarge, give_up, false},
      {put(), 413, nullptr, TooLarge, give_up, false},
      {put(), 400, "KeyTooLongError", InvalidArgument, give_up, false},
      {put(), 501, "NotImplemented", Unsupported, give_up, false},
      {put(), 501, nullptr, Unsupported, give_up, false},
      {put(), 405, "MethodNotAllowed", Unsupported, give_up, false},
      {put(), 507, nullptr, NoSpace, give_up, true},
      {put(), 403, "QuotaExceeded", NoSpace, give_up, false},  // Ceph
      {put(), 507, "XMinioStorageFull", NoSpace, give_up, true},
      {get(), 403, "InvalidObjectState", Archived, give_up, false},
      {put(), 400, "SomethingNew", InvalidArgument, give_up, false},
      {put(), 418, nullptr, InvalidArgument, give_up, false},
      {put(), 999, nullptr, Unavailable, give_up, true},
      {put(), 100, nullptr, Unavailable, give_up, true},
  };
  for (const Known& known : rows) {
    const std::string body =
        known.code ? "<Error><Code>" + std::string(known.code) + "</Code></Error>" : "";
    const Verdict verdict =
        judge({.operation = known.operation, .region = "us-east-1", .signed_at = {}},
              {.status = known.status, .headers = {}, .body = Bytes::copy(body)});
    const std::string which = std::string(known.operation.name) + ' ' +
                              std::to_string(known.status) + ' ' + (known.code ? known.code : "");
    EXPECT_EQ(verdict.error.code(), known.error) << which << ": " << verdict.error.what();
    EXPECT_EQ(verdict.action, known.action) << which;
    EXPECT_EQ(verdict.doubt, known.doubt) << which;
    EXPECT_EQ(verdict.error.http_status(), known.status);
    EXPECT_EQ(verdict.error.operation(), known.operation.name);
    EXPECT_FALSE(verdict.error.advice().empty()) << which;
    EXPECT_EQ(verdict.code, known.code ? known.code : "");
  }
}

Verdict verdict_on(const Operation& operation, int status, const std::string& body,
                   http::Headers headers = {}) {
  using namespace std::chrono;
  return judge({.operation = operation,
                .region = "us-east-1",
                .signed_at = sys_days(year(2026) / 1 / 1) + hours(3)},
               {.status = status, .headers = std::move(headers), .body = Bytes::copy(body)});
}

// [G27] A page means that no S3 service has answered: above all a 404 must not read as "no such
// object".
TEST(S3Errors, PagesAreJudgedByTheirStatus) {
  const std::string page = "<!DOCTYPE html><html><body>nginx</body></html>";
  EXPECT_EQ(verdict_on(get(), 404, page).error.code(), ErrorCode::ConfigError);
  EXPECT_EQ(verdict_on(get(), 400, page).error.code(), ErrorCode::ConfigError);
  EXPECT_EQ(verdict_on(get(), 403, page).error.code(), ErrorCode::PermissionDenied);
  EXPECT_EQ(verdict_on(put(), 502, page).action, retry);
  EXPECT_EQ(verdict_on(put(), 503, page).action, throttle);
  EXPECT_THAT(verdict_on(put(), 502, page).error.what(), Not(HasSubstr("nginx")));
}

TEST(S3Errors, NameTheRightRegion) {
  const std::string body =
      "<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization header is "
      "malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'</Message>"
      "<Region>eu-west-1</Region></Error>";
  const Verdict malformed = verdict_on(get(), 400, body);
  EXPECT_EQ(malformed.error.code(), ErrorCode::ConfigError);
  EXPECT_EQ(malformed.error.advice(), "Set the region to eu-west-1.");
  EXPECT_THAT(malformed.error.what(),
              HasSubstr("in region eu-west-1, and the request was signed for us-east-1"));
  // HEAD has only the header.
  for (const int status : {301, 400}) {
    const Verdict verdict =
        verdict_on(head_bucket(), status, "", {{"x-amz-bucket-region", "eu-north-1"}});
    EXPECT_EQ(verdict.error.code(), ErrorCode::ConfigError);
    EXPECT_EQ(verdict.action, move);
    EXPECT_EQ(verdict.elsewhere.region, "eu-north-1");
    EXPECT_EQ(verdict.error.advice(), "Set the region to eu-north-1.");
  }
}

TEST(S3Errors, NameWhereARedirectLeads) {
  const Verdict verdict = verdict_on(
      put(), 307, "", {{"Location", "https://b.s3-eu.example.com/k?X-Amz-Signature=abc"}});
  EXPECT_THAT(verdict.error.what(), HasSubstr("it names https://b.s3-eu.example.com/k"));
  EXPECT_THAT(verdict.error.what(), Not(HasSubstr("Signature=")));
}

TEST(S3Errors, RepeatWhatMayPassOnly) {
  const Operation operation = head();
  const SentAs sent{.operation = operation, .region = "r", .signed_at = {}};
  ErrorDetails details = error(ErrorCode::Unavailable, "connect", "h", "no such host").details();
  for (const bool passes : {false, true}) {
    details.retryable = passes;
    const Verdict verdict = judge_failure(sent, StorageManagerError(details));
    EXPECT_EQ(verdict.action, passes ? Action::retry : Action::give_up);
  }
  // A connection that was cut in the middle of an answer.
  const auto cut = error(ErrorCode::Io, "receive", "h", "the connection ended");
  EXPECT_EQ(judge_failure(sent, cut).action, Action::retry);
}

TEST(S3Errors, SayWhatTheClocksRead) {
  const std::string body =
      "<Error><Code>RequestTimeTooSkewed</Code><ServerTime>2026-01-01T05:00:00Z</ServerTime>"
      "</Error>";
  const Verdict verdict = verdict_on(get(), 403, body);
  EXPECT_THAT(verdict.error.what(), HasSubstr("the server's reads 2026-01-01 05:00:00 UTC, this "
                                              "one's read 2026-01-01 03:00:00 UTC"));
  EXPECT_EQ(verdict.error.advice(), "Set this machine's clock.");
  const Verdict by_header =
      verdict_on(get(), 403, body, {{"Date", "Thu, 01 Jan 2026 04:00:00 GMT"}});
  EXPECT_THAT(by_header.error.what(), HasSubstr("the server's reads 2026-01-01 04:00:00 UTC"));
}

TEST(S3Errors, QuoteTheServerOnOneLineOfBoundedLength) {
  const std::string body = "<Error><Code>Odd</Code><Message>one\ntwo\x1b[31m " +
                           std::string(198, 'x') + "\xC3\xA4\xC3\xA4</Message></Error>";
  const std::string text = verdict_on(get(), 400, body).error.what();
  EXPECT_THAT(text, HasSubstr("(400 Odd: one two"));
  EXPECT_THAT(text, HasSubstr("xxx...)"));
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_LT(text.size(), 450U);
}

// [G64]
TEST(S3Errors, TakeTheRequestsIdFromHeaderOrBody) {
  const std::string body = "<Error><Code>NoSuchKey</Code><RequestId>BODY</RequestId></Error>";
  EXPECT_EQ(verdict_on(get(), 404, body).error.request_id(), "BODY");
  EXPECT_EQ(verdict_on(get(), 404, body, {{"X-Amz-Request-Id", "HEAD"}}).error.request_id(),
            "HEAD");
}

// [G27]
TEST(S3Errors, ReadRetryAfterHoweverOdd) {
  const auto wait = [](const char* text) {
    return verdict_on(put(), 503, "", {{"Retry-After", text}}).retry_after;
  };
  EXPECT_EQ(wait("3"), std::chrono::seconds(3));
  EXPECT_EQ(wait("Thu, 01 Jan 2026 03:00:09 GMT"), std::chrono::seconds(9));
  EXPECT_EQ(wait("Thu, 01 Jan 2026 02:00:00 GMT"), std::chrono::seconds(0));
  EXPECT_EQ(wait("-5"), std::chrono::seconds(0));
  EXPECT_EQ(wait("soon"), std::chrono::seconds(0));
  EXPECT_EQ(wait("99999999999999999999"), std::chrono::seconds(0));
  EXPECT_EQ(wait("9999999"), std::chrono::hours(24));
}

// [G64]
TEST(S3Errors, HeadTakesTheCodeFromAHeader) {
  EXPECT_EQ(verdict_on(head(), 404, "", {{"x-amz-error-code", "NoSuchBucket"}}).error.code(),
            ErrorCode::ConfigError);
}

}  // namespace
}  // namespace stepstore::s3
