// Encryption, storage class, tags and the owner are wishes that S3 keeps, tells of and insists on.
#include "testing/fault_server/kept.h"

#include "s3/digest.h"
#include "testing/fault_server/service_fixture.h"

namespace stepstore::fault {
namespace {

const std::string kSse = "x-amz-server-side-encryption";
const std::string kAlgorithm = kSse + "-customer-algorithm";

http::Headers key_headers(const std::string& key) {
  return {{kAlgorithm, "AES256"},
          {kSse + "-customer-key", s3::base64(key)},
          {kSse + "-customer-key-MD5", s3::md5_base64(key)}};
}

TEST_F(FaultService, EncryptsEverythingAndSaysHow) {
  EXPECT_EQ(header(put("k"), kSse), "AES256");
  EXPECT_EQ(header(get("k"), kSse), "AES256");
  const http::Headers kms{{kSse, "aws:kms"}, {kSse + "-aws-kms-key-id", "alias/a"}};
  EXPECT_EQ(header(put("k", "x", kms), kSse + "-aws-kms-key-id"), "alias/a");
  EXPECT_EQ(header(ask("HEAD", "/b/k"), kSse), "aws:kms");
  EXPECT_EQ(header(ask("POST", "/b/k?uploads", kms), kSse), "aws:kms");
  EXPECT_EQ(told(put("k", "x", {{kSse, "ROT13"}})), "400 InvalidArgument");
  become({.no_encryption = true});
  EXPECT_EQ(header(put("k", "x", kms), kSse), "(none)");
  EXPECT_EQ(header(get("k"), kSse), "(none)");
}

TEST_F(FaultService, GivesAnObjectOnlyForItsKey) {
  const http::Headers mine = key_headers(std::string(32, 'a'));
  EXPECT_EQ(header(put("k", "secret", mine), kAlgorithm), "AES256");
  EXPECT_EQ(get("k", mine).body.text(), "secret");
  EXPECT_EQ(header(get("k", mine), kSse + "-customer-key"), "(none)");
  EXPECT_EQ(told(get("k")), "400 InvalidRequest");
  EXPECT_EQ(told(get("k", key_headers(std::string(32, 'b')))), "403 AccessDenied");
  EXPECT_EQ(ask("HEAD", "/b/k").status, 400);
  put("plain");
  EXPECT_EQ(told(get("plain", mine)), "400 InvalidRequest");
}

TEST_F(FaultService, RefusesKeysThatDoNotFitTheirHeaders) {
  EXPECT_EQ(told(put("k", "x", key_headers("short"))), "400 InvalidArgument");
  http::Headers other = key_headers(std::string(32, 'a'));
  other[2].second = s3::md5_base64("another");
  EXPECT_EQ(told(put("k", "x", other)), "400 InvalidArgument");
  other.pop_back();
  EXPECT_EQ(told(put("k", "x", other)), "400 InvalidArgument");
}

TEST_F(FaultService, WantsTheKeyOfAnUploadWithEachPart) {
  const http::Headers mine = key_headers(std::string(32, 'a'));
  const std::string id = element(ask("POST", "/b/k?uploads", mine), "UploadId");
  const std::string part = "/b/k?partNumber=1&uploadId=" + id;
  EXPECT_EQ(told(ask("PUT", part, {}, "x")), "400 InvalidRequest");
  const std::string etag = header(ask("PUT", part, mine, "x"), "ETag");
  const std::string body = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" +
                           etag + "</ETag></Part></CompleteMultipartUpload>";
  EXPECT_EQ(ask("POST", "/b/k?uploadId=" + id, mine, body).status, 200);
  EXPECT_EQ(told(get("k")), "400 InvalidRequest");
  EXPECT_EQ(get("k", mine).body.text(), "x");
}

TEST_F(FaultService, KeepsStorageClassAndCountsTags) {
  put("k", "x", {{"x-amz-storage-class", "STANDARD_IA"}, {"x-amz-tagging", "a=1&b=2"}});
  EXPECT_EQ(header(get("k"), "x-amz-storage-class"), "STANDARD_IA");
  EXPECT_EQ(header(get("k"), "x-amz-tagging-count"), "2");
  put("k", "x", {{"x-amz-storage-class", "STANDARD"}});
  EXPECT_EQ(header(get("k"), "x-amz-storage-class"), "(none)");
  EXPECT_EQ(told(put("k", "x", {{"x-amz-storage-class", "CHEAP"}})), "400 InvalidStorageClass");
}

TEST_F(FaultService, SaysOtherHeadersToWhoWishesForThem) {
  put("k", "x", {{"Content-Type", "text/html"}});
  const http::Response wished =
      get("k?response-content-type=text%2Fplain&response-content-disposition=attachment");
  EXPECT_EQ(header(wished, "Content-Type"), "text/plain");
  EXPECT_EQ(header(wished, "Content-Disposition"), "attachment");
  EXPECT_EQ(header(get("k"), "Content-Type"), "text/html");
}

TEST_F(FaultService, AnswersOnlyWhoKnowsTheOwner) {
  const http::Headers right{{"x-amz-expected-bucket-owner", std::string(kOwner)}};
  const http::Headers wrong{{"x-amz-expected-bucket-owner", "999999999999"}};
  EXPECT_EQ(put("k", "x", right).status, 200);
  EXPECT_EQ(told(put("k", "x", wrong)), "403 AccessDenied");
  EXPECT_EQ(told(get("k", wrong)), "403 AccessDenied");
  EXPECT_EQ(told(ask("GET", "/b?list-type=2", wrong)), "403 AccessDenied");
  EXPECT_EQ(told(get("k?x-amz-expected-bucket-owner=999999999999")), "403 AccessDenied");
}

}  // namespace
}  // namespace stepstore::fault
