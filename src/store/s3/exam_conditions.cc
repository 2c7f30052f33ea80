// What the server makes of conditions, request by request; races are the probe's.
#include "base/crc64.h"
#include "s3/xml.h"
#include "store/s3/examiner.h"

namespace stepstore::bucket {
namespace {

using Verdict = DoctorRow::Verdict;

constexpr std::string_view kOneWriter =
    "Let one process at a time store the same step, or use a server that judges conditions.";
constexpr std::string_view kNothing = "stepstore works around it; nothing need be done.";
constexpr std::string_view kNoETag = "0123456789abcdef0123456789abcdef";

bool versioned(Examiner& examiner) {
  const Said said = examiner.must(s3::get_bucket_versioning());
  return s3::parse_versioning(said.body.view()).value() != s3::Versioning::never;
}

Reply if_none_match(Examiner& examiner) {
  const ObjectKey key = examiner.fresh_key("create");
  const Said first = examiner.ask(examiner.put_of(key, Condition::absent()));
  const Said second = examiner.ask(examiner.put_of(key, Condition::absent()));
  return reply_if(first.ok() && second.status == 412,
                  "a first create: " + first.words + ", a second one: " + second.words, kOneWriter);
}

Reply if_match(Examiner& examiner, s3::ETagStyle style) {
  const ObjectKey key = examiner.fresh_key("swap");
  const ETag stale = examiner.made(key);
  const ETag current = examiner.made(key);
  const Said wrong = examiner.ask(examiner.put_of(key, Condition::unchanged(stale), style));
  const Said right = examiner.ask(
      examiner.put_of(key, Condition::unchanged(wrong.ok() ? examiner.made(key) : current), style));
  return reply_if(right.ok() && wrong.status == 412,
                  "the right ETag: " + right.words + ", a stale one: " + wrong.words, kNothing);
}

Reply swap_of_nothing(Examiner& examiner) {
  const ObjectKey key = examiner.fresh_key("nothing");
  const Said said =
      examiner.ask(examiner.put_of(key, Condition::unchanged(ETag(std::string(kNoETag)))));
  return reply_if(said.status == 404 || said.status == 412, said.words, kOneWriter);
}

Reply create_over_marker(Examiner& examiner) {
  if (!versioned(examiner)) {
    return {.verdict = Verdict::unknown, .seen = "the bucket keeps no versions"};
  }
  const ObjectKey key = examiner.fresh_key("marker");
  (void)examiner.made(key);
  (void)examiner.must(s3::delete_object(key));
  const Said said = examiner.ask(examiner.put_of(key, Condition::absent()));
  return reply_if(said.ok(), said.words,
                  "stepstore writes there without a condition: let one process at a time store a "
                  "step that was deleted.");
}

Reply delete_if_match(Examiner& examiner) {
  const ObjectKey key = examiner.fresh_key("removal");
  const ETag stale = examiner.made(key);
  (void)examiner.made(key);
  s3::Operation removal = s3::delete_object(key);
  removal.headers.emplace_back("If-Match", '"' + stale.text() + '"');
  removal.conditional = true;
  const Said said = examiner.ask(removal);
  const bool there = examiner.exists(key);
  return reply_if(!said.ok() && there, said.words + (there ? ", not deleted" : ", deleted"),
                  "stepstore does not rely on it; nothing need be done.");
}

Reply get_if_match(Examiner& examiner) {
  const ObjectKey key = examiner.fresh_key("read");
  const ETag stale = examiner.made(key);
  (void)examiner.made(key);
  const Said said =
      examiner.ask(s3::get_object({.key = key, .if_match = stale}, std::uint64_t{1} << 20U));
  return reply_if(said.status == 412, "a stale ETag: " + said.words, kNothing);
}

// Gives up an upload that was not completed.
class Begun {
 public:
  Begun(Examiner& examiner, const ObjectKey& key)
      : examiner_(examiner),
        key_(key),
        id_(s3::parse_create_upload(
                examiner.must(s3::create_multipart_upload(key, "text/plain")).body.view())
                .value()) {}
  Begun(const Begun&) = delete;
  Begun& operator=(const Begun&) = delete;
  ~Begun() {
    if (completed) return;
    // What fails here fails once more where it is told.
    (void)examiner_.client().send_one(s3::abort_multipart_upload(key_, id_), examiner_.limits());
  }

  const std::string& id() const noexcept { return id_; }
  bool completed = false;

 private:
  Examiner& examiner_;
  const ObjectKey& key_;
  const std::string id_;
};

// An upload of one part, completed under the condition.
Said completion(Examiner& examiner, const ObjectKey& key, const Condition& condition) {
  Begun upload(examiner, key);
  const BytesView body = "x";
  s3::UploadedPart part{.number = 1, .crc64 = crc64(body)};
  const Said sent = examiner.must(s3::upload_part(key, upload.id(), part.number, body, part.crc64));
  if (const std::string* const etag = sent.header("ETag")) part.etag = plain_etag(*etag).text();
  Said said = examiner.ask(
      s3::complete_multipart_upload(key, upload.id(), {&part, 1}, condition, part.crc64, {}));
  upload.completed = said.ok();
  return said;
}

Reply multipart(Examiner& examiner) {
  const Said said = completion(examiner, examiner.fresh_key("upload"), {});
  return reply_if(said.ok(), "an upload of one part: " + said.words,
                  "Components above 8 MiB cannot be stored here: use another server.");
}

Reply complete_if_absent(Examiner& examiner) {
  const ObjectKey key = examiner.fresh_key("complete");
  (void)examiner.made(key);
  const Said said = completion(examiner, key, Condition::absent());
  return reply_if(said.status == 412, "over an object: " + said.words,
                  "Large components get names of their own; nothing need be done.");
}

Reply complete_if_match(Examiner& examiner) {
  const ObjectKey key = examiner.fresh_key("complete");
  const ETag stale = examiner.made(key);
  (void)examiner.made(key);
  const Said said = completion(examiner, key, Condition::unchanged(stale));
  return reply_if(said.status == 412, "with a stale ETag: " + said.words, kNothing);
}

}  // namespace

std::vector<Question> condition_questions(Examiner& examiner) {
  const auto question = [&examiner](const char* name, const char* tried, Reply (*ask)(Examiner&),
                                    bool needed = false) {
    return Question{.area = "conditional requests",
                    .name = name,
                    .tried = tried,
                    .needed = needed,
                    .ask = [&examiner, ask] { return ask(examiner); }};
  };
  return {
      question("if-none-match", "PUT with If-None-Match: *, twice", if_none_match),
      question("if-match-quoted", "PUT with the right and with a stale ETag in quotes",
               [](Examiner& with) { return if_match(with, s3::ETagStyle::quoted); }),
      question("if-match-bare", "the same without quotes",
               [](Examiner& with) { return if_match(with, s3::ETagStyle::bare); }),
      question("if-match-on-nothing", "PUT with If-Match where there is no object",
               swap_of_nothing),
      question("get-if-match", "GET with a stale ETag", get_if_match),
      question("create-over-delete-marker", "PUT with If-None-Match: * over a deletion",
               create_over_marker),
      question("delete-if-match", "DELETE with a stale ETag", delete_if_match),
      question("multipart", "an upload in parts", multipart, true),
      question("complete-if-none-match", "the completion of an upload with If-None-Match: *",
               complete_if_absent),
      question("complete-if-match", "the completion of an upload with a stale ETag",
               complete_if_match),
  };
}

}  // namespace stepstore::bucket
