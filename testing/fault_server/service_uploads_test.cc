// A multipart upload becomes an object whole, under its conditions and checksums, or not at all.
#include "base/crc64.h"
#include "s3/digest.h"
#include "testing/fault_server/service_fixture.h"

namespace stepstore::fault {
namespace {

class FaultUploads : public FaultService {
 protected:
  std::string begin(const std::string& key, http::Headers headers = {}) {
    const http::Response answer = ask("POST", "/b/" + key + "?uploads", std::move(headers));
    EXPECT_EQ(element(answer, "Key"), key);
    return element(answer, "UploadId");
  }
  http::Response part(const std::string& key, const std::string& id, int number,
                      std::string_view body, http::Headers headers = {}) {
    return ask("PUT", "/b/" + key + "?partNumber=" + std::to_string(number) + "&uploadId=" + id,
               std::move(headers), body);
  }
  static std::string named(int number, const std::string& etag, const std::string& more = {}) {
    return "<Part><PartNumber>" + std::to_string(number) + "</PartNumber><ETag>" + etag +
           "</ETag>" + more + "</Part>";
  }
  http::Response complete(const std::string& key, const std::string& id, const std::string& parts,
                          http::Headers headers = {}) {
    return ask("POST", "/b/" + key + "?uploadId=" + id, std::move(headers),
               "<CompleteMultipartUpload>" + parts + "</CompleteMultipartUpload>");
  }
  // An upload of one part that is ready to be completed: its id and the part as it is named.
  std::pair<std::string, std::string> ready(const std::string& key, std::string_view body) {
    const std::string id = begin(key);
    return {id, named(1, header(part(key, id, 1, body), "ETag"))};
  }

  const std::string large = std::string(std::size_t{5} << 20U, 'a');
};

TEST_F(FaultUploads, BecomeOneObject) {
  const std::string id = begin("k", {{"Content-Type", "video/webm"}, {"x-amz-meta-a", "1"}});
  const std::string first = header(part("k", id, 1, large), "ETag");
  part("k", id, 7, "replaced");
  const std::string last = header(part("k", id, 7, "tail"), "ETag");
  EXPECT_EQ(body_of("k"), "404") << "there is nothing before it is complete";
  const http::Response done = complete("k", id, named(1, first) + named(7, last));
  EXPECT_EQ(told(done), "200");
  EXPECT_THAT(element(done, "ETag"), testing::EndsWith("-2&quot;"));
  EXPECT_TRUE(body_of("k") == large + "tail");
  EXPECT_EQ(header(get("k"), "Content-Type"), "video/webm");
  EXPECT_EQ(header(get("k"), "x-amz-meta-a"), "1");
  EXPECT_EQ(told(complete("k", id, named(1, first))), "404 NoSuchUpload");
  EXPECT_EQ(told(part("k", id, 2, "late")), "404 NoSuchUpload");
}

TEST_F(FaultUploads, HaveTheETagOfTheirPartsSums) {
  become({}, true);
  const auto [id, parts] = ready("k", "hello");
  // The MD5 of the 16 bytes of the MD5 of "hello".
  EXPECT_EQ(element(complete("k", id, parts), "ETag"),
            "&quot;62109206880d38a4010a98e11243924a-1&quot;");
}

TEST_F(FaultUploads, RefuseWrongParts) {
  const std::string id = begin("k");
  const std::string first = header(part("k", id, 1, large), "ETag");
  const std::string second = header(part("k", id, 2, "small"), "ETag");
  const std::string third = header(part("k", id, 3, "end"), "ETag");
  const auto answer = [&](const std::string& parts) { return told(complete("k", id, parts)); };
  EXPECT_EQ(answer(""), "400 MalformedXML");
  EXPECT_EQ(answer("<Part>"), "400 MalformedXML");
  EXPECT_EQ(answer(named(4, first)), "400 InvalidPart");
  EXPECT_EQ(answer(named(1, second)), "400 InvalidPart");
  EXPECT_EQ(answer(named(3, third) + named(1, first)), "400 InvalidPartOrder");
  EXPECT_EQ(answer(named(1, first) + named(1, first)), "400 InvalidPartOrder");
  EXPECT_EQ(answer(named(1, first) + named(2, second) + named(3, third)), "400 EntityTooSmall");
  EXPECT_EQ(told(part("k", id, 0, "x")), "400 InvalidArgument");
  EXPECT_EQ(told(part("k", id, 10'001, "x")), "400 InvalidArgument");
  EXPECT_EQ(told(part("other", id, 1, "x")), "404 NoSuchUpload");
  EXPECT_EQ(told(complete("other", id, named(1, first))), "404 NoSuchUpload");
  EXPECT_EQ(body_of("k"), "404");
  EXPECT_EQ(answer(named(1, first) + named(3, third)), "200") << "it may be tried again";
  EXPECT_EQ(body_of("k").size(), large.size() + 3);
}

TEST_F(FaultUploads, CompleteOnlyUnderTheirConditions) {
  const auto create = ready("k", "created");
  const auto late = ready("k", "late");
  const auto swap = ready("k", "swapped");
  EXPECT_EQ(told(complete("k", create.first, create.second, {{"If-None-Match", "*"}})), "200");
  EXPECT_EQ(told(complete("k", late.first, late.second, {{"If-None-Match", "*"}})),
            "412 PreconditionFailed");
  EXPECT_EQ(told(complete("k", late.first, late.second, {{"If-Match", "\"other\""}})),
            "412 PreconditionFailed");
  EXPECT_EQ(body_of("k"), "created");
  const std::string etag = header(get("k"), "ETag");
  EXPECT_EQ(told(complete("k", swap.first, swap.second, {{"If-Match", etag}})), "200");
  EXPECT_EQ(body_of("k"), "swapped");

  become({.ignores_completion_conditions = true});
  put("k", "there");
  const auto weak = ready("k", "over it");
  EXPECT_EQ(told(complete("k", weak.first, weak.second, {{"If-None-Match", "*"}})), "200");
  EXPECT_EQ(body_of("k"), "over it");
}

TEST_F(FaultUploads, VerifyTheirChecksums) {
  const std::string name = "x-amz-checksum-crc64nvme";
  const std::string sum = s3::crc64_base64(crc64("body"));
  const std::string id = begin("k", {{"x-amz-checksum-algorithm", "CRC64NVME"}});
  EXPECT_EQ(told(part("k", id, 1, "other", {{name, sum}})), "400 BadDigest");
  const http::Response taken = part("k", id, 1, "body", {{name, sum}});
  EXPECT_EQ(header(taken, name), sum);
  const std::string etag = header(taken, "ETag");
  const auto with = [](const std::string& each) {
    return "<ChecksumCRC64NVME>" + each + "</ChecksumCRC64NVME>";
  };
  EXPECT_EQ(told(complete("k", id, named(1, etag, with("AAAAAAAAAAA=")))), "400 InvalidPart");
  EXPECT_EQ(told(complete("k", id, named(1, etag), {{name, "AAAAAAAAAAA="}})), "400 BadDigest");
  EXPECT_EQ(told(complete("k", id, named(1, etag), {{"x-amz-mp-object-size", "5"}})),
            "400 InvalidRequest");
  EXPECT_EQ(told(complete("k", id, named(1, etag, with(sum)),
                          {{name, sum}, {"x-amz-mp-object-size", "4"}})),
            "200");
  EXPECT_EQ(header(get("k", {{"x-amz-checksum-mode", "ENABLED"}}), name), sum);

  become({.ignores_checksums = true});
  const auto weak = ready("k", "body");
  EXPECT_EQ(told(complete("k", weak.first, weak.second, {{name, "AAAAAAAAAAA="}})), "200");
}

TEST_F(FaultUploads, CanBeAbandoned) {
  const std::string id = begin("k");
  part("k", id, 1, "x");
  EXPECT_EQ(told(ask("DELETE", "/b/other?uploadId=" + id)), "404 NoSuchUpload");
  EXPECT_EQ(ask("DELETE", "/b/k?uploadId=" + id).status, 204);
  EXPECT_EQ(told(ask("DELETE", "/b/k?uploadId=" + id)), "404 NoSuchUpload");
  EXPECT_EQ(body_of("k"), "404");
  EXPECT_THAT(elements(ask("GET", "/b?uploads"), "Upload"), testing::IsEmpty());
}

TEST_F(FaultUploads, AreListedInPages) {
  std::vector<std::string> ids;
  for (const char* const key : {"b", "a", "b", "c/%26"})
    ids.push_back(ask("POST", std::string("/b/") + key + "?uploads").status == 200 ? key
                                                                                   : "failed");
  const http::Response all = ask("GET", "/b?uploads");
  EXPECT_THAT(elements(all, "Key"), testing::ElementsAre("a", "b", "b", "c/&amp;"));
  EXPECT_EQ(element(all, "Initiated"), "2026-01-01T00:00:00.000Z");
  EXPECT_EQ(element(all, "IsTruncated"), "false");
  EXPECT_THAT(elements(ask("GET", "/b?uploads&prefix=c"), "Key"), testing::ElementsAre("c/&amp;"));
  EXPECT_EQ(element(ask("GET", "/b?uploads&prefix=c&encoding-type=url"), "Key"), "c/%26");
  EXPECT_THAT(elements(ask("GET", "/b?uploads&key-marker=b"), "Key"),
              testing::ElementsAre("c/&amp;"));
  std::vector<std::string> paged;
  std::string next;
  for (int page = 0; page < 4; ++page) {
    const http::Response one = ask("GET", "/b?uploads&max-uploads=1" + next);
    ASSERT_EQ(elements(one, "Upload").size(), 1U);
    paged.push_back(element(one, "UploadId"));
    EXPECT_EQ(element(one, "IsTruncated"), page == 3 ? "false" : "true");
    next = "&key-marker=" + element(one, "NextKeyMarker") +
           "&upload-id-marker=" + element(one, "NextUploadIdMarker");
  }
  EXPECT_EQ(paged, elements(all, "UploadId"));
}

TEST_F(FaultUploads, TellTheirPartsInPages) {
  const std::string id = begin("k");
  for (const int number : {9, 2, 5}) part("k", id, number, std::string(number, 'x'));
  const http::Response all = ask("GET", "/b/k?uploadId=" + id);
  EXPECT_THAT(elements(all, "PartNumber"), testing::ElementsAre("2", "5", "9"));
  EXPECT_THAT(elements(all, "Size"), testing::ElementsAre("2", "5", "9"));
  EXPECT_EQ(element(all, "IsTruncated"), "false");
  const http::Response first = ask("GET", "/b/k?max-parts=2&uploadId=" + id);
  EXPECT_THAT(elements(first, "PartNumber"), testing::ElementsAre("2", "5"));
  EXPECT_EQ(element(first, "IsTruncated"), "true");
  const http::Response rest =
      ask("GET",
          "/b/k?part-number-marker=" + element(first, "NextPartNumberMarker") + "&uploadId=" + id);
  EXPECT_THAT(elements(rest, "PartNumber"), testing::ElementsAre("9"));
  EXPECT_EQ(told(ask("GET", "/b/k?uploadId=none")), "404 NoSuchUpload");
}

}  // namespace
}  // namespace stepstore::fault
