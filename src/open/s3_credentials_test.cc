// Of the ways in which the options may name credentials one is taken, and a slot may be set anew.
#include "open/s3_credentials.h"

#include <gmock/gmock.h>

#include "open/s3_settings.h"

namespace stepstore {
namespace {

std::optional<std::string> nothing(std::string_view) { return std::nullopt; }

std::shared_ptr<s3::CredentialsSource> source(const Options& options, const std::string& uri) {
  return s3_settings(parse_store_uri(uri), options, nothing).credentials;
}

TEST(S3Credentials, ThoseOfTheOptions) {
  Options options;
  options.s3_credentials = S3Credentials{.access_key_id = "A", .secret_access_key = "S"};
  EXPECT_EQ(source(options, "s3://b")->current({})->access_key, "A");
  options.s3_credentials->secret_access_key = "";
  EXPECT_THROW((void)source(options, "s3://b"), ConfigError);
}

TEST(S3Credentials, ASlotIsReadForEachRequest) {
  Options options;
  options.s3_credentials_slot = std::make_shared<S3CredentialsSlot>();
  const auto found = source(options, "s3://b");
  EXPECT_THROW((void)found->current({}), Unauthenticated) << "it is empty";
  EXPECT_THROW(options.s3_credentials_slot->set({.access_key_id = "A"}), ConfigError);
  options.s3_credentials_slot->set({.access_key_id = "A", .secret_access_key = "S"});
  const auto first = found->current({});
  EXPECT_EQ(first->access_key, "A");
  EXPECT_FALSE(found->refresh(*first)) << "the same ones would be refused again";
  options.s3_credentials_slot->set({.access_key_id = "B", .secret_access_key = "S"});
  EXPECT_TRUE(found->refresh(*first));
  EXPECT_EQ(found->current({})->access_key, "B");
}

TEST(S3Credentials, AnonymousByUriOrOption) {
  EXPECT_TRUE(source({}, "s3://b?anonymous=true")->current({})->anonymous);
  EXPECT_TRUE(source({.s3_anonymous = true}, "s3://b")->current({})->anonymous);
  EXPECT_THROW((void)source({}, "s3://b?anonymous=false&endpoint=http://127.0.0.1:1")->current({}),
               Unauthenticated);
  EXPECT_THROW((void)source({}, "s3://b?anonymous=maybe"), ConfigError);
}

TEST(S3Credentials, TwoWaysAtOnceAreRefused) {
  Options options{.s3_anonymous = true};
  options.s3_credentials = S3Credentials{.access_key_id = "A", .secret_access_key = "S"};
  EXPECT_THROW((void)source(options, "s3://b"), ConfigError);
}

}  // namespace
}  // namespace stepstore
