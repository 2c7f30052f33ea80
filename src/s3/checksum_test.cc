// Each write carries exactly one checksum, which is the body's; what a server refuses is replaced
// by the next one, and remembered. Refusals of the bytes themselves change nothing.
#include "s3/checksum.h"

#include <gmock/gmock.h>

#include "base/crc64.h"
#include "s3/scripted_transport_fixture.h"

namespace stepstore::s3 {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kCheck = "123456789";

std::string value(Checksum checksum, std::vector<BytesView> body) {
  return value_of(checksum, body, {});
}

TEST(S3Checksum, IsBase64OfTheBigEndianValue) {
  EXPECT_EQ(value(Checksum::crc64nvme, {kCheck}), "rosUhgp5mIg=");
  EXPECT_EQ(value(Checksum::crc32c, {kCheck}), "4waSgw==");
  EXPECT_EQ(value(Checksum::md5, {kCheck}), "JfnnlDI7RTiF9RgfG2JNCw==");
  EXPECT_EQ(value(Checksum::none, {kCheck}), "");
  EXPECT_EQ(value_of(Checksum::crc64nvme, {}, 1), "AAAAAAAAAAE=") << "as the caller knows it";
}

TEST(S3Checksum, OfPiecesIsThatOfTheWhole) {
  for (const Checksum each : {Checksum::crc64nvme, Checksum::crc32c, Checksum::md5}) {
    EXPECT_EQ(value(each, {kCheck.substr(0, 4), "", kCheck.substr(4)}), value(each, {kCheck}))
        << name_of(each);
  }
}

TEST(S3Checksum, IsKnownByItsName) {
  for (const Checksum each :
       {Checksum::crc64nvme, Checksum::crc32c, Checksum::md5, Checksum::none}) {
    EXPECT_EQ(checksum_named(name_of(each)), each);
  }
  EXPECT_FALSE(checksum_named("crc32"));
}

class S3Checksums : public ClientFixture {
 protected:
  static ClientOptions with(std::optional<Checksum> checksum) {
    ClientOptions options = default_options();
    options.objects.checksum = checksum;
    return options;
  }
  // Names of all headers of the request that are a checksum of its body.
  std::vector<std::string> checksums_of(std::size_t request) const {
    std::vector<std::string> found;
    for (const auto& [name, value] : transport->sent().at(request).request.headers) {
      if (name == "Content-MD5" || name.starts_with("x-amz-checksum-crc") ||
          name.starts_with("x-amz-checksum-sha")) {
        found.push_back(name);
      }
    }
    return found;
  }
  static Operation create() { return create_multipart_upload(ObjectKey("a/b"), "text/plain"); }
  static Play begun() {
    return {.body =
                "<InitiateMultipartUploadResult><UploadId>U</UploadId>"
                "</InitiateMultipartUploadResult>"};
  }
};

// G43.
TEST_F(S3Checksums, ExactlyOneGoesWithEachWriteThatHasABody) {
  struct Row {
    std::optional<Checksum> chosen;
    std::vector<std::string> header;
    std::string value;
    std::string announced;
  };
  const std::vector<Row> rows = {
      {{}, {"x-amz-checksum-crc64nvme"}, "rosUhgp5mIg=", "CRC64NVME"},
      {Checksum::crc64nvme, {"x-amz-checksum-crc64nvme"}, "rosUhgp5mIg=", "CRC64NVME"},
      {Checksum::crc32c, {"x-amz-checksum-crc32c"}, "4waSgw==", "CRC32C"},
      {Checksum::md5, {"Content-MD5"}, "JfnnlDI7RTiF9RgfG2JNCw==", ""},
      {Checksum::none, {}, "", ""},
  };
  const std::vector<ObjectKey> keys = {ObjectKey("k")};
  for (const Row& row : rows) {
    const std::size_t first = transport->sent().size();
    const Checksum chosen = row.chosen.value_or(Checksum::crc64nvme);
    const std::vector<Operation> operations = {
        put_object({.key = ObjectKey("k"), .body = kCheck}, {}),
        upload_part(ObjectKey("k"), "U", 1, kCheck, crc64(kCheck), chosen), create(), get(),
        delete_objects(keys)};
    transport->plays({{}, {}, begun(), {}, {.body = "<DeleteResult/>"}});
    for (const auto& answer : client(with(row.chosen)).send(operations, {})) {
      ASSERT_TRUE(answer.ok());
    }
    for (const std::size_t write : {first, first + 1}) {
      EXPECT_EQ(checksums_of(write), row.header);
      if (!row.header.empty()) {
        EXPECT_EQ(transport->header(write, row.header.front()), row.value);
      }
    }
    EXPECT_EQ(transport->header(first + 2, "x-amz-checksum-algorithm"), row.announced);
    EXPECT_EQ(transport->header(first + 2, "x-amz-checksum-type"),
              row.announced == "CRC64NVME" ? "FULL_OBJECT" : "");
    EXPECT_TRUE(checksums_of(first + 3).empty());
    EXPECT_THAT(checksums_of(first + 4), ElementsAre("Content-MD5")) << "G46, whatever is chosen";
  }
}

// What servers say when they do not know the header, and what they say of other things.
struct Refusal {
  const char* what;
  int status;
  const char* body;
  bool of_header;
};
const std::vector<Refusal> kRefusals = {
    {"R2", 501,
     "<Error><Code>NotImplemented</Code><Message>Header 'x-amz-checksum-algorithm' with value "
     "'CRC64NVME' not implemented</Message></Error>",
     true},
    {"AWS's words", 501,
     "<Error><Code>NotImplemented</Code><Message>A header you provided implies functionality that "
     "is not implemented</Message></Error>",
     true},
    {"named by an element", 501,
     "<Error><Code>NotImplemented</Code><Message>Not implemented</Message>"
     "<Header>x-amz-checksum-crc64nvme</Header></Error>",
     true},
    {"without a body", 501, "", true},
    {"an unknown algorithm", 400,
     "<Error><Code>InvalidRequest</Code><Message>The algorithm type you specified in "
     "x-amz-checksum- header is invalid.</Message></Error>",
     true},
    {"an argument", 400,
     "<Error><Code>InvalidArgument</Code><Message>Invalid argument</Message>"
     "<ArgumentName>x-amz-checksum-crc64nvme</ArgumentName></Error>",
     true},
    {"wants MD5", 400,
     "<Error><Code>InvalidRequest</Code><Message>Missing required header for this request: "
     "Content-MD5</Message></Error>",
     true},
    {"another header", 501,
     "<Error><Code>NotImplemented</Code><Message>A header you provided implies functionality that "
     "is not implemented</Message><Header>If-None-Match</Header></Error>",
     false},
    {"another argument", 400,
     "<Error><Code>InvalidArgument</Code><Message>Bad part number</Message></Error>", false},
    {"other bytes", 400,
     "<Error><Code>XAmzContentChecksumMismatch</Code><Message>The provided 'x-amz-checksum' "
     "header does not match what was computed.</Message></Error>",
     false},
    {"other bytes, by MD5", 400,
     "<Error><Code>BadDigest</Code><Message>The Content-MD5 or checksum value that you specified "
     "did not match what the server received.</Message></Error>",
     false},
    {"no right", 403,
     "<Error><Code>AccessDenied</Code><Message>x-amz-checksum-crc64nvme</Message></Error>", false},
};

TEST_F(S3Checksums, ARefusedHeaderGivesWayToTheNextOne) {
  for (const Refusal& refusal : kRefusals) {
    const std::size_t first = transport->sent().size();
    Client& fresh = client(with({}));
    transport->plays({{.status = refusal.status, .body = refusal.body}});
    const auto answer = fresh.send_one(put(), {});
    if (!refusal.of_header) {
      // Bytes that were changed on their way go again as they are.
      const bool again = answer.ok();
      for (std::size_t i = first; i < transport->sent().size(); ++i) {
        EXPECT_THAT(checksums_of(i), ElementsAre("x-amz-checksum-crc64nvme")) << refusal.what;
      }
      EXPECT_EQ(again, std::string_view(refusal.what).starts_with("other bytes")) << refusal.what;
      ASSERT_TRUE(fresh.send_one(put(), {}).ok());
      EXPECT_THAT(checksums_of(transport->sent().size() - 1),
                  ElementsAre("x-amz-checksum-crc64nvme"))
          << refusal.what;
      continue;
    }
    ASSERT_TRUE(answer.ok()) << refusal.what;
    EXPECT_EQ(answer->checksum, Checksum::crc32c);
    EXPECT_THAT(checksums_of(first + 1), ElementsAre("x-amz-checksum-crc32c")) << refusal.what;
    ASSERT_TRUE(fresh.send_one(put(), {}).ok());
    EXPECT_THAT(checksums_of(first + 2), ElementsAre("x-amz-checksum-crc32c")) << "remembered";
  }
  EXPECT_EQ(elapsed().count() < 1'000, true) << "a refusal is no reason to wait";
}

TEST_F(S3Checksums, GoesDownToNoneAndStaysThere) {
  const Play no = refusal(501, "NotImplemented");
  transport->plays({no, no, no, {}});
  ASSERT_TRUE(client(with({})).send_one(put(), {}).ok());
  EXPECT_THAT(checksums_of(2), ElementsAre("Content-MD5"));
  EXPECT_TRUE(checksums_of(3).empty());
  ASSERT_TRUE(made->send_one(put(), {}).ok());
  EXPECT_TRUE(checksums_of(4).empty());
}

// A server that refuses something else in the same words: nothing is learned, and the first answer
// is told.
TEST_F(S3Checksums, WhatIsRefusedWithoutAnyTooWasAboutSomethingElse) {
  transport->plays({{.status = 501,
                     .body = "<Error><Code>NotImplemented</Code><Message>the first "
                             "words</Message></Error>"}});
  transport->then(refusal(501, "NotImplemented"));
  const auto answer = client(with({})).send_one(put(), {});
  ASSERT_TRUE(answer.is(ErrorCode::Unsupported));
  EXPECT_THAT(answer.error().what(), HasSubstr("the first words"));
  EXPECT_EQ(transport->sent().size(), 4U);
  transport->then({});
  ASSERT_TRUE(made->send_one(put(), {}).ok());
  EXPECT_THAT(checksums_of(4), ElementsAre("x-amz-checksum-crc64nvme"));
}

TEST_F(S3Checksums, OneThatWasChosenIsNotReplaced) {
  transport->plays({refusal(501, "NotImplemented")});
  const auto answer = client(with(Checksum::crc32c)).send_one(put(), {});
  EXPECT_TRUE(answer.is(ErrorCode::Unsupported));
  EXPECT_EQ(transport->sent().size(), 1U);
}

// The parts of an upload have to have the one that was announced.
TEST_F(S3Checksums, AnUploadKeepsTheOneThatItWasBegunWith) {
  transport->plays({refusal(400, "InvalidArgument")});
  ASSERT_TRUE(client(with({})).send_one(create(), {}).is(ErrorCode::InvalidArgument));
  transport->plays({refusal(501, "NotImplemented"), begun()});
  const auto answer = made->send_one(create(), {});
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->checksum, Checksum::crc32c);
  EXPECT_EQ(transport->header(2, "x-amz-checksum-algorithm"), "CRC32C");
  transport->plays({refusal(501, "NotImplemented")});
  const auto part =
      made->send_one(upload_part(ObjectKey("a/b"), "U", 1, kCheck, 0, answer->checksum), {});
  EXPECT_TRUE(part.is(ErrorCode::Unsupported)) << "another one would not fit the upload";
  EXPECT_EQ(bound(Checksum::crc32c), Checksum::crc32c);
  EXPECT_FALSE(bound(Checksum::md5) || bound(Checksum::none)) << "nobody has announced them";
}

}  // namespace
}  // namespace stepstore::s3
