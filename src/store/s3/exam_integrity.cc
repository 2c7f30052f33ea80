// What the server compares with the body before it stores it, and which bulk deletes it takes.
#include <algorithm>
#include <span>

#include "base/crc64.h"
#include "s3/digest.h"
#include "store/s3/examiner.h"

namespace stepstore::bucket {
namespace {

using Verdict = DoctorRow::Verdict;

constexpr std::string_view kBody = "stepstore";
constexpr std::string_view kOwnChecks =
    "What is damaged on its way is not noticed when it is stored, but when it is read: stepstore "
    "compares every byte then.";
constexpr const char* kCrcHeader = "x-amz-checksum-crc64nvme";

s3::Operation put_with(Examiner& examiner, const std::string& header, const std::string& value) {
  s3::Operation put = s3::put_object(
      {.key = examiner.fresh_key("sum"), .body = kBody, .content_type = "text/plain"}, {});
  put.checksum.reset();  // but the one that is tried
  put.headers.emplace_back(header, value);
  return put;
}

// A header that does not fit the body.
Reply wrong_sum(Examiner& examiner, const std::string& header, const std::string& value) {
  const Said said = examiner.ask(put_with(examiner, header, value));
  return reply_if(!said.ok(), said.words + (said.ok() ? ", stored" : ""), kOwnChecks);
}

Reply crc64_wrong(Examiner& examiner) {
  return wrong_sum(examiner, kCrcHeader, s3::crc64_base64(crc64(kBody) + 1));
}
Reply crc32c_wrong(Examiner& examiner) {
  return wrong_sum(examiner, "x-amz-checksum-crc32c", "AAAAAA==");
}
Reply sha256_wrong(Examiner& examiner) {
  const s3::Sha256 other = s3::sha256(BytesView("other"));
  return wrong_sum(examiner, "x-amz-checksum-sha256",
                   s3::base64(BytesView(std::span<const std::byte>(other))));
}
Reply md5_wrong(Examiner& examiner) {
  return wrong_sum(examiner, "Content-MD5", s3::md5_base64(BytesView("other")));
}

Reply echoed(Examiner& examiner) {
  const std::string right = s3::crc64_base64(crc64(kBody));
  s3::Operation put = put_with(examiner, kCrcHeader, right);
  const Said stored = examiner.must(put);
  s3::Operation head = s3::head_object(ObjectKey(put.key));
  head.headers.emplace_back("x-amz-checksum-mode", "ENABLED");
  const Said found = examiner.must(head);
  const auto told = [&right](const Said& said) {
    const std::string* const value = said.header(kCrcHeader);
    return value != nullptr && *value == right;
  };
  const int times = (told(stored) ? 1 : 0) + (told(found) ? 1 : 0);
  Reply reply{.verdict = Verdict::partly,
              .seen = std::string("PUT: ") + (told(stored) ? "told" : "not told") +
                      ", HEAD: " + (told(found) ? "told" : "not told"),
              .advice = "stepstore keeps checksums of its own; nothing need be done."};
  if (times == 2) reply.verdict = Verdict::yes;
  if (times == 0) reply.verdict = Verdict::no;
  return reply;
}

enum class Proof : std::uint8_t { md5, wrong_md5, crc64, none };

// Two objects and one that is not there, deleted by one request.
Reply bulk_delete(Examiner& examiner, Proof proof) {
  const std::vector<ObjectKey> keys{examiner.fresh_key("bulk"), examiner.fresh_key("bulk"),
                                    examiner.fresh_key("bulk")};
  for (std::size_t i = 0; i < 2; ++i) (void)examiner.must(examiner.put_of(keys[i]));
  s3::Operation removal = s3::delete_objects(keys);
  std::erase_if(removal.headers, [](const auto& header) { return header.first == "Content-MD5"; });
  const BytesView body(removal.owned_body);
  if (proof == Proof::md5) removal.headers.emplace_back("Content-MD5", s3::md5_base64(body));
  if (proof == Proof::wrong_md5) {
    removal.headers.emplace_back("Content-MD5", s3::md5_base64(BytesView("other")));
  }
  if (proof == Proof::crc64) {
    removal.headers.emplace_back("x-amz-sdk-checksum-algorithm", "CRC64NVME");
    removal.headers.emplace_back(kCrcHeader, s3::crc64_base64(crc64(body)));
  }
  const Said said = examiner.ask(removal);
  const bool gone = !examiner.exists(keys[0]) && !examiner.exists(keys[1]);
  const std::string seen = said.words + (gone ? ", deleted" : ", not deleted");
  if (proof == Proof::wrong_md5) return reply_if(!said.ok() && !gone, seen, kOwnChecks);
  return reply_if(said.ok() && gone, seen,
                  proof == Proof::md5 ? "Deletes of many objects fail here: use another server."
                                      : "stepstore sends Content-MD5; nothing need be done.");
}

}  // namespace

std::vector<Question> integrity_questions(Examiner& examiner) {
  const auto question = [&examiner](const char* area, const char* name, const char* tried,
                                    Reply (*ask)(Examiner&), bool needed = false) {
    return Question{
        .area = area, .name = name, .tried = tried, .needed = needed, .ask = [&examiner, ask] {
          return ask(examiner);
        }};
  };
  return {
      question("integrity", "checksum-crc64nvme", "PUT with a wrong CRC-64/NVME", crc64_wrong),
      question("integrity", "checksum-crc32c", "PUT with a wrong CRC-32C", crc32c_wrong),
      question("integrity", "checksum-sha256", "PUT with a wrong SHA-256", sha256_wrong),
      question("integrity", "content-md5", "PUT with a wrong Content-MD5", md5_wrong),
      question("integrity", "checksum-told", "whether PUT and HEAD tell the checksum", echoed),
      question(
          "deleting", "bulk-delete", "DeleteObjects with Content-MD5",
          [](Examiner& with) { return bulk_delete(with, Proof::md5); }, true),
      question("deleting", "bulk-delete-crc64", "the same with a CRC-64/NVME only",
               [](Examiner& with) { return bulk_delete(with, Proof::crc64); }),
      question("deleting", "bulk-delete-bare", "the same without either",
               [](Examiner& with) { return bulk_delete(with, Proof::none); }),
      question("deleting", "bulk-delete-checked", "the same with a wrong Content-MD5",
               [](Examiner& with) { return bulk_delete(with, Proof::wrong_md5); }),
  };
}

}  // namespace stepstore::bucket
