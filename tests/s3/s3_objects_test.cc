// How objects are kept, end to end over the project's own server: encryption, keys, class, tags and
// owner reach it with each kind of request; a server that does not encrypt gets no step; checksums
// that it refuses give way; bytes that changed on their way are noticed.
#include <gmock/gmock.h>

#include <cstring>
#include <mutex>
#include <set>

#include "faults_fixture.h"
#include "s3/digest.h"

namespace stepstore {
namespace {

using fault::Call;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kSse = "x-amz-server-side-encryption";
const std::string kKey(32, 'k');
const std::string kPng = "\x89PNG\r\n\x1a\n";

class S3Kept : public FaultsTest {
 protected:
  explicit S3Kept(const fault::Dialect& dialect = {}) : FaultsTest(dialect) {}

  std::unique_ptr<StorageManager> opened(const S3ObjectSettings& objects,
                                         const std::string& prefix = {}) {
    Options options;
    options.s3_credentials = S3Credentials{.access_key_id = "any", .secret_access_key = "any"};
    options.s3_objects = objects;
    options.stream_threshold = 1 << 20;
    return std::make_unique<StorageManager>(server.uri(prefix), options);
  }

  // All that the server is asked, from now on.
  void watch() {
    server.plan()
        .on("")
        .when([this](const Call& call) {
          const std::lock_guard lock(mutex);
          calls.push_back(call);
          return false;  // nothing becomes of it
        })
        .lose_request();
  }
  std::vector<Call> asked(const std::string& method, const std::string& contains) {
    const std::lock_guard lock(mutex);
    std::vector<Call> found;
    for (const Call& call : calls) {
      if ((method.empty() || call.method == method) &&
          call.key.find(contains) != std::string::npos) {
        found.push_back(call);
      }
    }
    return found;
  }
  static std::string header(const Call& call, const std::string& name) {
    const std::string* const value = call.header(name);
    return value ? *value : "-";
  }

  // 12 MiB: two parts.
  static Receipt store_large(StorageManager& manager, const std::string& step) {
    const std::string large(std::size_t{12} << 20U, 'L');
    std::size_t at = 0;
    return manager.store_step_data(
        "s", step,
        {.html_content = "<p>",
         .components = {{.name = "video", .data = Source::reader([&](std::span<std::byte> into) {
                                            const std::size_t size =
                                                std::min(into.size(), large.size() - at);
                                            std::memcpy(into.data(), large.data() + at, size);
                                            at += size;
                                            return size;
                                          })}}});
  }

  std::mutex mutex;
  std::vector<Call> calls;
};

TEST_F(S3Kept, EncryptionByTheServerIsAskedForWhereverAnObjectIsMade) {
  watch();
  const auto manager = opened({.sse = "aws:kms",
                               .sse_kms_key_id = "alias/steps",
                               .sse_bucket_key = true,
                               .sse_context = {{"team", "qa"}},
                               .require_sse = true});
  store_large(*manager, "1");
  EXPECT_EQ(manager->retrieve_step_data("s", "1").find("video")->size(), std::size_t{12} << 20U);
  for (const char* const made : {"s/1/observation.html", "s/1/step.json", ".stepstore/"}) {
    const auto puts = asked("PUT", made);
    ASSERT_FALSE(puts.empty()) << made;
    for (const Call& put : puts) {
      if (put.parameter("uploadId") != nullptr) continue;
      EXPECT_EQ(header(put, kSse), "aws:kms") << put.key;
      EXPECT_EQ(header(put, kSse + "-aws-kms-key-id"), "alias/steps");
      EXPECT_EQ(header(put, kSse + "-bucket-key-enabled"), "true");
    }
  }
  EXPECT_EQ(header(asked("POST", "s/1/video").at(0), kSse), "aws:kms") << "CreateMultipartUpload";
  for (const Call& part : asked("PUT", "s/1/video")) EXPECT_EQ(header(part, kSse), "-");
}

// G56.
TEST_F(S3Kept, AKeyOfOnesOwnGoesWithEveryRequestOfAnObject) {
  watch();
  const auto manager = opened({.sse_c_key = kKey, .require_sse = true});
  store_large(*manager, "1");
  EXPECT_EQ(manager->retrieve_step_data("s", "1").html_content()->text(), "<p>");
  EXPECT_TRUE(manager->check({.data = true}).healthy());
  std::set<std::string> kinds;
  {
    const std::lock_guard lock(mutex);
    for (const Call& call : calls) {
      if (call.key.empty() || call.method == "DELETE") continue;
      kinds.insert(call.method + (call.parameter("uploadId") ? " upload" : ""));
      EXPECT_EQ(header(call, kSse + "-customer-algorithm"), "AES256") << call.method << call.key;
      EXPECT_EQ(s3::from_base64(header(call, kSse + "-customer-key")), kKey);
      EXPECT_EQ(header(call, kSse + "-customer-key-MD5"), s3::md5_base64(kKey));
    }
  }
  EXPECT_THAT(kinds, ::testing::IsSupersetOf({"GET", "PUT", "PUT upload", "POST", "POST upload"}));
  EXPECT_TRUE(manager->delete_session("s").steps == 1);
}

TEST_F(S3Kept, NobodyReadsWithoutTheKey) {
  opened({.sse_c_key = kKey})->store_step_data("s", "1", {.html_content = "<p>"});
  try {
    (void)opened({})->retrieve_step_data("s", "1");
    FAIL();
  } catch (const ConfigError& refused) {
    EXPECT_THAT(refused.what(), HasSubstr("stored with a key of SSE-C"));
    EXPECT_THAT(refused.advice(), HasSubstr("sse_c_key"));
  }
  const std::string other(32, 'o');
  try {
    (void)opened({.sse_c_key = other})->retrieve_step_data("s", "1");
    FAIL();
  } catch (const StorageManagerError& refused) {
    EXPECT_EQ(refused.code(), ErrorCode::PermissionDenied);
    EXPECT_THAT(refused.what(), Not(HasSubstr(s3::base64(other))));
  }
}

TEST_F(S3Kept, ClassAndTagsAreThoseOfComponentsAndTheOwnerIsOfAll) {
  watch();
  for (const std::string prefix : {"", "team/a"}) {
    const auto manager = opened({.storage_class = "STANDARD_IA",
                                 .expected_bucket_owner = "111122223333",
                                 .tags = {{"team", "q a"}, {"env", "ci"}}},
                                prefix);
    store_large(*manager, "1");
    manager->store_step_data("s", "1", {.html_content = "again"}, {.keep_versions = Keep{2}});
    manager->delete_session("s");
  }
  const std::lock_guard lock(mutex);
  std::size_t components = 0, others = 0;
  for (const Call& call : calls) {
    EXPECT_EQ(header(call, "x-amz-expected-bucket-owner"), "111122223333") << call.method;
    const bool makes = (call.method == "PUT" && !call.parameter("uploadId")) ||
                       (call.method == "POST" && call.parameter("uploads"));
    const bool data = call.key.find("observation") != std::string::npos ||
                      call.key.find("/video") != std::string::npos;
    if (makes) ++(data ? components : others);
    EXPECT_EQ(header(call, "x-amz-storage-class"), makes && data ? "STANDARD_IA" : "-") << call.key;
    EXPECT_EQ(header(call, "x-amz-tagging"), makes && data ? "env=ci&team=q%20a" : "-");
    EXPECT_EQ(header(call, "x-amz-acl"), "-");
  }
  EXPECT_EQ(components, 6U);
  EXPECT_GE(others, 8U) << "manifests, a copy of one, session roots, the format's marker";
}

TEST_F(S3Kept, ABucketOfSomebodyElseIsNotTouched) {
  const auto manager = opened({.expected_bucket_owner = "999999999999"});
  EXPECT_THROW(manager->store_step_data("s", "1", {.html_content = "<p>"}), PermissionDenied);
  EXPECT_TRUE(list_all(*store_of_its_own(), {}).empty());
}

class S3Unencrypted : public S3Kept {
 protected:
  S3Unencrypted() : S3Kept({.no_encryption = true}) {}
};

TEST_F(S3Unencrypted, AServerThatDoesNotEncryptGetsNothing) {
  for (const S3ObjectSettings& objects :
       {S3ObjectSettings{.require_sse = true},
        S3ObjectSettings{.sse = "AES256", .require_sse = true},
        S3ObjectSettings{.sse_c_key = kKey, .require_sse = true}}) {
    try {
      opened(objects)->store_step_data("s", "1", {.html_content = "<p>"});
      FAIL();
    } catch (const Unsupported& refused) {
      EXPECT_THAT(refused.what(), HasSubstr("does not say that it encrypts"));
      EXPECT_THAT(refused.advice(), HasSubstr("require_sse"));
      EXPECT_FALSE(refused.outcome_unknown());
      EXPECT_FALSE(refused.retryable());
    }
    EXPECT_TRUE(list_all(*store_of_its_own(), {}).empty()) << "something stayed";
  }
  // Without the demand the wish alone is none of our business.
  EXPECT_EQ(opened({.sse = "AES256"})->store_step_data("s", "1", {.html_content = "x"}).version,
            1U);
}

TEST_F(S3Unencrypted, WhatIsNotEncryptedIsNotRead) {
  open()->store_step_data("s", "1", {.html_content = "<p>"});
  EXPECT_THROW((void)opened({.require_sse = true})->retrieve_step_data("s", "1"), Unsupported);
  EXPECT_THROW((void)opened({.require_sse = true})->stat_step("s", "1"), Unsupported);
}

// The server was seen to encrypt, and then there is an answer that does not say so.
TEST_F(S3Kept, AComponentThatIsNotEncryptedAfterAllIsEmptiedAndTheStepIsNotThere) {
  const auto manager = opened({.sse = "AES256", .require_sse = true});
  manager->store_step_data("warm", "1", {.html_content = "x"});
  server.plan()
      .on("PUT", "observation")
      .nth(1)
      .do_and_answer({.status = 200, .headers = {{"ETag", "\"e\""}}});
  try {
    manager->store_step_data("s", "1", {.html_content = "<p>", .action_data = "{}"});
    FAIL();
  } catch (const Unsupported& refused) {
    EXPECT_THAT(refused.what(), HasSubstr("was stored, and emptied again"));
    EXPECT_FALSE(refused.outcome_unknown());
  }
  server.plan().clear();
  EXPECT_EQ(seen(), "absent");
  const auto left = get_one(*store_of_its_own(), ObjectKey("s/1/observation.html"));
  EXPECT_EQ(left.value().body.size(), 0U);
  EXPECT_EQ(
      manager->store_step_data("s", "1", {.html_content = "<p>", .screenshot_bytes = kPng}).version,
      1U);
}

TEST_F(S3Kept, AnUploadThatWouldNotBeEncryptedIsAborted) {
  const auto manager = opened({.sse = "AES256", .require_sse = true});
  manager->store_step_data("warm", "1", {.html_content = "x"});
  server.plan()
      .on("POST", "video")
      .nth(1)
      .do_and_answer(fault::xml_answer(200,
                                       "<InitiateMultipartUploadResult><UploadId>none</UploadId>"
                                       "</InitiateMultipartUploadResult>"));
  server.plan().forget_journal();
  EXPECT_THROW(store_large(*manager, "1"), Unsupported);
  const auto journal = server.plan().journal();
  EXPECT_TRUE(std::ranges::any_of(journal, [](const fault::Entry& each) {
    return each.method == "DELETE" && each.query.find("uploadId=none") != std::string::npos;
  }));
  EXPECT_THROW((void)manager->stat_step("s", "1"), NotFound);
}

// Nobody can take back a manifest that somebody may have read.
TEST_F(S3Kept, AManifestThatIsNotEncryptedAfterAllLeavesADoubt) {
  const auto manager = opened({.sse = "AES256", .require_sse = true});
  manager->store_step_data("warm", "1", {.html_content = "x"});
  const http::Response bare{.status = 200, .headers = {{"ETag", "\"e\""}}};
  server.plan().on("PUT", "s/1/step.json").nth(1).do_and_answer(bare);
  server.plan().on("GET", "s/1/step.json").do_and_answer(bare);
  try {
    manager->store_step_data("s", "1", {.html_content = "<p>"});
    FAIL();
  } catch (const StorageManagerError& refused) {
    EXPECT_TRUE(refused.outcome_unknown()) << refused.what();
  }
}

// --- Checksums

TEST_F(S3Kept, ChecksumsThatAServerRefusesGiveWayForGood) {
  struct Row {
    std::vector<std::string> refused;
    std::string taken;
    std::size_t refusals;
  };
  const std::vector<Row> rows = {
      {{"crc64nvme"}, "x-amz-checksum-crc32c", 1},
      {{"crc64nvme", "crc32c"}, "Content-MD5", 2},
      // An upload announces no MD5, so its two parts, which go at once, are the first to have it.
      {{"crc64nvme", "crc32c", "Content-MD5"}, "", 4},
  };
  for (const Row& row : rows) {
    const auto refuses = [refused = row.refused](const Call& call) {
      if (call.parameter("delete") != nullptr) return false;  // always by MD5
      const std::string* const announced = call.header("x-amz-checksum-algorithm");
      return std::ranges::any_of(refused, [&](const std::string& name) {
        return call.header(name) != nullptr || call.header("x-amz-checksum-" + name) != nullptr ||
               (announced != nullptr && fault::lower_case(*announced) == name);
      });
    };
    calls.clear();
    watch();
    server.plan().on("").when(refuses).error(501, "NotImplemented", "no such header");
    const auto manager = opened({});
    const std::string step = "step" + std::to_string(row.refused.size());
    store_large(*manager, step);
    EXPECT_EQ(manager->retrieve_step_data("s", step).find("video")->size(), std::size_t{12} << 20U);
    std::size_t refusals = 0;
    for (const Call& call : asked("", "")) refusals += refuses(call) ? 1 : 0;
    EXPECT_EQ(refusals, row.refusals) << "each is learned once";
    for (const Call& put : asked("PUT", "s/" + step)) {
      if (!row.taken.empty()) {
        EXPECT_NE(header(put, row.taken), "-") << put.key;
      }
    }
    manager->delete_session("s");
    server.plan().clear();
  }
}

// A server that keeps no checksum with the object still compares what arrives.
TEST_F(S3Kept, BytesThatChangeOnTheirWayToTheServerGoAgain) {
  for (const char* const checksum : {"crc64nvme", "crc32c", "md5"}) {
    const auto manager = opened({.checksum = checksum});
    server.plan().on("PUT", "observation").nth(1).error(400, "BadDigest");
    EXPECT_EQ(manager->store_step_data("s", checksum, {.html_content = "<p>"}).version, 1U);
    server.plan().clear();
  }
}

// --- What comes back

// Answers to a GET of the html with another body, as a broken proxy or disk gives them.
class S3Damage : public S3Kept {
 protected:
  void answer_with(const std::string& body) {
    server.plan().clear();
    server.plan()
        .on("GET", "observation.html")
        .do_and_answer({.status = 200, .headers = {{"ETag", "\"e\""}}, .body = Bytes::copy(body)});
  }
};

TEST_F(S3Damage, AFlippedBitAShortBodyAndALongOneAreEachSeen) {
  const std::string html = "<p>0123456789";
  const auto manager = opened({});
  manager->store_step_data("s", "1", {.html_content = html, .screenshot_bytes = kPng});
  std::string flipped = html;
  flipped[5] = static_cast<char>(flipped[5] ^ 0x10);
  for (const std::string& wrong : {flipped, html.substr(1), html + "x", std::string()}) {
    answer_with(wrong);
    EXPECT_THROW((void)manager->retrieve_step_data("s", "1"), Corrupt) << wrong;
    EXPECT_THROW((void)open()->retrieve_step_data("s", "1"), Corrupt) << wrong;
    EXPECT_FALSE(manager->check({.data = true}).healthy()) << wrong;
  }
  server.plan().clear();
  EXPECT_EQ(manager->retrieve_step_data("s", "1").html_content()->text(), html);
}

// The length that an answer announces is not the one of its body: the connection ends early.
TEST_F(S3Damage, ABodyThatEndsBeforeItsLengthIsReadOn) {
  const auto manager = opened({});
  manager->store_step_data("s", "1", {.html_content = "<p>0123456789"});
  server.plan().on("GET", "observation.html").nth(1).cut_answer();
  EXPECT_EQ(manager->retrieve_step_data("s", "1").html_content()->text(), "<p>0123456789");
  server.plan().clear();
  server.plan().on("GET", "observation.html").cut_answer();
  EXPECT_THROW((void)manager->retrieve_step_data(
                   "s", "1", {.call = {.timeout = std::chrono::milliseconds(300)}}),
               StorageManagerError);
}

}  // namespace
}  // namespace stepstore
