// How objects are kept: what the URI and the options may say, who of them counts, and what is
// refused before anything is sent, without a key in the message.
#include "open/s3_objects.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "open/s3_settings.h"
#include "s3/digest.h"
#include "stepstore/error.h"

namespace stepstore {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kKey = "0123456789abcdef0123456789abcde\xff";

class S3Objects : public testing::Test {
 protected:
  s3::ObjectSettings settings(const std::string& query, const S3ObjectSettings& objects = {}) {
    Options options;
    options.s3_objects = objects;
    const std::string uri = "s3://bucket?endpoint=" + endpoint + (query.empty() ? "" : "&") + query;
    return s3_settings(parse_store_uri(uri), options,
                       [this](std::string_view name) {
                         return name == "SM_S3_SSE_C_KEY" ? variable : std::nullopt;
                       })
        .client.objects;
  }
  std::string refusal(const std::string& query, const S3ObjectSettings& objects = {}) {
    try {
      (void)settings(query, objects);
    } catch (const ConfigError& refused) {
      EXPECT_FALSE(refused.advice().empty());
      EXPECT_THAT(refused.what(), Not(HasSubstr(kKey.substr(0, 31))));
      EXPECT_THAT(refused.what(), Not(HasSubstr(s3::base64(kKey))));
      return refused.what();
    }
    return "it was taken";
  }
  std::filesystem::path file_of(const std::string& content) {
    const auto path = std::filesystem::path(testing::TempDir()) / "sse_c_key_of_a_test";
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

  std::string endpoint = "https://s3.example.com";
  std::optional<std::string> variable{};
};

TEST_F(S3Objects, SayNothingUnlessAsked) {
  const s3::ObjectSettings plain = settings("");
  EXPECT_FALSE(plain.checksum || plain.bucket_key || plain.require_encryption);
  EXPECT_TRUE(plain.encryption.empty() && plain.customer_key.empty() &&
              plain.storage_class.empty() && plain.bucket_owner.empty() && plain.tags.empty());
}

TEST_F(S3Objects, ComeFromTheUri) {
  const s3::ObjectSettings out = settings(
      "checksum=md5&sse=aws:kms&sse_kms_key_id=alias/a&sse_bucket_key=true&sse_context=a=1,b=2&"
      "require_sse=true&storage_class=STANDARD_IA&expected_bucket_owner=111122223333&"
      "tags=team=q%20a,env=");
  EXPECT_EQ(out.checksum, s3::Checksum::md5);
  EXPECT_EQ(out.encryption, "aws:kms");
  EXPECT_EQ(out.kms_key_id, "alias/a");
  EXPECT_EQ(out.bucket_key, true);
  EXPECT_EQ(out.kms_context, (std::map<std::string, std::string>{{"a", "1"}, {"b", "2"}}));
  EXPECT_TRUE(out.require_encryption);
  EXPECT_EQ(out.storage_class, "STANDARD_IA");
  EXPECT_EQ(out.bucket_owner, "111122223333");
  EXPECT_EQ(out.tags, (std::map<std::string, std::string>{{"team", "q a"}, {"env", ""}}));
}

TEST_F(S3Objects, OfTheUriGoBeforeThoseOfTheOptions) {
  const S3ObjectSettings given{.checksum = "crc32c",
                               .sse = "AES256",
                               .require_sse = true,
                               .storage_class = "STANDARD_IA",
                               .tags = {{"a", "1"}}};
  const s3::ObjectSettings own = settings("", given);
  EXPECT_EQ(own.checksum, s3::Checksum::crc32c);
  EXPECT_EQ(own.encryption, "AES256");
  EXPECT_TRUE(own.require_encryption);
  EXPECT_EQ(own.tags.size(), 1U);
  const s3::ObjectSettings other = settings(
      "checksum=auto&sse=aws:kms&require_sse=false&storage_class=GLACIER_IR&tags=b=2", given);
  EXPECT_FALSE(other.checksum);
  EXPECT_EQ(other.encryption, "aws:kms");
  EXPECT_FALSE(other.require_encryption);
  EXPECT_EQ(other.storage_class, "GLACIER_IR");
  EXPECT_EQ(other.tags, (std::map<std::string, std::string>{{"b", "2"}}));
}

TEST_F(S3Objects, TakeTheKeyOfSseCFromTheProgramAFileOrTheEnvironment) {
  const std::string text = s3::base64(kKey);
  EXPECT_EQ(settings("", {.sse_c_key = kKey}).customer_key, kKey);
  EXPECT_EQ(settings("", {.sse_c_key = text}).customer_key, kKey);
  for (const std::string& content : {kKey, text, text + "\n", text + "\r\n", kKey + "\n"}) {
    const auto path = file_of(content);
    EXPECT_EQ(settings("", {.sse_c_key_file = path}).customer_key, kKey);
    EXPECT_EQ(settings("sse_c_key_file=" + path.string()).customer_key, kKey);
  }
  variable = text;
  EXPECT_EQ(settings("").customer_key, kKey);
  const std::string other(32, 'o');
  EXPECT_EQ(settings("", {.sse_c_key = other}).customer_key, other) << "the program's goes first";
  EXPECT_THAT(refusal("sse_c_key=" + text), HasSubstr("unknown parameter"));
}

TEST_F(S3Objects, RefuseAKeyOfSseCThatCannotBe) {
  for (const std::string& bad :
       {kKey.substr(1), kKey + "x", std::string("!"), s3::base64(kKey + "x"),
        s3::base64(kKey).substr(1), std::string()}) {
    EXPECT_THAT(refusal("", {.sse_c_key = bad}), HasSubstr("no key of SSE-C")) << bad.size();
  }
  EXPECT_THAT(refusal("", {.sse_c_key_file = "/nowhere/at/all"}), HasSubstr("cannot be read"));
  EXPECT_THAT(refusal("", {.sse_c_key_file = file_of("")}), HasSubstr("empty"));
  EXPECT_THAT(refusal("sse_c_key_file=/x", {.sse_c_key = kKey}), HasSubstr("both given"));
  EXPECT_THAT(refusal("sse=AES256", {.sse_c_key = kKey}), HasSubstr("both given"));
}

// G56. allow_http is no excuse: each request carries the key.
TEST_F(S3Objects, KeepTheKeyOfSseCFromNetworksWithoutTls) {
  endpoint = "http://192.0.2.1:9000";
  EXPECT_NO_THROW((void)settings("allow_http=true"));
  EXPECT_THAT(refusal("allow_http=true", {.sse_c_key = kKey}), HasSubstr("without TLS"));
  for (const char* const near : {"http://127.0.0.1:9000", "http://localhost:9000"}) {
    endpoint = near;
    EXPECT_EQ(settings("", {.sse_c_key = kKey}).customer_key, kKey);
  }
}

TEST_F(S3Objects, RefuseWhatCannotBe) {
  struct Row {
    std::string query;
    std::string message;
  };
  const std::vector<Row> rows = {
      {"checksum=sha1", "checksum is 'sha1'"},
      {"sse=aes256", "sse is 'aes256'"},
      {"sse_kms_key_id=a", "keys of KMS"},
      {"sse=AES256&sse_bucket_key=true", "keys of KMS"},
      {"sse=AES256&sse_context=a=b", "keys of KMS"},
      {"sse=aws:kms&sse_kms_key_id=a%20b", "no key's name"},
      {"sse=aws:kms:dsse&sse_bucket_key=true", "aws:kms:dsse"},
      {"sse=aws:kms&sse_context=a", "no list of names and values"},
      {"sse=aws:kms&sse_context==b", "no list of names and values"},
      {"sse=aws:kms&sse_context=a=b%0a", "printable ASCII"},
      {"sse=aws:kms&sse_context=a=" + std::string(4'096, 'x'), "4096 bytes"},
      {"sse=aws:kms&sse_bucket_key=yes", "sse_bucket_key is 'yes'"},
      {"require_sse=1", "require_sse is '1'"},
      {"storage_class=GLACIER", "without being restored"},
      {"storage_class=DEEP_ARCHIVE", "without being restored"},
      {"storage_class=a%20b", "storage_class is"},
      {"expected_bucket_owner=1234", "expected_bucket_owner is"},
      {"expected_bucket_owner=11112222333a", "expected_bucket_owner is"},
      {"tags=a=1,a=2", "no list of names and values"},
      {"tags=a=1,b=2,c=3,d=4,e=5,f=6,g=7,h=8,i=9,j=10,k=11", "there are 11 tags"},
      {"tags=a=%c3%a4", "a tag is not one"},
      {"tags=aws:a=1", "a tag is not one"},
      {"tags=" + std::string(129, 'a') + "=1", "a tag is not one"},
      {"tags=a=" + std::string(257, 'a'), "a tag is not one"},
      {"tags=a=b%26c", "a tag is not one"},
  };
  for (const Row& row : rows) EXPECT_THAT(refusal(row.query), HasSubstr(row.message)) << row.query;
  EXPECT_THAT(refusal("", {.tags = {{"", "1"}}}), HasSubstr("a tag is not one"));
}

TEST_F(S3Objects, TakeAllThatS3Takes) {
  for (const char* const fine :
       {"checksum=crc64nvme", "checksum=crc32c", "checksum=none", "sse=aws:kms:dsse",
        "storage_class=INTELLIGENT_TIERING", "storage_class=my_own-class",
        "tags=a=1,b=2,c=3,d=4,e=5,f=6,g=7,h=8,i=9,j=10", "tags=a%2b-=._:/@=%2b-=._:/@"}) {
    EXPECT_NO_THROW((void)settings(fine)) << fine;
  }
}

}  // namespace
}  // namespace stepstore
