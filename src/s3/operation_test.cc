// Each operation asks S3 for exactly what it should: method, target, headers and body.
#include "s3/operation.h"

#include <gmock/gmock.h>

#include <climits>

#include "base/crc64.h"
#include "s3/digest.h"
#include "s3/encode.h"

namespace stepstore::s3 {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const ObjectKey kKey("s/a b/observation");

std::string target(const Operation& operation) {
  return target_of("b", AddressStyle::path, operation.key, operation.query).text();
}

// "-": the header is absent.
std::string header(const Operation& operation, std::string_view name) {
  const std::string* const value = http::find_header(operation.headers, name);
  return value ? *value : "-";
}

Operation put(Condition condition, PutOptions options = {}) {
  static const std::string body = "123456789";
  return put_object({.key = kKey,
                     .body = body,
                     .content_type = "text/html",
                     .condition = std::move(condition),
                     .crc64 = {}},
                    options);
}

// [G43]
TEST(S3Operation, PutsWithTypeAndChecksum) {
  const Operation plain = put({});
  EXPECT_EQ(plain.name, "PutObject");
  EXPECT_EQ(plain.method, "PUT");
  EXPECT_EQ(target(plain), "/b/s/a%20b/observation");
  EXPECT_EQ(header(plain, "Content-Type"), "text/html");
  ASSERT_TRUE(plain.checksum);
  EXPECT_FALSE(plain.checksum->only || plain.checksum->crc64 || plain.checksum->announced);
  EXPECT_EQ(header(plain, "If-None-Match"), "-");
  EXPECT_EQ(header(plain, "If-Match"), "-");
  EXPECT_FALSE(plain.conditional);
  // [G41] [G66] What the manifest tells no header has to.
  for (const auto& [name, value] : plain.headers) {
    EXPECT_FALSE(name.starts_with("x-amz-meta-") || name == "Content-Encoding") << name;
  }
  EXPECT_EQ(plain.body.at(0).text(), "123456789");
  EXPECT_FALSE(plain.holds_data);
  EXPECT_TRUE(put({}, {.holds_data = true}).holds_data);
}

TEST(S3Operation, TakesTheChecksumThatTheCallerKnows) {
  const Operation known =
      put_object({.key = kKey, .body = "x", .content_type = {}, .condition = {}, .crc64 = 1}, {});
  EXPECT_EQ(known.checksum->crc64, 1U);
}

// [G31] S3 would store the type that some library made up.
TEST(S3Operation, AlwaysSaysTheContentType) {
  const Operation bare =
      put_object({.key = kKey, .body = "", .content_type = {}, .condition = {}, .crc64 = {}}, {});
  EXPECT_EQ(header(bare, "Content-Type"), "application/octet-stream");
  EXPECT_EQ(header(create_multipart_upload(kKey, ""), "Content-Type"), "application/octet-stream");
  EXPECT_EQ(header(create_multipart_upload(kKey, "video/mp4"), "Content-Type"), "video/mp4");
  EXPECT_EQ(header(upload_part(kKey, "U", 1, "x", 0), "Content-Type"), "application/octet-stream");
}

// [G42]
TEST(S3Operation, PutsByCondition) {
  const Operation create = put(Condition::absent());
  EXPECT_EQ(header(create, "If-None-Match"), "*");
  EXPECT_EQ(header(create, "If-Match"), "-");
  EXPECT_TRUE(create.conditional);
  for (const char* const etag : {"abc", "\"abc\"", "W/\"abc\""}) {
    const Condition same = Condition::unchanged(ETag(etag));
    EXPECT_EQ(header(put(same), "If-Match"), "\"abc\"") << etag;
    EXPECT_EQ(header(put(same, {.etag_style = ETagStyle::bare}), "If-Match"), "abc") << etag;
    EXPECT_EQ(header(put(same), "If-None-Match"), "-");
    EXPECT_TRUE(put(same).conditional);
  }
}

std::string range_of(ObjectRange range) {
  return header(get_object({.key = kKey, .range = range, .if_match = {}}, 99), "Range");
}

TEST(S3Operation, GetsRanges) {
  EXPECT_EQ(range_of({.offset = 0, .size = 10}), "bytes=0-9");
  EXPECT_EQ(range_of({.offset = 5, .size = 1}), "bytes=5-5");
  EXPECT_EQ(range_of({.offset = 7, .size = {}}), "bytes=7-");
  EXPECT_EQ(range_of({.offset = 0, .size = 10, .from_end = true}), "bytes=-10");
  EXPECT_EQ(range_of({.offset = UINT64_MAX, .size = 1}),
            "bytes=18446744073709551615-18446744073709551615");
  EXPECT_EQ(range_of({.offset = 2, .size = UINT64_MAX}), "bytes=2-") << "beyond any end";
  EXPECT_THROW((void)range_of({.offset = 0, .size = 0}), InvalidArgument);
  EXPECT_THROW((void)range_of({.offset = 0, .size = 0, .from_end = true}), InvalidArgument);
}

TEST(S3Operation, GetsByConditionAndLimit) {
  const Operation get = get_object({.key = kKey, .range = {}, .if_match = ETag("\"e\"")}, 99);
  EXPECT_EQ(get.method, "GET");
  EXPECT_EQ(header(get, "If-Match"), "\"e\"");
  EXPECT_EQ(header(get, "Range"), "-");
  EXPECT_EQ(get.response_bytes_max, 99U);
  EXPECT_FALSE(get.conditional) << "only writes leave a doubt";
  EXPECT_FALSE(get.error_in_200) << "the body is the object's";
  EXPECT_EQ(head_object(kKey).method, "HEAD");
}

// [G58] [G59]
TEST(S3Operation, ListsPages) {
  EXPECT_EQ(target(list_objects({})), "/b?encoding-type=url&list-type=2");
  const ListRequest page{
      .prefix = "p/\xC3\xA4", .delimited = true, .start_after = "p/a b", .limit = 7};
  EXPECT_EQ(target(list_objects(page)),
            "/b?delimiter=%2F&encoding-type=url&list-type=2&max-keys=7&prefix=p%2F%C3%A4&"
            "start-after=p%2Fa%20b");
  EXPECT_EQ(target(list_objects(page, "t+/=")),
            "/b?continuation-token=t%2B%2F%3D&delimiter=%2F&encoding-type=url&list-type=2&"
            "max-keys=7&prefix=p%2F%C3%A4");
}

TEST(S3Operation, Deletes) {
  EXPECT_EQ(delete_object(kKey).method, "DELETE");
  EXPECT_EQ(target(delete_object(kKey)), "/b/s/a%20b/observation");
  EXPECT_EQ(target(delete_object(kKey, "v+1")), "/b/s/a%20b/observation?versionId=v%2B1");
}

// [G46]
TEST(S3Operation, DeletesManyWithTheHashThatServersWant) {
  const std::vector<ObjectKey> keys = {ObjectKey("a<b>&\"'"), ObjectKey("c d")};
  const Operation remove = delete_objects(keys);
  EXPECT_EQ(remove.method, "POST");
  EXPECT_EQ(target(remove), "/b?delete=");
  EXPECT_EQ(remove.owned_body,
            "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>"
            "<Object><Key>a&lt;b&gt;&amp;&quot;&apos;</Key></Object>"
            "<Object><Key>c d</Key></Object></Delete>");
  EXPECT_EQ(header(remove, "Content-MD5"), md5_base64(remove.owned_body));
  EXPECT_EQ(header(remove, "Content-Type"), "application/xml");
  EXPECT_TRUE(remove.error_in_200);

  const std::vector<ObjectKey> most(1000, ObjectKey("k"));
  EXPECT_THAT(delete_objects(most).owned_body, HasSubstr("<Key>k</Key>"));
  const std::vector<ObjectKey> more(1001, ObjectKey("k"));
  EXPECT_THROW((void)delete_objects(more), InvalidArgument);
}

// [G44]
TEST(S3Operation, UploadsInParts) {
  const Operation create = create_multipart_upload(kKey, "video/mp4");
  EXPECT_EQ(create.method, "POST");
  EXPECT_EQ(target(create), "/b/s/a%20b/observation?uploads=");
  EXPECT_TRUE(create.checksum->announced);
  EXPECT_FALSE(create.holds_data);
  EXPECT_TRUE(create_multipart_upload(kKey, "video/mp4", true).holds_data);

  const Operation part = upload_part(kKey, "U/+", 3, "bytes", 1);
  EXPECT_EQ(part.method, "PUT");
  EXPECT_EQ(target(part), "/b/s/a%20b/observation?partNumber=3&uploadId=U%2F%2B");
  EXPECT_EQ(part.checksum->only, Checksum::crc64nvme);
  EXPECT_EQ(part.checksum->crc64, 1U);
  EXPECT_EQ(part.body.at(0).text(), "bytes");

  EXPECT_EQ(abort_multipart_upload(kKey, "U").method, "DELETE");
  EXPECT_EQ(target(abort_multipart_upload(kKey, "U")), "/b/s/a%20b/observation?uploadId=U");
  EXPECT_EQ(target(list_multipart_uploads("p/", "k", "m")),
            "/b?encoding-type=url&key-marker=k&prefix=p%2F&upload-id-marker=m&uploads=");
}

// [G44]
TEST(S3Operation, CompletesWithTheChecksumsOfPartsAndWhole) {
  const std::vector<UploadedPart> parts = {{.number = 1, .etag = "\"e1\"", .crc64 = 1},
                                           {.number = 2, .etag = "\"e2\"", .crc64 = 2}};
  const Operation complete =
      complete_multipart_upload(kKey, "U", parts, Condition::absent(), 3, {});
  EXPECT_EQ(complete.method, "POST");
  EXPECT_EQ(target(complete), "/b/s/a%20b/observation?uploadId=U");
  EXPECT_EQ(complete.owned_body,
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            "<Part><PartNumber>1</PartNumber><ETag>&quot;e1&quot;</ETag>"
            "<ChecksumCRC64NVME>AAAAAAAAAAE=</ChecksumCRC64NVME></Part>"
            "<Part><PartNumber>2</PartNumber><ETag>&quot;e2&quot;</ETag>"
            "<ChecksumCRC64NVME>AAAAAAAAAAI=</ChecksumCRC64NVME></Part>"
            "</CompleteMultipartUpload>");
  EXPECT_EQ(header(complete, "x-amz-checksum-crc64nvme"), "AAAAAAAAAAM=");
  EXPECT_EQ(header(complete, "x-amz-checksum-type"), "FULL_OBJECT");
  EXPECT_EQ(header(complete, "If-None-Match"), "*");
  EXPECT_TRUE(complete.error_in_200);

  for (const Checksum without : {Checksum::md5, Checksum::none}) {
    const Operation bare = complete_multipart_upload(kKey, "U", parts, {}, 3, {}, without);
    EXPECT_TRUE(bare.conditional) << "a second completion is not answered like the first";
    EXPECT_EQ(header(bare, "x-amz-checksum-crc64nvme"), "-");
    EXPECT_EQ(header(bare, "x-amz-checksum-type"), "-");
    EXPECT_THAT(bare.owned_body, Not(HasSubstr("Checksum")));
  }
}

// A checksum of checksums, which servers compute by themselves.
TEST(S3Operation, CompletesWithTheChecksumsOfPartsAlone) {
  const std::vector<UploadedPart> parts = {{.number = 1, .etag = "e", .crc32c = 0xe3069283}};
  const Operation complete =
      complete_multipart_upload(kKey, "U", parts, {}, 3, {}, Checksum::crc32c);
  EXPECT_THAT(complete.owned_body, HasSubstr("<ChecksumCRC32C>4waSgw==</ChecksumCRC32C></Part>"));
  EXPECT_EQ(header(complete, "x-amz-checksum-crc64nvme"), "-");
  EXPECT_EQ(header(complete, "x-amz-checksum-crc32c"), "-");
}

TEST(S3Operation, AsksAboutTheBucket) {
  EXPECT_EQ(head_bucket().method, "HEAD");
  EXPECT_EQ(target(head_bucket()), "/b");
  EXPECT_EQ(get_bucket_versioning().method, "GET");
  EXPECT_EQ(target(get_bucket_versioning()), "/b?versioning=");
  EXPECT_EQ(get_bucket_lifecycle().method, "GET");
  EXPECT_EQ(target(get_bucket_lifecycle()), "/b?lifecycle=");
  EXPECT_EQ(target(list_object_versions("p/", "k", "v")),
            "/b?encoding-type=url&key-marker=k&prefix=p%2F&version-id-marker=v&versions=");
  EXPECT_EQ(target(list_object_versions("", "", "")), "/b?encoding-type=url&versions=");
}

}  // namespace
}  // namespace stepstore::s3
