// What servers answer to the S3 store, and what it makes of that: lists without end, parts without
// a name, ranges that were ignored, deletions that went half way.
#include <gmock/gmock.h>

#include <algorithm>

#include "faults_fixture.h"
#include "store/s3/part_size.h"

namespace stepstore {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class S3Answers : public FaultsTest {
 protected:
  using FaultsTest::FaultsTest;

  static http::Response xml(const std::string& text) { return fault::xml_answer(200, text); }
  static http::Response page(bool truncated, const std::string& token, const std::string& inside) {
    return xml("<ListBucketResult><IsTruncated>" + std::string(truncated ? "true" : "false") +
               "</IsTruncated><NextContinuationToken>" + token + "</NextContinuationToken>" +
               inside + "</ListBucketResult>");
  }
  static std::string listed(const std::string& key) {
    return "<Contents><Key>" + key +
           "</Key><LastModified>2026-01-02T03:04:05.678Z</LastModified><ETag>e</ETag>"
           "<Size>1</Size></Contents>";
  }
  void fill(const std::vector<std::string>& keys) {
    for (const std::string& key : keys) {
      put_one(*objects, {.key = ObjectKey(key), .body = "x"}).value();
    }
    server.plan().forget_journal();
  }
  // The requests since the journal was forgotten: "DELETE a", "POST ?delete".
  std::vector<std::string> asked() {
    std::vector<std::string> requests;
    for (const fault::Entry& each : server.plan().journal()) {
      requests.push_back(each.method + ' ' + (each.key.empty() ? '?' + each.query : each.key));
    }
    return requests;
  }

  std::shared_ptr<ObjectStore> objects = store_of_its_own();
};

// --- Lists

// [G57] [G58] The end is where the server says so, however many keys a page has; its token comes
// back as it was.
TEST_F(S3Answers, AnEmptyPageIsNotTheEnd) {
  std::vector<std::string> tokens;
  server.plan()
      .on("GET", "list-type")
      .when([&](const fault::Call& call) {
        const std::string* const token = call.parameter("continuation-token");
        tokens.push_back(token ? *token : "");
        return false;
      })
      .stall();
  server.plan().on("GET", "list-type").nth(1).answer(page(true, "1+/=&amp;", ""));
  server.plan().on("GET", "list-type").nth(1).answer(page(true, "two", ""));
  server.plan().on("GET", "list-type").nth(1).answer(page(false, "", listed("a")));
  const auto found = list_all(*objects, {});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.front().key.text(), "a");
  EXPECT_THAT(tokens, ElementsAre("", "1+/=&", "two"));
}

// [G57] A server that sends round and round is found out.
TEST_F(S3Answers, AListWithoutEndIsAnError) {
  server.plan().on("GET", "list-type").answer(page(true, "same", ""));
  try {
    (void)list_all(*objects, {});
    FAIL();
  } catch (const Io& endless) {
    EXPECT_THAT(endless.what(), HasSubstr("no way to it"));
  }
  EXPECT_EQ(server.plan().journal().size(), 2U);
}

// --- Deletions

const std::vector<ObjectKey> kFive = {ObjectKey("a"), ObjectKey("b"), ObjectKey("c"),
                                      ObjectKey("d"), ObjectKey("e")};

// [G62] The answer is 200 and names what has failed: each key has its own outcome, and what may
// pass goes once more.
TEST_F(S3Answers, EachKeyOfABulkDeleteHasItsOutcome) {
  fill({"a", "b", "c", "d", "e"});
  server.plan()
      .on("POST", "delete")
      .answer(xml(
          "<DeleteResult><Error><Key>b</Key><Code>AccessDenied</Code><Message>m</Message></Error>"
          "<Error><Key>c</Key><Code>InternalError</Code></Error>"
          "<Error><Key>d</Key><Code>SlowDown</Code></Error>"
          "<Error><Key>e</Key><Code>NoSuchKey</Code></Error></DeleteResult>"));
  const auto outcomes = objects->remove(kFive, {});
  ASSERT_EQ(outcomes.size(), 5U);
  EXPECT_TRUE(outcomes[1].is(ErrorCode::PermissionDenied));
  EXPECT_EQ(outcomes[1].error().key(), "b");
  EXPECT_THAT(outcomes[1].error().what(), HasSubstr("access was denied (AccessDenied)"));
  EXPECT_FALSE(outcomes[1].error().advice().empty());
  for (const std::size_t gone : {0U, 2U, 3U, 4U}) EXPECT_TRUE(outcomes[gone].ok()) << gone;
  EXPECT_THAT(asked(), UnorderedElementsAre("POST ?delete", "DELETE c", "DELETE d"));
}

// What a server says of a key may be anything, also what it was sent; and a code that nobody knows
// says too little: the key is asked for by itself.
TEST_F(S3Answers, TheWordsOfABulkDeleteAreNotRepeated) {
  const std::string secret = canary();
  server.plan()
      .on("POST", "delete")
      .answer(xml("<DeleteResult><Error><Key>a</Key><Code>AccessDenied</Code><Message>" + secret +
                  "</Message></Error><Error><Key>b</Key><Code>no " + secret +
                  "</Code></Error></DeleteResult>"));
  server.plan().on("DELETE", "b").error(405, "MethodNotAllowed");
  const auto outcomes = objects->remove(kFive, {});
  ASSERT_TRUE(outcomes[0].is(ErrorCode::PermissionDenied));
  EXPECT_EQ(std::string(outcomes[0].error().what()).find(secret), std::string::npos);
  ASSERT_TRUE(outcomes[1].is(ErrorCode::Unsupported));
  EXPECT_EQ(outcomes[1].error().http_status(), 405);
}

class S3WithoutBulkDelete : public S3Answers {
 protected:
  S3WithoutBulkDelete() : S3Answers({.no_bulk_delete = true}) {}
};

// [G62] Old servers have no such request: keys go one by one.
TEST_F(S3WithoutBulkDelete, KeysGoOneByOne) {
  fill({"a", "b", "c", "d", "e"});
  for (const auto& outcome : objects->remove(kFive, {})) {
    EXPECT_TRUE(outcome.ok()) << outcome.error().what();
  }
  EXPECT_TRUE(list_all(*objects, {}).empty());
}

// [G63] GCS says 404, S3 says 204: it is gone.
TEST_F(S3Answers, DeletingWhatIsNotThereSucceeds) {
  server.plan().on("DELETE", "").nth(1).error(404, "NoSuchKey");
  server.plan().on("DELETE", "").nth(1).answer({.status = 404});
  server.plan().on("DELETE", "").nth(1).answer({.status = 204});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(remove_one(*objects, ObjectKey("none")).ok()) << i;
  EXPECT_EQ(server.plan().journal().size(), 3U);
}

// --- Reads

Result<Object> part_of(ObjectStore& store, ObjectRange range) {
  const GetRequest request{.key = ObjectKey("a"), .range = range, .if_match = {}};
  return store.get({&request, 1}, {}).front();
}

// [G40] The whole came where a part was asked for, or another part, or none.
TEST_F(S3Answers, ARangeIsWhatItSaysOrAnError) {
  put_one(*objects, {.key = ObjectKey("a"), .body = "0123456789"}).value();
  const ObjectRange asked{.offset = 4, .size = 3};
  const auto part = [](int status, const std::string& body, const std::string& range) {
    http::Response response{.status = status, .headers = {{"ETag", "\"e\""}}};
    if (!range.empty()) response.headers.emplace_back("Content-Range", range);
    response.body = Bytes::copy(body);
    return response;
  };
  EXPECT_EQ(part_of(*objects, asked).value().body.text(), "456");
  server.plan().on("GET", "a").nth(1).answer(part(200, "0123456789", ""));
  const Result<Object> whole = part_of(*objects, asked);
  ASSERT_TRUE(whole.ok()) << whole.error().what();
  EXPECT_EQ(whole->body.text(), "456") << "cut out of the whole";
  EXPECT_EQ(whole->info.size, 10U);
  for (const char* const range : {"bytes 5-7/10", "bytes 4-6/*", "bytes */10", ""}) {
    server.plan().on("GET", "a").nth(1).answer(part(206, "567", range));
    EXPECT_TRUE(part_of(*objects, asked).is(ErrorCode::Io)) << range;
  }
  put_one(*objects, {.key = ObjectKey("a"), .body = ""}).value();
  EXPECT_TRUE(part_of(*objects, asked).is(ErrorCode::InvalidArgument)) << "416: there is no byte";
}

// [G41] What was stored packed is read packed: nobody on the way is told that it could be unpacked.
TEST_F(S3Answers, PackedBytesStayPacked) {
  const std::string packed("\x1f\x8b\x08\x00not really", 14);
  std::vector<std::string> sent;
  server.plan()
      .on("")
      .when([&](const fault::Call& call) {
        for (const auto& [name, value] : call.headers) sent.push_back(fault::lower_case(name));
        return false;
      })
      .stall();
  put_one(*objects, {.key = ObjectKey("a"), .body = packed}).value();
  EXPECT_EQ(get_one(*objects, ObjectKey("a")).value().body.text(), packed);
  server.plan()
      .on("GET", "a")
      .nth(1)
      .answer({.status = 200,
               .headers = {{"ETag", "\"e\""}, {"Content-Encoding", "gzip"}},
               .body = Bytes::copy(packed)});
  EXPECT_EQ(get_one(*objects, ObjectKey("a")).value().body.text(), packed);
  for (const char* const none : {"accept-encoding", "content-encoding", "x-amz-meta-a"}) {
    EXPECT_EQ(std::ranges::count(sent, none), 0) << none;
  }
}

// [G64] Without the right to list, AWS denies what is missing: the advice tells of it.
TEST_F(S3Answers, ADeniedObjectMayBeAMissingOne) {
  server.plan().on("").answer({.status = 403, .headers = {{"x-amz-request-id", "R1"}}});
  const auto got = get_one(*objects, ObjectKey("a"));
  ASSERT_TRUE(got.is(ErrorCode::PermissionDenied));
  EXPECT_THAT(got.error().advice(), HasSubstr("denies access to missing objects"));
  const auto looked = head_one(*objects, ObjectKey("a"));
  ASSERT_TRUE(looked.is(ErrorCode::PermissionDenied));
  EXPECT_EQ(looked.error().request_id(), "R1");
}

// --- Uploads

class S3Uploads : public S3Answers {
 protected:
  static constexpr std::size_t kPart = std::size_t{5} << 20U;

  std::unique_ptr<Upload> begun(std::size_t bytes) {
    auto upload = objects->start_upload(ObjectKey("large"), "video/mp4", {});
    const std::string body(bytes, 'x');
    upload->write(body, {});
    return upload;
  }
  std::size_t left_over() {
    http::Response uploads = server.service().answer(
        {.method = "GET", .bucket = "checkpoints", .query = {{"uploads", ""}}});
    const std::string text(uploads.body.text());
    std::size_t count = 0;
    for (std::size_t at = text.find("<Upload>"); at != std::string::npos;
         at = text.find("<Upload>", at + 1)) {
      ++count;
    }
    return count;
  }

  std::shared_ptr<ObjectStore> objects =
      store_of_its_own({.part_bytes = kPart, .parts_at_once = 2});
};

// [G52] Parts in ascending order and none but the last smaller than S3 takes: the server would
// refuse others.
TEST_F(S3Uploads, HavePartsOfTheSizeThatServersTake) {
  ASSERT_TRUE(begun(2 * kPart + 7)->finish({}, {}).ok());
  std::vector<std::string> numbers;
  for (const fault::Entry& each : server.plan().journal()) {
    const std::size_t at = each.query.find("partNumber=");
    if (at != std::string::npos) numbers.push_back(each.query.substr(at + 11, 1));
  }
  std::ranges::sort(numbers);
  EXPECT_THAT(numbers, ElementsAre("1", "2", "3"));
  EXPECT_EQ(head_one(*objects, ObjectKey("large")).value().size, 2 * kPart + 7);
}

// [G52] What fits into one part, or is empty, is no upload at all.
TEST_F(S3Uploads, OfLittleOrNothingArePlainPuts) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{7}, kPart}) {
    server.plan().forget_journal();
    ASSERT_TRUE(begun(size)->finish({}, {}).ok());
    EXPECT_THAT(asked(), ElementsAre("PUT large")) << size;
  }
}

// [G52] Parts grow with the object, so that ten thousand of them hold the largest one that S3
// takes.
TEST(S3PartSize, HoldsTheLargestObjectInTenThousandParts) {
  constexpr std::uint64_t kMiB = 1 << 20, kLargest = std::uint64_t{5} << 40U;
  for (const std::uint64_t least : {5 * kMiB, 8 * kMiB, 64 * kMiB}) {
    std::uint64_t sent = 0, last = 0;
    int parts = 0;
    for (; sent < kLargest; ++parts) {
      const std::uint64_t size = bucket::part_bytes_after(sent, least);
      ASSERT_GE(size, std::max(last, least)) << "after " << sent;
      ASSERT_LE(size, std::uint64_t{5} << 30U);
      sent += last = size;
    }
    EXPECT_LE(parts, bucket::kPartsMax) << least;
    EXPECT_EQ(bucket::part_bytes_after(0, least), least);
  }
}

// [G54] Nobody knows which bytes such a part has: the upload fails, and nothing of it stays.
TEST_F(S3Uploads, APartWithoutAnETagIsNotStored) {
  server.plan().on("PUT", "partNumber=2").answer({.status = 200});
  {
    auto upload = objects->start_upload(ObjectKey("large"), "", {});
    const std::string body(2 * kPart + 7, 'x');
    try {
      upload->write(body, {});
      (void)upload->finish({}, {}).value();
      FAIL();
    } catch (const Io& failed) {
      EXPECT_THAT(failed.what(), HasSubstr("names no ETag"));
      EXPECT_TRUE(failed.outcome_unknown());
    }
    EXPECT_TRUE(upload->finish({}, {}).is(ErrorCode::InvalidArgument)) << "it is over";
    EXPECT_EQ(left_over(), 1U);
  }
  EXPECT_EQ(left_over(), 0U);
  EXPECT_TRUE(head_one(*objects, ObjectKey("large")).is(ErrorCode::NotFound));
}

// [G53] Whatever an upload fails of, it is aborted; so is one that nobody finishes.
TEST_F(S3Uploads, AreAbortedWhenTheyFail) {
  server.plan().on("PUT", "partNumber=3").error(403, "AccessDenied");
  EXPECT_THROW((void)begun(2 * kPart + 7)->finish({}, {}).value(), PermissionDenied);
  server.plan().on("POST", "uploadId").error(403, "AccessDenied");
  EXPECT_THROW((void)begun(2 * kPart)->finish({}, {}).value(), PermissionDenied);
  begun(3 * kPart).reset();
  EXPECT_EQ(left_over(), 0U);
}

// [G48] The completion was done and nobody heard of it; asked again, the server knows no such
// upload. That is a doubt, and no failure that is sure.
TEST_F(S3Uploads, ACompletionWhoseAnswerIsLostIsInDoubt) {
  server.plan().on("POST", "uploadId").nth(1).lose_answer();
  const auto outcome = begun(2 * kPart)->finish({}, {});
  ASSERT_FALSE(outcome.ok());
  EXPECT_TRUE(outcome.error().outcome_unknown()) << outcome.error().what();
  EXPECT_EQ(head_one(*objects, ObjectKey("large")).value().size, 2 * kPart) << "it is there";
}

// [G48] A step with a large component that went so is stored, or its error says that it may be.
TEST_F(S3Uploads, AStepWhoseUploadWasInDoubtIsWholeOrAbsent) {
  const auto manager = ready();
  const std::string large(std::size_t{20} << 20U, 'x');
  server.plan().on("POST", "uploadId").nth(1).lose_answer();
  try {
    manager->store_step_data("s", "1", {.html_content = large},
                             {.call = {.timeout = std::chrono::seconds(20)}});
    EXPECT_EQ(open()->retrieve_step_data("s", "1").html_content()->text(), large);
  } catch (const StorageManagerError& failed) {
    EXPECT_TRUE(failed.outcome_unknown()) << failed.what();
    EXPECT_THROW((void)open()->retrieve_step_data("s", "1"), NotFound);
  }
  EXPECT_TRUE(open()->check({.data = true}).healthy());
}

// [G50] Another writer was faster: the whole upload is to be made again, which the advice says.
TEST_F(S3Uploads, AConflictAtTheCompletionWantsAnotherUpload) {
  server.plan().on("POST", "uploadId").error(409, "ConditionalRequestConflict");
  const auto outcome = begun(2 * kPart)->finish({}, {});
  ASSERT_TRUE(outcome.is(ErrorCode::Unavailable));
  EXPECT_EQ(outcome.error().advice(), "Upload the object again.");
  EXPECT_EQ(left_over(), 0U);
}

}  // namespace
}  // namespace stepstore
