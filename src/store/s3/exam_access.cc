// Who may do what here, and whether the server looks at who asks.
#include <chrono>
#include <cstdlib>

#include "base/ulid.h"
#include "s3/times.h"
#include "store/s3/examiner.h"

namespace stepstore::bucket {
namespace {

using Verdict = DoctorRow::Verdict;

constexpr int kForbidden = 403;
// S3 refuses requests that are further off.
constexpr std::int64_t kClockRefusedS = 15 * 60;
constexpr std::int64_t kClockNoticeableS = 60;

// "403 AccessDenied" is a no; any other refusal says nothing of rights.
Reply may(const Said& said, const std::string& right) {
  if (said.ok()) return {.verdict = Verdict::yes, .seen = said.words};
  if (said.status == kForbidden) {
    return {.verdict = Verdict::no,
            .seen = said.words,
            .advice = "Give this user the right " + right + " (docs/iam.md has whole policies)."};
  }
  return {.verdict = Verdict::unknown, .seen = said.words};
}

Reply may_list(Examiner& examiner) {
  const ObjectKey key = examiner.fresh_key("list");
  return may(examiner.ask(s3::list_objects({.prefix = key.text(), .limit = 1})), "s3:ListBucket");
}

Reply may_put(Examiner& examiner) {
  return may(examiner.ask(examiner.put_of(examiner.fresh_key("put"))), "s3:PutObject");
}

// Of an object that is there: S3 says 403 of a missing one, too, to who may not list.
Reply may_get(Examiner& examiner) {
  const ObjectKey key = examiner.fresh_key("get");
  (void)examiner.must(examiner.put_of(key));
  return may(examiner.ask(s3::get_object({.key = key}, std::uint64_t{1} << 20U)), "s3:GetObject");
}

Reply may_delete(Examiner& examiner) {
  const ObjectKey key = examiner.fresh_key("delete");
  (void)examiner.must(examiner.put_of(key));
  return may(examiner.ask(s3::delete_object(key)), "s3:DeleteObject");
}

// Without it a bucket is taken for what it may be at worst.
Reply may_read_versioning(Examiner& examiner) {
  return may(examiner.ask(s3::get_bucket_versioning()), "s3:GetBucketVersioning");
}

Reply may_read_lifecycle(Examiner& examiner) {
  Said said = examiner.ask(s3::get_bucket_lifecycle());
  if (said.status == 404) said.status = 200;  // there are no rules, and one may know it
  return may(said, "s3:GetLifecycleConfiguration");
}

Reply missing_key(Examiner& examiner) {
  const ObjectKey key = examiner.fresh_key("missing");
  const Said head = examiner.ask(s3::head_object(key));
  const Said get = examiner.ask(s3::get_object({.key = key}, std::uint64_t{1} << 20U));
  Reply reply{.verdict = Verdict::no,
              .seen = "HEAD: " + head.words + ", GET: " + get.words,
              .advice = "Is the endpoint an S3 server, or a proxy that changes answers?"};
  if (head.status == 404 && get.status == 404) reply.verdict = Verdict::yes;
  if (head.status == kForbidden || get.status == kForbidden) {
    reply.advice =
        "Give this user the right s3:ListBucket: without it S3 does not say what is missing.";
  }
  return reply;
}

// The credentials in use, with another secret.
class WrongSecret final : public s3::CredentialsSource {
 public:
  WrongSecret(std::shared_ptr<s3::CredentialsSource> right, std::string secret)
      : right_(std::move(right)), secret_(std::move(secret)) {}

  std::shared_ptr<const s3::Credentials> current(const CallLimits& limits) override {
    auto wrong = std::make_shared<s3::Credentials>(*right_->current(limits));
    wrong->secret_key = secret_;
    return wrong;
  }
  bool refresh(const s3::Credentials&) override { return false; }
  std::string describe() const override { return "a wrong secret"; }

 private:
  std::shared_ptr<s3::CredentialsSource> right_;
  std::string secret_;
};

Reply signature_checked(Examiner& examiner) {
  const Bucket& bucket = examiner.bucket();
  const auto& credentials = bucket.client->credentials();
  if (credentials->current(examiner.limits())->anonymous) {
    return {.verdict = Verdict::unknown, .seen = "requests are not signed here"};
  }
  auto wrong = std::make_shared<WrongSecret>(credentials, make_ulid(bucket.clock, bucket.random));
  const auto stranger = examiner.client().beside(examiner.client().options(), std::move(wrong));
  const Said said = examiner.ask(*stranger, examiner.put_of(examiner.fresh_key("signature")));
  return reply_if(!said.ok(), "a wrong secret: " + said.words,
                  "Whoever reaches this server may read and write everything: let nobody reach it "
                  "who may not.");
}

Reply region_told(Examiner& examiner) {
  const Said said = examiner.ask(s3::head_bucket());
  const std::string* const region = said.header("x-amz-bucket-region");
  return reply_if(region != nullptr, region ? *region : "HEAD of the bucket tells none",
                  "Say the region yourself, where the server has several.");
}

Reply server_clock(Examiner& examiner) {
  using std::chrono::duration_cast;
  using std::chrono::seconds;
  Clock& clock = examiner.bucket().clock;
  const auto before = clock.now();
  const Said said = examiner.must(examiner.put_of(examiner.fresh_key("clock")));
  const auto after = clock.now();
  const std::string* const date = said.header("Date");
  const auto theirs = date ? s3::parse_http_date(*date) : std::nullopt;
  if (!theirs) return {.verdict = Verdict::unknown, .seen = "the server tells no time"};
  const auto ours = before + (after - before) / 2;
  const auto ahead = duration_cast<seconds>(*theirs - ours).count();
  const std::string off = std::to_string(std::abs(ahead)) + " s";
  Reply reply{.verdict = Verdict::yes,
              .seen = ahead == 0  ? "the same, to the second"
                      : ahead > 0 ? "the server's is " + off + " ahead"
                                  : "the server's is " + off + " behind",
              .advice = "Set this machine's clock, or the server's."};
  if (std::abs(ahead) >= kClockNoticeableS) reply.verdict = Verdict::partly;
  if (std::abs(ahead) >= kClockRefusedS) reply.verdict = Verdict::no;
  return reply;
}

}  // namespace

std::vector<Question> access_questions(Examiner& examiner) {
  const auto question = [&examiner](const char* name, const char* tried, bool needed,
                                    Reply (*ask)(Examiner&)) {
    return Question{
        .area = "access", .name = name, .tried = tried, .needed = needed, .ask = [&examiner, ask] {
          return ask(examiner);
        }};
  };
  return {
      question("may-list", "a listing", true, may_list),
      question("may-put", "a PUT", true, may_put),
      question("may-get", "a GET of an object that is there", true, may_get),
      question("may-delete", "a DELETE", true, may_delete),
      question("may-read-versioning", "whether the bucket keeps versions", false,
               may_read_versioning),
      question("may-read-lifecycle", "the bucket's lifecycle rules", false, may_read_lifecycle),
      question("missing-key", "HEAD and GET of a key that is not there: 404", true, missing_key),
      question("signature-checked", "a PUT that is signed with a wrong secret", false,
               signature_checked),
      question("region-told", "HEAD of the bucket, for its region", false, region_told),
      question("server-clock", "the server's time beside this machine's", false, server_clock),
  };
}

}  // namespace stepstore::bucket
