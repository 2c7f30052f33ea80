// Every checksum that S3 knows is verified and told again; bodies in chunks are taken for what they
// stand for.
#include "testing/fault_server/checksums.h"

#include "testing/fault_server/service_fixture.h"

namespace stepstore::fault {
namespace {

constexpr std::string_view kBody = "123456789";

// The published check values, in base64.
const std::vector<std::pair<std::string, std::string>> kSums{
    {"x-amz-checksum-crc32", "y/Q5Jg=="},
    {"x-amz-checksum-crc32c", "4waSgw=="},
    {"x-amz-checksum-crc64nvme", "rosUhgp5mIg="},
    {"x-amz-checksum-sha1", "98O8HYCOBHMq32eZZczDTKeuNEE="},
    {"x-amz-checksum-sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="}};

TEST_F(FaultService, VerifiesChecksums) {
  for (const auto& [name, sum] : kSums) {
    const http::Response taken = put("k", kBody, {{name, sum}});
    EXPECT_EQ(told(taken), "200") << name;
    EXPECT_EQ(header(taken, name), sum);
    EXPECT_EQ(told(put("other", "12345678", {{name, sum}})), "400 BadDigest") << name;
    EXPECT_EQ(told(put("other", kBody, {{name, "AAAAAA=="}})), "400 BadDigest") << name;
  }
  EXPECT_EQ(body_of("other"), "404");
  EXPECT_EQ(told(put("k", kBody, {{"Content-MD5", "JfnnlDI7RTiF9RgfG2JNCw=="}})), "200");
  EXPECT_EQ(told(put("k", "x", {{"Content-MD5", "JfnnlDI7RTiF9RgfG2JNCw=="}})), "400 BadDigest");
  EXPECT_EQ(told(put("k", "x", {{"Content-MD5", "short"}})), "400 InvalidDigest");
  become({.ignores_checksums = true});
  for (const auto& [name, sum] : kSums) EXPECT_EQ(told(put("k", "x", {{name, sum}})), "200");
}

TEST_F(FaultService, TellsAChecksumToWhoAsksForIt) {
  for (const auto& [name, sum] : kSums) {
    put("k", kBody, {{name, sum}});
    EXPECT_EQ(header(get("k", {{"x-amz-checksum-mode", "ENABLED"}}), name), sum);
    EXPECT_EQ(header(get("k"), name), "(none)");
    // It would be taken for that of the part.
    const http::Headers part{{"x-amz-checksum-mode", "ENABLED"}, {"Range", "bytes=1-2"}};
    EXPECT_EQ(header(get("k", part), name), "(none)");
  }
}

TEST_F(FaultService, VerifiesThePayloadsHash) {
  const std::string right = "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225";
  EXPECT_EQ(told(put("k", kBody, {{"x-amz-content-sha256", right}})), "200");
  EXPECT_EQ(told(put("k", "x", {{"x-amz-content-sha256", right}})),
            "400 XAmzContentSHA256Mismatch");
  EXPECT_EQ(told(put("k", "x", {{"x-amz-content-sha256", "UNSIGNED-PAYLOAD"}})), "200");
}

http::Headers chunked(const std::string& size) {
  return {{"x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"},
          {"Content-Encoding", "aws-chunked"},
          {"x-amz-decoded-content-length", size}};
}

TEST_F(FaultService, TakesChunksForWhatTheyStandFor) {
  const std::string sum = "x-amz-checksum-crc32:y/Q5Jg==\r\n\r\n";
  const http::Response taken =
      put("k", "4\r\n1234\r\n5;chunk-signature=abc\r\n56789\r\n0\r\n" + sum, chunked("9"));
  EXPECT_EQ(told(taken), "200");
  EXPECT_EQ(header(taken, "x-amz-checksum-crc32"), "y/Q5Jg==");
  EXPECT_EQ(body_of("k"), "123456789");
  EXPECT_EQ(header(get("k"), "Content-Encoding"), "(none)");
  EXPECT_EQ(told(put("k", "1\r\nx\r\n0\r\n" + sum, chunked("1"))), "400 BadDigest");
  EXPECT_EQ(told(put("empty", "0\r\n\r\n", chunked("0"))), "200");
  EXPECT_EQ(body_of("empty"), "");
  EXPECT_EQ(told(put("binary", "a\r\n\r\n3\r\nabc\r\n\r\n0\r\n\r\n", chunked("10"))), "200");
  EXPECT_EQ(body_of("binary"), "\r\n3\r\nabc\r\n");
}

TEST_F(FaultService, RefusesChunksThatAreNotAsTheySay) {
  for (const std::string body :
       {"", "9", "9\r\n1234\r\n0\r\n\r\n", "4\r\n12345\r\n0\r\n\r\n", "4\r\n1234\r\n",
        "x\r\n1234\r\n0\r\n\r\n", "ffffffffffffffff\r\n1234\r\n0\r\n\r\n", "0\r\n\r\n",
        "5\r\n12345\r\n0\r\n\r\n", "-1\r\n\r\n"}) {
    EXPECT_EQ(told(put("k", body, chunked("4"))), "400 IncompleteBody") << body;
  }
  EXPECT_EQ(body_of("k"), "404");
}

}  // namespace
}  // namespace stepstore::fault
