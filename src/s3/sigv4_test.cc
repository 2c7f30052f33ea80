// Signatures are those of AWS: its published test suite, and the examples of the S3 documentation.
#include "s3/sigv4.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/errors.h"
#include "s3/times.h"

namespace stepstore::s3 {
namespace {

using nlohmann::json;

std::chrono::sys_seconds time_of(std::string_view text) {
  return std::chrono::floor<std::chrono::seconds>(parse_iso_time(text).value());
}

json aws_cases() {
  std::ifstream file(STEPSTORE_SOURCE_DIR "/tests/sigv4/aws_cases.json");
  return json::parse(file);
}

struct Case {
  std::string name{};
  Credentials credentials{};
  std::string method{};
  Target target{};
  Query query{};
  http::Headers headers{};
  std::string payload_hash{};
};

Case read_case(const json& all, const json& one) {
  Case out{.name = one["name"],
           .credentials = {.access_key = all["access_key"],
                           .secret_key = all["secret_key"],
                           .session_token = one["token"]},
           .method = one["method"],
           .query = one["query"].get<Query>(),
           .headers = one["headers"].get<http::Headers>(),
           .payload_hash = hex(sha256(one["body"].get<std::string>()))};
  out.target = {.path = uri_encode_path(one["path"].get<std::string>()),
                .query = encode_query(out.query)};
  return out;
}

// [G1] [G5] [G6] [G7]
TEST(SigV4, SignsHeadersAsTheSuiteOfAwsDoes) {
  const json all = aws_cases();
  Signer signer(all["region"], all["service"]);
  ASSERT_GE(all["cases"].size(), 25U);
  for (const json& one : all["cases"]) {
    Case given = read_case(all, one);
    if (one["sign_body"]) given.headers.emplace_back("X-Amz-Content-Sha256", given.payload_hash);
    given.headers.emplace_back("X-Amz-Date", "20150830T123600Z");
    if (!given.credentials.session_token.empty()) {
      given.headers.emplace_back("X-Amz-Security-Token", given.credentials.session_token);
    }
    const std::string got =
        signer.authorization({given.method, given.target, given.headers, given.payload_hash},
                             given.credentials, "20150830T123600Z");
    EXPECT_EQ(got.substr(got.find("Signature=") + 10), one["header_signature"].get<std::string>())
        << given.name;
  }
}

// [G7]
TEST(SigV4, SignsLinksAsTheSuiteOfAwsDoes) {
  const json all = aws_cases();
  Signer signer(all["region"], all["service"]);
  for (const json& one : all["cases"]) {
    Case given = read_case(all, one);
    if (one["sign_body"]) continue;  // the suite hides the hash in the query, which S3 does not
    const std::string got = signer.presigned_query(
        {given.method, given.target, given.headers, given.payload_hash}, given.query,
        given.credentials, time_of(all["time"].get<std::string>()),
        std::chrono::seconds(all["lifetime_s"].get<int>()));
    EXPECT_EQ(got.substr(got.find("X-Amz-Signature=") + 16),
              one["query_signature"].get<std::string>())
        << given.name;
  }
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html and, for the link,
// sigv4-query-string-auth.html.
class S3Examples : public ::testing::Test {
 protected:
  std::string sign(std::string_view method, std::string_view key, const Query& query,
                   http::Headers headers, BytesView body = {}) {
    const std::string hash = hex(sha256(body));
    headers.emplace_back("Host", "examplebucket.s3.amazonaws.com");
    headers.emplace_back("x-amz-date", "20130524T000000Z");
    headers.emplace_back("x-amz-content-sha256", hash);
    return s3_signer.authorization({method, target(key, query), headers, hash}, user,
                                   amz_date(moment));
  }
  static Target target(std::string_view key, const Query& query) {
    return target_of("examplebucket", AddressStyle::virtual_host, key, query);
  }

  static constexpr std::string_view kStart =
      "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
      "SignedHeaders=";
  Signer s3_signer{"us-east-1"};
  Credentials user{.access_key = "AKIAIOSFODNN7EXAMPLE",
                   .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};
  std::chrono::sys_seconds moment = time_of("2013-05-24T00:00:00Z");
};

TEST_F(S3Examples, GetObject) {
  EXPECT_EQ(sign("GET", "test.txt", {}, {{"Range", "bytes=0-9"}}),
            std::string(kStart) +
                "host;range;x-amz-content-sha256;x-amz-date, Signature="
                "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST_F(S3Examples, PutObject) {
  EXPECT_EQ(sign("PUT", "test$file.text", {},
                 {{"Date", "Fri, 24 May 2013 00:00:00 GMT"},
                  {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                 "Welcome to Amazon S3."),
            std::string(kStart) +
                "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class, Signature="
                "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST_F(S3Examples, GetBucketLifecycle) {
  EXPECT_EQ(sign("GET", "", {{"lifecycle", ""}}, {}),
            std::string(kStart) +
                "host;x-amz-content-sha256;x-amz-date, Signature="
                "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

TEST_F(S3Examples, ListObjects) {
  EXPECT_EQ(sign("GET", "", {{"prefix", "J"}, {"max-keys", "2"}}, {}),
            std::string(kStart) +
                "host;x-amz-content-sha256;x-amz-date, Signature="
                "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST_F(S3Examples, LinkToAnObject) {
  const http::Headers headers = {{"Host", "examplebucket.s3.amazonaws.com"}};
  EXPECT_EQ(s3_signer.presigned_query({"GET", target("test.txt", {}), headers, kUnsignedPayload},
                                      {}, user, moment, std::chrono::seconds(86'400)),
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2F"
            "us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&"
            "X-Amz-SignedHeaders=host&X-Amz-Signature="
            "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

// [G11] The day's key is kept; another day, secret or token must not be signed with it.
TEST_F(S3Examples, KeepsItsKeyOnlyForOneSecretAndDay) {
  const http::Headers headers = {{"Host", "h"}};
  const Target at = target("k", {});
  const auto sign_with = [&](Signer& signer, const std::string& secret, int day) {
    return signer.authorization({"GET", at, headers, kUnsignedPayload},
                                {.access_key = "A", .secret_key = secret},
                                amz_date(moment + std::chrono::days(day)));
  };
  for (const auto& [secret, day] :
       {std::pair("one", 0), std::pair("two", 0), std::pair("one", 1), std::pair("one", 0)}) {
    Signer fresh("us-east-1");
    EXPECT_EQ(sign_with(s3_signer, secret, day), sign_with(fresh, secret, day));
  }
  EXPECT_NE(sign_with(s3_signer, "one", 0).substr(90), sign_with(s3_signer, "one", 1).substr(90));
}

// A lock that another thread holds at the fork would stay locked in the child for ever.
TEST_F(S3Examples, SignerIsUsableInAForkedChild) {
  std::atomic<bool> done = false;
  const std::string before = sign("GET", "k", {}, {});
  std::jthread other([&] {
    while (!done) (void)sign("PUT", "busy", {}, {});
  });
  for (int i = 0; i < 20; ++i) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::alarm(30);  // a child that hangs must not hang the test
      ::_exit(sign("GET", "k", {}, {}) == before ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << "fork " << i;
    if (status != 0) break;
  }
  done = true;
}

// [G8]
TEST_F(S3Examples, LinksLiveAtMostSevenDays) {
  const http::Headers headers = {{"Host", "h"}};
  const Target at = target("k", {});
  for (const int seconds : {0, -1, 604'801}) {
    EXPECT_THROW((void)s3_signer.presigned_query({"GET", at, headers, kUnsignedPayload}, {}, user,
                                                 moment, std::chrono::seconds(seconds)),
                 InvalidArgument);
  }
}

TEST(SigV4, LeavesOutWhatProxiesChange) {
  for (const char* const name : {"User-Agent", "connection", "EXPECT", "Authorization"}) {
    EXPECT_FALSE(is_signed(name)) << name;
  }
  for (const char* const name : {"Host", "Range", "If-None-Match", "x-amz-date", "Content-Type"}) {
    EXPECT_TRUE(is_signed(name)) << name;
  }
}

}  // namespace
}  // namespace stepstore::s3
