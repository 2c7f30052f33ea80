// Which operation carries which header is the table's word, row by row; all of them are signed; no
// answer without encryption passes where it is required; no message shows a key.
#include "s3/object_headers.h"

#include <gmock/gmock.h>

#include <set>

#include "s3/digest.h"
#include "s3/scripted_transport_fixture.h"

namespace stepstore::s3 {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kSse = "x-amz-server-side-encryption";
const std::string kOwner = "x-amz-expected-bucket-owner";
const std::string kKey(32, 'k');
const std::set<std::string> kKmsHeaders = {kSse, kSse + "-aws-kms-key-id", kSse + "-context",
                                           kSse + "-bucket-key-enabled"};
const std::set<std::string> kKeyHeaders = {kSse + "-customer-algorithm", kSse + "-customer-key",
                                           kSse + "-customer-key-MD5"};
const std::set<std::string> kDataHeaders = {"x-amz-storage-class", "x-amz-tagging"};

ObjectSettings kms_settings() {
  return {.encryption = "aws:kms",
          .kms_key_id = "alias/steps",
          .bucket_key = true,
          .kms_context = {{"team", "qa"}, {"a\"b", "c\\d"}},
          .storage_class = "STANDARD_IA",
          .bucket_owner = "111122223333",
          .tags = {{"team", "q a"}, {"env", "a+b=c"}}};
}
ObjectSettings key_settings() {
  return {.customer_key = kKey,
          .storage_class = "STANDARD_IA",
          .bucket_owner = "111122223333",
          .tags = {{"team", "qa"}}};
}

// One of each operation that there is.
std::vector<Operation> all_operations() {
  static const std::vector<ObjectKey> keys = {ObjectKey("k")};
  const ObjectKey& key = keys.front();
  std::vector<Operation> all = {put_object({.key = key}, {}),
                                create_multipart_upload(key, ""),
                                upload_part(key, "U", 1, "x", 0),
                                complete_multipart_upload(key, "U", {}, {}, 0, {}),
                                abort_multipart_upload(key, "U"),
                                get_object({.key = key}, 1),
                                head_object(key),
                                list_objects({}),
                                list_multipart_uploads("", "", ""),
                                delete_object(key),
                                delete_objects(keys),
                                head_bucket(),
                                get_bucket_versioning()};
  for (Operation& each : all) each.holds_data = true;
  return all;
}

std::set<std::string> names_in(const http::Headers& headers) {
  std::set<std::string> names;
  for (const auto& header : headers) names.insert(header.first);
  return names;
}

TEST(S3ObjectHeaders, GoWithEachOperationAsItsRowSays) {
  std::set<std::string_view> seen;
  for (const ObjectSettings& settings : {kms_settings(), key_settings()}) {
    const ObjectHeaders headers(settings);
    for (const Operation& operation : all_operations()) {
      const HeaderRow& row = header_row(operation.name);
      ASSERT_EQ(row.operation, operation.name) << "it has no row";
      seen.insert(row.operation);
      std::set<std::string> wanted = {kOwner};
      if (row.encryption && !settings.encryption.empty()) {
        wanted.insert(kKmsHeaders.begin(), kKmsHeaders.end());
      }
      if (row.customer_key && !settings.customer_key.empty()) {
        wanted.insert(kKeyHeaders.begin(), kKeyHeaders.end());
      }
      if (row.data) wanted.insert(kDataHeaders.begin(), kDataHeaders.end());
      http::Headers sent;
      headers.add_to(operation, sent);
      EXPECT_EQ(names_in(sent), wanted) << operation.name;
      EXPECT_EQ(sent.size(), wanted.size()) << "each once";
    }
  }
  EXPECT_EQ(seen.size(), header_table().size()) << "a row is about no operation";
}

// The rows themselves, as S3's reference has them.
TEST(S3ObjectHeaders, RowsAreThoseOfTheReference) {
  const auto carried = [](bool HeaderRow::* what) {
    std::set<std::string_view> names;
    for (const HeaderRow& row : header_table()) {
      if (row.*what) names.insert(row.operation);
    }
    return names;
  };
  using Names = std::set<std::string_view>;
  EXPECT_EQ(carried(&HeaderRow::encryption), (Names{"PutObject", "CreateMultipartUpload"}));
  EXPECT_EQ(carried(&HeaderRow::data), (Names{"PutObject", "CreateMultipartUpload"}));
  // G56.
  EXPECT_EQ(carried(&HeaderRow::customer_key),
            (Names{"PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload",
                   "GetObject", "HeadObject"}));
  EXPECT_EQ(carried(&HeaderRow::tells),
            (Names{"PutObject", "CreateMultipartUpload", "GetObject", "HeadObject"}));
}

std::string header(const ObjectSettings& settings, const Operation& operation,
                   const std::string& name) {
  http::Headers sent;
  ObjectHeaders(settings).add_to(operation, sent);
  const std::string* const value = http::find_header(sent, name);
  return value ? *value : "-";
}

TEST(S3ObjectHeaders, HaveTheValuesThatS3Wants) {
  const Operation put = put_object({.key = ObjectKey("k")}, {.holds_data = true});
  EXPECT_EQ(header(kms_settings(), put, kSse), "aws:kms");
  EXPECT_EQ(header(kms_settings(), put, kSse + "-bucket-key-enabled"), "true");
  EXPECT_EQ(from_base64(header(kms_settings(), put, kSse + "-context")),
            R"({"a\"b":"c\\d","team":"qa"})");
  EXPECT_EQ(header(kms_settings(), put, "x-amz-tagging"), "env=a%2Bb%3Dc&team=q%20a");
  EXPECT_EQ(header(key_settings(), put, kSse + "-customer-algorithm"), "AES256");
  EXPECT_EQ(from_base64(header(key_settings(), put, kSse + "-customer-key")), kKey);
  EXPECT_EQ(header(key_settings(), put, kSse + "-customer-key-MD5"), md5_base64(kKey));
  EXPECT_EQ(header({}, put, kSse), "-");
}

// What says where the data is has to be cheap to read and quick to replace.
TEST(S3ObjectHeaders, ClassAndTagsAreForDataOnly) {
  for (const std::string& name : kDataHeaders) {
    EXPECT_EQ(header(kms_settings(), put_object({.key = ObjectKey("k")}, {}), name), "-");
    EXPECT_EQ(header(kms_settings(), create_multipart_upload(ObjectKey("k"), ""), name), "-");
    EXPECT_NE(header(kms_settings(), create_multipart_upload(ObjectKey("k"), "", true), name), "-");
  }
}

class S3ObjectHeadersSent : public ClientFixture {};

// G6: an unsigned header could be changed on its way, and strict servers refuse it.
TEST_F(S3ObjectHeadersSent, AreAllSigned) {
  for (const ObjectSettings& settings : {kms_settings(), key_settings()}) {
    ClientOptions options = default_options();
    options.objects = settings;
    ASSERT_TRUE(
        client(options)
            .send_one(put_object({.key = ObjectKey("k"), .body = "x"}, {.holds_data = true}), {})
            .ok());
    const std::size_t last = transport->sent().size() - 1;
    const std::string authorization = transport->header(last, "Authorization");
    std::size_t signed_ones = 0;
    for (const auto& [name, value] : transport->sent()[last].request.headers) {
      if (!name.starts_with("x-amz-")) continue;
      std::string lower = name;
      std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
      EXPECT_THAT(authorization, ::testing::ContainsRegex("[;=]" + lower + "[;,]"));
      ++signed_ones;
    }
    EXPECT_GE(signed_ones, 9U);
  }
}

TEST_F(S3ObjectHeadersSent, KeysAreInNoMessage) {
  ClientOptions options = default_options();
  options.objects = key_settings();
  options.retry.attempts_max = 1;
  for (const int status : {400, 403, 500}) {
    // A proxy may repeat all that it was sent.
    transport->plays(
        {{.status = status,
          .body = "<Error><Code>Odd</Code><Message>you sent " + base64(kKey) + "</Message></Error>",
          .headers = {{"x-amz-request-id", base64(kKey)}}}});
    const auto answer = client(options).send_one(get(), {});
    ASSERT_FALSE(answer.ok());
    EXPECT_THAT(all_text(answer.error()), HasSubstr("you sent ***"));
    EXPECT_THAT(all_text(answer.error()), Not(HasSubstr(base64(kKey))));
  }
}

TEST(S3RequireEncryption, RefusesAnswersThatDoNotShowIt) {
  struct Row {
    ObjectSettings settings;
    http::Headers told;
    bool write_passes, read_passes;
  };
  const http::Headers by_key = {{kSse + "-customer-algorithm", "AES256"}};
  const std::vector<Row> rows = {
      {{}, {}, false, false},
      {{}, {{kSse, "AES256"}}, true, true},
      {{}, {{kSse, "aws:kms"}}, true, true},
      {{}, by_key, true, true},
      {{.encryption = "AES256"}, {}, false, false},
      {{.encryption = "AES256"}, {{kSse, "AES256"}}, true, true},
      // Another way than was asked for is no success of a write; what was there before is read.
      {{.encryption = "aws:kms"}, {{kSse, "AES256"}}, false, true},
      {{.encryption = "aws:kms"}, {{kSse, "aws:kms"}}, true, true},
      {{.customer_key = kKey}, {{kSse, "AES256"}}, false, true},
      {{.customer_key = kKey}, by_key, true, true},
  };
  const Operation put = put_object({.key = ObjectKey("k")}, {});
  const Operation get = get_object({.key = ObjectKey("k")}, 1);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ObjectSettings settings = rows[i].settings;
    const http::Response answer{.status = 200, .headers = rows[i].told};
    EXPECT_EQ(missing_encryption(settings, put, answer), "") << "it is not required";
    settings.require_encryption = true;
    EXPECT_EQ(missing_encryption(settings, put, answer).empty(), rows[i].write_passes) << i;
    EXPECT_EQ(missing_encryption(settings, get, answer).empty(), rows[i].read_passes) << i;
    EXPECT_EQ(missing_encryption(settings, delete_object(ObjectKey("k")), answer), "");
    EXPECT_EQ(missing_encryption(settings, get, {.status = 304}), "") << "there is no object";
  }
}

}  // namespace
}  // namespace stepstore::s3
