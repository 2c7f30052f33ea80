// Every row of the error table over the wire: the fault server answers with the row's status and
// code, and the client throws, repeats, slows down, renews its credentials, sets its clock or moves
// as the row says. [G26] [G27] [G10] [G18] [G64]
#include <gmock/gmock.h>

#include <algorithm>
#include <iterator>
#include <sstream>

#include "base/errors.h"
#include "http/client.h"
#include "http/url.h"
#include "s3/client.h"
#include "s3/errors.h"
#include "testing/fakes.h"
#include "testing/fault_server/fault_server.h"
#include "tests/canary/canary.h"

namespace stepstore::s3 {
namespace {

using ::testing::HasSubstr;

constexpr int kAttemptsMax = 3;
constexpr std::string_view kServersDate = "Thu, 01 Jan 2026 01:00:00 GMT";  // ours is an hour less
constexpr std::string_view kServersRegion = "eu-west-1";

// What no answer of a server can reach through the client, and why.
std::string why_unreachable(const ErrorRow& row) {
  if (row.status == 304) return "the client takes 304 for an answer, since it asks by condition";
  return "";
}

// With which status servers say it; a row for any status tells none.
int usual_status(std::string_view code) {
  const auto is_one_of = [code](std::initializer_list<std::string_view> words) {
    return std::ranges::find(words, code) != words.end();
  };
  if (is_one_of({"AccessDenied", "AllAccessDisabled", "AccountProblem", "NotSignedUp",
                 "InvalidAccessKeyId", "SignatureDoesNotMatch", "RequestTimeTooSkewed",
                 "RequestExpired", "InvalidObjectState", "QuotaExceeded"})) {
    return 403;
  }
  if (is_one_of({"NoSuchBucket", "NoSuchKey", "NoSuchVersion", "NoSuchUpload"})) return 404;
  if (is_one_of({"ConditionalRequestConflict", "OperationAborted", "ExistingObjectIsDirectory",
                 "ObjectParentIsFile"})) {
    return 409;
  }
  if (code == "PermanentRedirect") return 301;
  if (code == "TemporaryRedirect") return 307;
  if (code == "MethodNotAllowed") return 405;
  if (code == "PreconditionFailed") return 412;
  if (code == "InvalidRange") return 416;
  if (code == "TooManyRequests") return 429;
  if (code == "NotImplemented") return 501;
  if (code == "InternalError" || code == "UnknownError") return 500;
  if (is_one_of({"SlowDown", "SlowDownRead", "SlowDownWrite", "ServiceUnavailable", "Busy",
                 "RequestLimitExceeded", "BandwidthLimitExceeded", "XMinioServerNotInitialized"})) {
    return 503;
  }
  if (code == "XMinioStorageFull" || code == "InsufficientStorage") return 507;
  return 400;
}

const std::string kBody = "body";

// Requests, one of which the row is about: writes first, since they may leave a doubt.
std::vector<Operation> operations() {
  const auto put = [](Condition condition) {
    return put_object(
        {.key = ObjectKey("k"), .body = kBody, .condition = std::move(condition), .crc64 = {}}, {});
  };
  return {put({}),
          put(Condition::absent()),
          put(Condition::unchanged(ETag("e"))),
          complete_multipart_upload(ObjectKey("k"), "U", {}, {}, 0, {}),
          get_object({.key = ObjectKey("k")}, 1 << 20),
          head_object(ObjectKey("k")),
          head_bucket(),
          list_objects({.prefix = "p"})};
}

struct RowCase {
  const ErrorRow* row;
  std::string code;  // one of the row's; as the row has it where it is about none
  int status;
  Operation operation;
};

std::vector<std::string> codes_of(const ErrorRow& row) {
  if (row.code == kAnyCode || row.code == kNoCode || row.code == kPage) {
    return {std::string(row.code)};
  }
  std::istringstream words{std::string(row.code)};
  return {std::istream_iterator<std::string>(words), {}};
}

// What the client will have read when this came.
std::string_view as_read(std::string_view code) { return code == kAnyCode ? "Novel" : code; }

std::vector<RowCase> all_cases() {
  std::vector<RowCase> cases;
  for (const ErrorRow& row : error_table()) {
    for (const std::string& code : codes_of(row)) {
      const int status = row.status != 0 ? row.status : usual_status(code);
      for (Operation& operation : operations()) {
        // No answer to HEAD has a page in it.
        if (code == kPage && operation.method == "HEAD") continue;
        if (&row_for(operation, status, as_read(code)) != &row) continue;
        cases.push_back(
            {.row = &row, .code = code, .status = status, .operation = std::move(operation)});
        break;
      }
    }
  }
  return cases;
}

std::string text_of(const RowCase& one) {
  std::string code = one.code == kAnyCode  ? "AnyCode"
                     : one.code == kNoCode ? "NoBody"
                     : one.code == kPage   ? "Page"
                                           : one.code;
  const std::string condition = one.row->asked == Asked::create ? "Create"
                                : one.row->asked == Asked::swap ? "Swap"
                                                                : "";
  return code + '_' + std::to_string(one.status) + '_' + std::string(one.operation.name) +
         condition;
}
void PrintTo(const RowCase& one, std::ostream* out) { *out << text_of(one); }

// Counts how often it is told to renew, and gives other keys each time.
class Renewing final : public CredentialsSource {
 public:
  std::shared_ptr<const Credentials> current(const CallLimits&) override {
    return std::make_shared<const Credentials>(
        Credentials{.access_key = "AK" + std::to_string(refreshes),
                    .secret_key = canary(),
                    .session_token = canary()});
  }
  bool refresh(const Credentials&) override {
    ++refreshes;
    return true;
  }
  std::string describe() const override { return "renewing"; }

  int refreshes = 0;
};

// A request as the server got it.
struct Got {
  std::string authorization, date;
};

class S3ErrorRow : public ::testing::TestWithParam<RowCase> {
 protected:
  // Says the same to every request, and keeps what identifies it.
  void answer_all() {
    const RowCase& one = GetParam();
    http::Response response = one.code == kNoCode ? http::Response{}
                              : one.code == kPage
                                  ? http::Response{.body = Bytes::copy("<html>proxy</html>")}
                                  : fault::error_answer(one.status, as_read(one.code), "words");
    response.status = one.status;
    response.headers.emplace_back("Date", kServersDate);
    if (one.row->action == Action::move) {
      response.headers.emplace_back("x-amz-bucket-region", kServersRegion);
    }
    if (one.operation.method == "HEAD" && one.code != kNoCode) {
      response.headers.emplace_back("x-amz-error-code", as_read(one.code));
    }
    server.plan()
        .on("")
        .when([this](const fault::Call& call) {
          got.push_back(
              {.authorization = *call.header("Authorization"), .date = *call.header("x-amz-date")});
          return true;
        })
        .answer(std::move(response));
  }

  // Waits go by the set clock, so they can be long: those of a throttled client are far longer.
  StorageManagerError failure() {
    ClientOptions options{.endpoint = http::parse_url(server.endpoint()).endpoint,
                          .bucket = "checkpoints"};
    options.retry.attempts_max = kAttemptsMax;
    options.retry.total = std::chrono::hours(24);
    options.retry.base = std::chrono::milliseconds(1);
    options.retry.throttled_base = std::chrono::minutes(10);
    options.retry.wait_max = std::chrono::hours(1);
    Client client(options, std::make_shared<http::Client>(http::ClientOptions{}, system_clock()),
                  renewing, clock, random);
    const auto begun = clock.steady_now();
    const auto outcome = client.send_one(GetParam().operation, {});
    waited = clock.steady_now() - begun;
    if (outcome.ok()) return error(ErrorCode::Closed, "", "", "there was no error");
    return outcome.error();
  }

  std::size_t requests_wanted() const {
    switch (GetParam().row->action) {
      case Action::retry:
      case Action::throttle:
        return kAttemptsMax;
      case Action::refresh:
      case Action::set_clock:
      case Action::move:
        return 2;
      case Action::give_up:
        break;
    }
    // It may be the checksum that is not known: it is sent with another one, and at last with none.
    if (GetParam().code == "NotImplemented" && GetParam().operation.checksum) return 4;
    return 1;
  }

  fault::FaultServer server;
  std::shared_ptr<Renewing> renewing = std::make_shared<Renewing>();
  SetClock clock;
  SeededRandom random{20'261'128};
  std::chrono::nanoseconds waited{0};
  std::vector<Got> got;  // written by one connection after the other
};

TEST_P(S3ErrorRow, IsWhatItSays) {
  const ErrorRow& row = *GetParam().row;
  if (const std::string why = why_unreachable(row); !why.empty()) {
    EXPECT_EQ(row.action, Action::give_up) << why;
    return;
  }
  answer_all();
  const StorageManagerError failed = failure();
  const std::string all = failed.what();

  EXPECT_EQ(failed.code(), row.error) << all;
  EXPECT_EQ(failed.http_status(), GetParam().status) << all;
  EXPECT_EQ(failed.operation(), GetParam().operation.name);
  EXPECT_THAT(all, HasSubstr(std::to_string(GetParam().status)));
  EXPECT_FALSE(failed.advice().empty()) << all;
  EXPECT_EQ(failed.retryable(), error(row.error, "", "", "").retryable()) << all;
  const bool server_failed = GetParam().status >= 500 && GetParam().status != 501;
  EXPECT_EQ(failed.outcome_unknown(),
            is_write(GetParam().operation) && (row.doubt || server_failed));

  const auto journal = server.plan().journal();
  ASSERT_EQ(journal.size(), requests_wanted()) << all;
  ASSERT_EQ(got.size(), journal.size());
  EXPECT_EQ(failed.attempts().size(), journal.size()) << "each is told";
  EXPECT_EQ(failed.attempts().back().http_status, GetParam().status);

  EXPECT_EQ(waited > std::chrono::seconds(1), row.action == Action::throttle)
      << "waited " << waited.count() << " ns";
  EXPECT_EQ(renewing->refreshes, row.action == Action::refresh ? 1 : 0);
  if (row.action == Action::refresh) {
    EXPECT_THAT(got.back().authorization, HasSubstr("Credential=AK1/"));
  }
  EXPECT_EQ(got.back().date == "20260101T010000Z", row.action == Action::set_clock)
      << got.back().date;
  const std::string scope = '/' + std::string(kServersRegion) + "/s3/";
  EXPECT_EQ(got.back().authorization.find(scope) != std::string::npos, row.action == Action::move)
      << got.back().authorization;
}

INSTANTIATE_TEST_SUITE_P(, S3ErrorRow, ::testing::ValuesIn(all_cases()), [](const auto& each) {
  std::string name = text_of(each.param);
  std::ranges::replace(name, '.', '_');  // of KMS
  return name;
});

// None is left out because no request was found that leads to it.
TEST(S3ErrorRows, AreAllTested) {
  const auto cases = all_cases();
  for (const ErrorRow& row : error_table()) {
    for (const std::string& code : codes_of(row)) {
      const auto is_it = [&](const RowCase& each) { return each.row == &row && each.code == code; };
      EXPECT_EQ(std::ranges::count_if(cases, is_it), 1) << row.status << ' ' << code;
    }
  }
}

}  // namespace
}  // namespace stepstore::s3
