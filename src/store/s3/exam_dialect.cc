// How the server spells its answers, what it makes of odd requests, and what its bucket keeps.
#include "s3/xml.h"
#include "store/s3/examiner.h"

namespace stepstore::bucket {
namespace {

using Verdict = DoctorRow::Verdict;

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kNothing = "stepstore works around it; nothing need be done.";
constexpr std::uint64_t kBytesMax = std::uint64_t{1} << 20U;

Reply encoding_type(Examiner& examiner) {
  const ObjectKey key = examiner.fresh_key("encoded \xC3\xA4 &");
  (void)examiner.made(key);
  const Said said = examiner.must(s3::list_objects({.prefix = key.text()}));
  const bool told = said.body.text().find("<EncodingType>url</EncodingType>") != std::string::npos;
  return reply_if(told, told ? "the keys are encoded" : "the keys are told as they are",
                  "Keep control characters out of the prefix; stepstore's own keys have none.");
}

Said range_of(Examiner& examiner, const std::string& range) {
  const ObjectKey key = examiner.fresh_key("range");
  s3::Operation put = s3::put_object({.key = key, .body = kDigits}, {});
  put.checksum.reset();
  (void)examiner.must(put);
  s3::Operation get = s3::get_object({.key = key}, kBytesMax);
  get.headers.emplace_back("Range", range);
  return examiner.ask(get);
}

Reply suffix_range(Examiner& examiner) {
  const Said said = range_of(examiner, "bytes=-3");
  const std::string seen =
      said.words + (said.ok() ? ", " + std::to_string(said.body.size()) + " bytes" : "");
  return reply_if(said.status == 206 && said.body.text() == "789", seen, kNothing);
}

// More than there is.
Reply long_suffix_range(Examiner& examiner) {
  const Said said = range_of(examiner, "bytes=-99");
  return reply_if(said.ok() && said.body.text() == kDigits, said.words, kNothing);
}

Reply suffix_of_nothing(Examiner& examiner) {
  const Said said = range_of(examiner, "bytes=-0");
  return reply_if(said.status == 416, said.words + (said.ok() ? ", the whole object" : ""),
                  "stepstore asks for no such range; nothing need be done.");
}

// The layout keeps from it, since servers on top of a file system cannot.
Reply nested_keys(Examiner& examiner) {
  const ObjectKey above = examiner.fresh_key("above");
  (void)examiner.made(above);
  const ObjectKey below = examiner.below(above);
  Reply reply{.verdict = Verdict::no, .advice = std::string(kNothing)};
  try {
    const Said said = examiner.ask(examiner.put_of(below));
    reply.seen = said.words;
    const Said list = examiner.must(s3::list_objects({.prefix = above.text()}));
    const auto listed = s3::parse_list(list.body.view()).value().objects.size();
    if (said.ok() && listed == 2) reply.verdict = Verdict::yes;
    if (said.ok() && listed != 2) reply.seen += ", but one of the two is not listed";
  } catch (const StorageManagerError& failed) {
    if (failed.http_status() < 500) throw;
    reply.seen = std::to_string(failed.http_status());
  }
  return reply;
}

Reply versioning(Examiner& examiner) {
  const Said said = examiner.ask(s3::get_bucket_versioning());
  if (!said.ok()) return {.verdict = Verdict::unknown, .seen = said.words};
  const auto state = s3::parse_versioning(said.body.view());
  if (!state) return {.verdict = Verdict::unknown, .seen = state.error().what()};
  switch (*state) {
    case s3::Versioning::enabled:
      return {.verdict = Verdict::yes, .seen = "every version is kept"};
    case s3::Versioning::suspended:
      return {.verdict = Verdict::partly,
              .seen = "suspended: older versions stay, new ones are not kept",
              .advice = "Remove old versions by a lifecycle rule, if nobody needs them."};
    case s3::Versioning::never:
      break;
  }
  return {.verdict = Verdict::no, .seen = "off"};
}

// Servers that do not know the question answer another one.
Reply lifecycle(Examiner& examiner) {
  const Said said = examiner.ask(s3::get_bucket_lifecycle());
  const bool rules = said.ok() && s3::outline(said.body.view()).root == "LifecycleConfiguration";
  if (rules || said.status == 404) {
    return {.verdict = Verdict::yes, .seen = rules ? "there are rules" : "there are no rules"};
  }
  if (said.status == 403) return {.verdict = Verdict::unknown, .seen = said.words};
  return {.verdict = Verdict::no,
          .seen = said.ok() ? said.words + ", but no rules in the answer" : said.words,
          .advice =
              "Nothing expires by itself here; unfinished uploads stay until they are "
              "removed by hand."};
}

// A refusal tells over which connection it came; of two in a row the second has one to reuse.
Reply keep_alive(Examiner& examiner) {
  const s3::Operation head = s3::head_object(examiner.fresh_key("connection"));
  (void)examiner.ask(head);
  const Said second = examiner.ask(head);
  if (second.ok()) return {.verdict = Verdict::unknown, .seen = "HEAD finds what is not there"};
  return reply_if(second.reused,
                  second.reused ? "the connection stays open" : "it is closed after each answer",
                  "Switch keep-alive on in the server or the proxy before it: each request pays "
                  "for a connection.");
}

}  // namespace

std::vector<Question> dialect_questions(Examiner& examiner) {
  const auto question = [&examiner](const char* area, const char* name, const char* tried,
                                    Reply (*ask)(Examiner&)) {
    return Question{
        .area = area, .name = name, .tried = tried, .needed = false, .ask = [&examiner, ask] {
          return ask(examiner);
        }};
  };
  return {
      question("bucket", "versioning", "whether the bucket keeps versions", versioning),
      question("bucket", "lifecycle", "whether the bucket has lifecycle rules", lifecycle),
      question("bucket", "keep-alive", "two requests over one connection", keep_alive),
      question("dialect", "encoding-type", "a listing with encoding-type=url", encoding_type),
      question("dialect", "suffix-range", "the last 3 of 10 bytes", suffix_range),
      question("dialect", "long-suffix-range", "the last 99 of 10 bytes: all", long_suffix_range),
      question("dialect", "suffix-range-of-nothing", "the last 0 bytes: 416", suffix_of_nothing),
      question("dialect", "object-below-object", "objects a and a/1 beside each other",
               nested_keys),
  };
}

}  // namespace stepstore::bucket
