// Objects are kept, read in part, described and removed as S3 does it, in buckets that are made and
// removed.
#include <algorithm>

#include "testing/fault_server/service_fixture.h"

namespace stepstore::fault {
namespace {

TEST_F(FaultService, GivesBackWhatWasPut) {
  const http::Response put_answer = put("a/b", std::string("by\0tes", 6),
                                        {{"Content-Type", "image/png"},
                                         {"X-Amz-Meta-Kind", "shot"},
                                         {"Cache-Control", "no-store"},
                                         {"User-Agent", "none of its business"}});
  EXPECT_EQ(put_answer.status, 200);
  const http::Response got = get("a/b");
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body.text(), std::string_view("by\0tes", 6));
  EXPECT_EQ(header(got, "ETag"), header(put_answer, "ETag"));
  EXPECT_EQ(header(got, "Content-Type"), "image/png");
  EXPECT_EQ(header(got, "x-amz-meta-kind"), "shot");
  EXPECT_EQ(header(got, "Cache-Control"), "no-store");
  EXPECT_EQ(header(got, "User-Agent"), "(none)");
  EXPECT_EQ(header(got, "Last-Modified"), "Thu, 01 Jan 2026 00:00:00 GMT");
  EXPECT_EQ(header(got, "x-amz-version-id"), "(none)");
  EXPECT_EQ(header(get("a/b", {}), "Date"), "Thu, 01 Jan 2026 00:00:00 GMT");
}

TEST_F(FaultService, GivesTypeAndEmptyBodyWhereNoneWasGiven) {
  put("k", "");
  EXPECT_EQ(header(get("k"), "Content-Type"), "binary/octet-stream");
  EXPECT_EQ(body_of("k"), "");
}

TEST_F(FaultService, ReplacesAllOfAnObject) {
  const std::string first = header(put("k", "1", {{"x-amz-meta-a", "1"}}), "ETag");
  const std::string second = header(put("k", "2"), "ETag");
  EXPECT_NE(first, second);
  EXPECT_EQ(body_of("k"), "2");
  EXPECT_EQ(header(get("k"), "x-amz-meta-a"), "(none)");
}

TEST_F(FaultService, DescribesAnObjectByHead) {
  put("k", "0123456789");
  const http::Response head = ask("HEAD", "/b/k");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(header(head, "Content-Length"), "10");
  const http::Response missing = ask("HEAD", "/b/none");
  EXPECT_EQ(missing.status, 404);
  EXPECT_TRUE(missing.body.empty());
}

TEST_F(FaultService, HasETagsOfTheShapeOfAnMd5OrThatItself) {
  for (const bool md5 : {false, true}) {
    become({}, md5);
    const std::string etag = header(put("k", "hello"), "ETag");
    EXPECT_THAT(etag, testing::MatchesRegex("\"[0-9a-f]{32}\""));
    EXPECT_EQ(etag == "\"5d41402abc4b2a76b9719d911017c592\"", md5);
    EXPECT_EQ(header(put("k", "hello"), "ETag") == etag, md5);
  }
}

TEST_F(FaultService, GivesRanges) {
  put("k", "0123456789");
  const auto range = [&](const std::string& text) {
    const http::Response got = get("k", {{"Range", text}});
    return std::to_string(got.status) + ' ' + header(got, "Content-Range") + ' ' +
           (got.status < 300 ? std::string(got.body.text()) : element(got, "Code"));
  };
  EXPECT_EQ(range("bytes=2-4"), "206 bytes 2-4/10 234");
  EXPECT_EQ(range("bytes=0-0"), "206 bytes 0-0/10 0");
  EXPECT_EQ(range("bytes=7-"), "206 bytes 7-9/10 789");
  EXPECT_EQ(range("bytes=7-18446744073709551615"), "206 bytes 7-9/10 789");
  EXPECT_EQ(range("bytes=-3"), "206 bytes 7-9/10 789");
  EXPECT_EQ(range("bytes=-99"), "206 bytes 0-9/10 0123456789");
  EXPECT_EQ(range("bytes=10-"), "416 (none) InvalidRange");
  EXPECT_EQ(range("bytes=-0"), "416 (none) InvalidRange");
  for (const char* const whole :
       {"bytes=0-1,4-5", "bytes=4-2", "bytes=a-b", "bytes=-", "bytes=1", "lines=1-2", ""}) {
    EXPECT_EQ(range(whole), "200 (none) 0123456789") << whole;
  }
  EXPECT_EQ(header(ask("HEAD", "/b/k", {{"Range", "bytes=2-4"}}), "Content-Length"), "3");
  put("k", "");
  EXPECT_EQ(range("bytes=0-"), "416 (none) InvalidRange");
  EXPECT_EQ(range("bytes=-1"), "416 (none) InvalidRange");
}

TEST_F(FaultService, RemovesWhatIsThereAndWhatIsNot) {
  put("k");
  EXPECT_EQ(ask("DELETE", "/b/k").status, 204);
  EXPECT_EQ(ask("DELETE", "/b/k").status, 204);
  EXPECT_EQ(told(get("k")), "404 NoSuchKey");
}

std::string delete_body(std::size_t count, std::string_view more = {}) {
  std::string body = "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  body += more;
  for (std::size_t i = 0; i < count; ++i) {
    body += "<Object><Key>k" + std::to_string(i) + "</Key></Object>";
  }
  return body + "</Delete>";
}

TEST_F(FaultService, RemovesManyAtOnce) {
  become({.ignores_checksums = true});
  const http::Headers md5{{"Content-MD5", "any"}};
  put("k0");
  put("k1");
  put("k2");
  EXPECT_EQ(told(ask("POST", "/b?delete", {}, delete_body(2))), "400 InvalidRequest");
  const http::Response answer = ask("POST", "/b?delete", md5, delete_body(2));
  EXPECT_THAT(elements(answer, "Key"), testing::ElementsAre("k0", "k1"));
  EXPECT_EQ(body_of("k1"), "404");
  EXPECT_EQ(body_of("k2"), "x");
  const http::Response quiet = ask("POST", "/b?delete", md5, delete_body(3, "<Quiet>true</Quiet>"));
  EXPECT_EQ(quiet.status, 200);
  EXPECT_THAT(elements(quiet, "Key"), testing::IsEmpty());
  EXPECT_EQ(body_of("k2"), "404");
  EXPECT_EQ(told(ask("POST", "/b?delete", md5, delete_body(1'000))), "200");
  EXPECT_EQ(told(ask("POST", "/b?delete", md5, delete_body(1'001))), "400 MalformedXML");
  EXPECT_EQ(told(ask("POST", "/b?delete", md5, delete_body(0))), "400 MalformedXML");
  EXPECT_EQ(told(ask("POST", "/b?delete", md5, "<Delete><Object>")), "400 MalformedXML");
  become({.no_bulk_delete = true, .ignores_checksums = true});
  EXPECT_EQ(told(ask("POST", "/b?delete", md5, delete_body(1))), "501 NotImplemented");
}

TEST_F(FaultService, RemovesKeysThatXmlHasToEscape) {
  become({.ignores_checksums = true});
  put("a%26b%3C%0D%0A", "1");
  put("%20", "2");
  const std::string body =
      "<Delete><Object><Key>a&amp;b&lt;&#13;&#10;</Key></Object><Object><Key> </Key></Object>"
      "</Delete>";
  ask("POST", "/b?delete", {{"Content-MD5", "any"}}, body);
  EXPECT_EQ(body_of("a%26b%3C%0D%0A"), "404");
  EXPECT_EQ(body_of("%20"), "404");
}

TEST_F(FaultService, MakesAndRemovesBuckets) {
  EXPECT_EQ(told(ask("GET", "/new/k")), "404 NoSuchBucket");
  EXPECT_EQ(told(ask("PUT", "/new/k")), "404 NoSuchBucket");
  EXPECT_EQ(ask("HEAD", "/new").status, 404);
  EXPECT_EQ(ask("PUT", "/new").status, 200);
  EXPECT_EQ(ask("HEAD", "/new").status, 200);
  EXPECT_THAT(elements(ask("GET", "/"), "Name"), testing::ElementsAre("b", "new"));
  EXPECT_EQ(element(ask("GET", "/"), "CreationDate"), "2026-01-01T00:00:00.000Z");
  ask("PUT", "/new/k", {}, "kept");
  EXPECT_EQ(ask("PUT", "/new").status, 200);
  EXPECT_EQ(ask("GET", "/new/k").body.text(), "kept");
  EXPECT_EQ(told(ask("DELETE", "/new")), "409 BucketNotEmpty");
  ask("DELETE", "/new/k");
  EXPECT_EQ(ask("DELETE", "/new").status, 204);
  EXPECT_EQ(ask("HEAD", "/new").status, 404);
}

TEST_F(FaultService, RefusesWhatItDoesNotDoInsteadOfStoringIt) {
  put("k", "object");
  for (const char* const what : {"tagging", "acl", "retention", "legal-hold"}) {
    EXPECT_EQ(told(put(std::string("k?") + what, "<Tagging/>")), "501 NotImplemented") << what;
  }
  EXPECT_EQ(told(put("k", "", {{"x-amz-copy-source", "/b/other"}})), "501 NotImplemented");
  EXPECT_EQ(told(ask("GET", "/b?lifecycle")), "501 NotImplemented");
  EXPECT_EQ(told(ask("PUT", "/b?policy", {}, "{}")), "501 NotImplemented");
  EXPECT_EQ(told(ask("PATCH", "/b/k")), "501 NotImplemented");
  EXPECT_EQ(body_of("k"), "object");
  EXPECT_EQ(told(put(std::string(1'025, 'k'))), "400 KeyTooLongError");
  EXPECT_EQ(put(std::string(1'024, 'k')).status, 200);
}

}  // namespace
}  // namespace stepstore::fault
