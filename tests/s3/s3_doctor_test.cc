// doctor on a bucket: each way in which a server is weak is found by the row that is about it, what
// is found out is kept for writers, and nothing is left behind.
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <map>

#include "base/errors.h"
#include "base/ulid.h"
#include "http/client.h"
#include "http/url.h"
#include "layout/keys.h"
#include "manager/manager_core.h"
#include "s3/xml.h"
#include "store/s3/s3_store.h"
#include "testing/fault_server/fault_server.h"

namespace stepstore {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using Verdict = DoctorRow::Verdict;

class S3DoctorTest : public testing::Test {
 protected:
  void serve(const fault::Dialect& dialect = {}, bool versioned = false,
             std::chrono::milliseconds retry_base = std::chrono::milliseconds(1)) {
    server = std::make_unique<fault::FaultServer>(
        fault::FaultServerOptions{.service = {.dialect = dialect}});
    s3::ClientOptions options{.endpoint = http::parse_url(server->endpoint()).endpoint,
                              .bucket = "checkpoints"};
    options.retry.base = retry_base;
    options.retry.throttled_base = std::chrono::milliseconds(1);
    options.rate.floor_per_s = 10'000;
    client = std::make_shared<s3::Client>(
        options, std::make_shared<http::Client>(http::ClientOptions{}, system_clock()),
        s3::fixed_credentials({.access_key = "any", .secret_key = "secret", .source = "the test"}),
        system_clock(), system_random());
    store = std::make_shared<S3Store>(client, S3StoreOptions{}, system_clock(), system_random());
    if (versioned) keep_versions();
  }
  void keep_versions() {
    s3::Operation enable = s3::get_bucket_versioning();
    enable.name = "PutBucketVersioning";
    enable.method = "PUT";
    enable.error_in_200 = false;
    enable.owned_body =
        "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    client->send_one(enable, {}).value();
  }
  StorageManager manager() {
    return ManagerCore::manage(std::make_shared<ManagerCore>(
        store, Options{}, StorageInfo{.backend = "s3", .location = "s3://checkpoints"},
        system_clock(), system_random(), store));
  }

  // The rows of the examination alone: what any store is asked is tested beside it.
  std::map<std::string, DoctorRow> examine() {
    const CallLimits limits;
    const auto exam = store->examine(make_ulid(system_clock(), system_random()), false, limits);
    std::map<std::string, DoctorRow> rows;
    for (const Question& question : exam->questions()) {
      EXPECT_TRUE(rows.emplace(question.name, answer_to(question)).second) << question.name;
    }
    exam->conclude(true, true);
    EXPECT_THAT(exam->clean_up(limits), IsEmpty());
    return rows;
  }
  static std::map<std::string, std::string> verdicts(const std::map<std::string, DoctorRow>& rows) {
    std::map<std::string, std::string> out;
    for (const auto& [name, row] : rows) {
      if (row.verdict != Verdict::yes) out[name] = name_of(row.verdict);
    }
    return out;
  }
  std::vector<std::string> keys() {
    std::vector<std::string> found;
    for (const ObjectInfo& each : list_all(*store, {})) found.push_back(each.key.text());
    return found;
  }
  std::vector<s3::ListedVersion> versions() {
    const auto answer = client->send_one(s3::list_object_versions("", "", ""), {});
    return s3::parse_versions(answer.value().response.body.view()).value().versions;
  }
  std::string marker() {
    return std::string(get_one(*store, format_marker_key()).value().body.text());
  }

  std::unique_ptr<fault::FaultServer> server;
  std::shared_ptr<s3::Client> client;
  std::shared_ptr<S3Store> store;
};

// What the project's own server does other than AWS, whatever its dialect.
const std::map<std::string, std::string> kOwn{{"create-over-delete-marker", "unknown"},
                                              {"lifecycle", "no"},
                                              {"may-read-lifecycle", "unknown"},
                                              {"region-told", "no"},
                                              {"signature-checked", "no"},
                                              {"bulk-delete-bare", "no"},
                                              {"versioning", "no"}};

struct Weakness {
  std::string name;
  fault::Dialect dialect;
  bool versioned;
  std::map<std::string, std::string> found;  // rows, beside those of its own
};

class S3DoctorFinds : public S3DoctorTest, public testing::WithParamInterface<Weakness> {};

TEST_P(S3DoctorFinds, ByTheRowThatIsAboutIt) {
  const Weakness& weakness = GetParam();
  serve(weakness.dialect, weakness.versioned);
  std::map<std::string, std::string> expected = kOwn;
  if (weakness.versioned) {
    expected.erase("create-over-delete-marker");
    expected.erase("versioning");
  }
  for (const auto& [name, verdict] : weakness.found) expected[name] = verdict;
  const auto rows = examine();
  EXPECT_EQ(verdicts(rows), expected);
  for (const auto& [name, row] : rows) {
    EXPECT_FALSE(row.seen.empty()) << name;
    if (row.verdict == Verdict::unknown || name == "versioning") continue;
    EXPECT_EQ(row.advice.empty(), row.verdict == Verdict::yes) << name << ": " << row.advice;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Servers, S3DoctorFinds,
    testing::Values(
        Weakness{"none", {}, false, {}}, Weakness{"none_versioned", {}, true, {}},
        Weakness{"ignores_if_none_match",
                 {.ignores_if_none_match = true},
                 false,
                 {{"if-none-match", "no"}, {"complete-if-none-match", "no"}}},
        Weakness{"ignores_if_match",
                 {.ignores_if_match = true},
                 false,
                 {{"if-match-quoted", "no"},
                  {"if-match-bare", "no"},
                  {"if-match-on-nothing", "no"},
                  {"delete-if-match", "no"},
                  {"complete-if-match", "no"}}},
        // Completions go through refusal() as well, where a quoted ETag is refused for its quotes.
        Weakness{
            "bare_if_match_only", {.bare_if_match_only = true}, false, {{"if-match-quoted", "no"}}},
        Weakness{"ignores_completion_conditions",
                 {.ignores_completion_conditions = true},
                 false,
                 {{"complete-if-none-match", "no"}, {"complete-if-match", "no"}}},
        Weakness{"ignores_conditional_delete",
                 {.ignores_conditional_delete = true},
                 false,
                 {{"delete-if-match", "no"}}},
        Weakness{"no_conditions_when_versioned",
                 {.no_conditions_when_versioned = true},
                 true,
                 {{"if-none-match", "no"},
                  {"if-match-quoted", "no"},
                  {"if-match-bare", "no"},
                  {"complete-if-none-match", "no"}}},
        Weakness{"marker_refuses_create",
                 {.marker_refuses_create = true},
                 true,
                 {{"create-over-delete-marker", "no"}}},
        Weakness{"ignores_encoding_type",
                 {.ignores_encoding_type = true},
                 false,
                 {{"encoding-type", "no"}}},
        Weakness{"no_bulk_delete",
                 {.no_bulk_delete = true},
                 false,
                 {{"bulk-delete", "no"}, {"bulk-delete-crc64", "no"}}},
        Weakness{"ignores_checksums",
                 {.ignores_checksums = true},
                 false,
                 {{"checksum-crc64nvme", "no"},
                  {"checksum-crc32c", "no"},
                  {"checksum-sha256", "no"},
                  {"content-md5", "no"},
                  {"bulk-delete-checked", "no"}}}),
    [](const auto& info) { return info.param.name; });

// --- The whole of it

TEST_F(S3DoctorTest, AGoodBucketIsFitAndOnlyTheMarkerStays) {
  serve();
  StorageManager manager = this->manager();
  const DoctorReport report = manager.doctor();
  for (const DoctorRow& row : report.rows) {
    if (row.needed) EXPECT_EQ(row.verdict, Verdict::yes) << row.name << ": " << row.seen;
  }
  EXPECT_TRUE(report.fit());
  EXPECT_THAT(report.notes, IsEmpty());
  EXPECT_THAT(report.left_behind, IsEmpty());
  EXPECT_EQ(report.location, "s3://checkpoints");
  EXPECT_THAT(keys(), testing::ElementsAre(format_marker_key().text()));
}

TEST_F(S3DoctorTest, AVersionedBucketKeepsNothingOfIt) {
  serve({}, true);
  StorageManager manager = this->manager();
  EXPECT_TRUE(manager.doctor().fit());
  for (const s3::ListedVersion& each : versions()) {
    EXPECT_EQ(each.key, format_marker_key().text()) << each.id;
  }
}

// As Ceph 16 does to most losers of a swap. There is a winner all the same, and it is the only one.
TEST_F(S3DoctorTest, LosersThatGetA500SpoilNoVerdict) {
  serve({.losers_get_500 = true}, false, std::chrono::milliseconds(20));
  const auto rows = examine();
  EXPECT_EQ(rows.at("probe").verdict, Verdict::yes) << rows.at("probe").seen;
  EXPECT_THAT(rows.at("probe").seen, HasSubstr("swap is enforced"));
}

TEST_F(S3DoctorTest, WritersGoByWhatItFound) {
  serve({.ignores_if_none_match = true});
  StorageManager manager = this->manager();
  const DoctorReport report = manager.doctor();
  EXPECT_TRUE(report.fit()) << "what is not enforced is worked around";
  ASSERT_EQ(report.notes.size(), 2U);
  EXPECT_THAT(report.notes[0], HasSubstr("does not enforce If-None-Match"));
  EXPECT_THAT(marker(), HasSubstr("\"create_if_absent\":false"));
  EXPECT_THAT(marker(), HasSubstr("\"swap_if_unchanged\":true"));
  EXPECT_FALSE(store->capabilities().create_if_absent);
}

TEST_F(S3DoctorTest, WhatWasKnownBeforeIsReplaced) {
  serve({.ignores_if_none_match = true});
  manager().doctor();
  // The server was mended; nobody would ask it again for a week.
  std::string known = marker();
  serve();
  ASSERT_TRUE(put_one(*store, {.key = format_marker_key(), .body = known}).ok());
  EXPECT_FALSE(store->probe({}).create_if_absent);
  manager().doctor();
  EXPECT_THAT(marker(), HasSubstr("\"create_if_absent\":true"));
  EXPECT_TRUE(store->capabilities().create_if_absent);
}

TEST_F(S3DoctorTest, AMarkerOfALaterReleaseStaysAsItIs) {
  serve();
  const std::string later = to_json(FormatMarker{.reader_min = 1, .writer_min = kFormatMajor + 1});
  ASSERT_TRUE(put_one(*store, {.key = format_marker_key(), .body = later}).ok());
  EXPECT_FALSE(manager().doctor().fit());
  EXPECT_EQ(marker(), later);
}

TEST_F(S3DoctorTest, ARightThatIsMissingIsNamed) {
  serve();
  server->plan().on("DELETE").error(403, "AccessDenied");
  server->plan().on("GET", "versioning").error(403, "AccessDenied");
  server->plan().on("GET", "lifecycle").error(403, "AccessDenied");
  const CallLimits limits;
  const auto exam = store->examine(make_ulid(system_clock(), system_random()), false, limits);
  std::map<std::string, DoctorRow> rows;
  for (const Question& question : exam->questions()) {
    if (question.area == "access") rows.emplace(question.name, answer_to(question));
  }
  const std::map<std::string, std::string> rights{
      {"may-delete", "s3:DeleteObject"},
      {"may-read-versioning", "s3:GetBucketVersioning"},
      {"may-read-lifecycle", "s3:GetLifecycleConfiguration"}};
  for (const auto& [name, right] : rights) {
    EXPECT_EQ(rows.at(name).verdict, Verdict::no) << rows.at(name).seen;
    EXPECT_THAT(rows.at(name).seen, HasSubstr("403 AccessDenied"));
    EXPECT_THAT(rows.at(name).advice, HasSubstr(right));
  }
  EXPECT_EQ(rows.at("may-put").verdict, Verdict::yes);
  server->plan().clear();
  EXPECT_THAT(exam->clean_up(limits), IsEmpty());
}

TEST_F(S3DoctorTest, AnAnswerThatIsLateOrBusyIsUnknown) {
  serve();
  server->plan().on("HEAD", "missing").error(503, "SlowDown");
  const auto rows = examine();
  EXPECT_EQ(rows.at("missing-key").verdict, Verdict::unknown);
  EXPECT_THAT(rows.at("missing-key").seen, HasSubstr("503"));
  EXPECT_EQ(rows.at("may-put").verdict, Verdict::yes);
}

TEST_F(S3DoctorTest, ABucketThatIsNotThereThrows) {
  serve();
  server->plan().on("").error(404, "NoSuchBucket");
  EXPECT_THROW(manager().doctor(), ConfigError);
}

TEST_F(S3DoctorTest, AServerThatIsNotThereThrows) {
  serve();
  server->stop();
  EXPECT_THROW(manager().doctor(), Unavailable);
}

TEST_F(S3DoctorTest, StoppedInTheMiddleItLeavesNothing) {
  serve();
  std::stop_source stop;
  std::atomic<int> requests = 0;
  server->plan()
      .on("PUT")
      .when([&](const fault::Call&) {
        if (++requests == 60) stop.request_stop();
        return false;
      })
      .stall();
  DoctorOptions options;
  options.call.stop = stop.get_token();
  EXPECT_THROW(manager().doctor(options), Cancelled);
  EXPECT_GE(requests, 60);
  server->plan().clear();
  EXPECT_THAT(keys(), IsEmpty());
}

TEST_F(S3DoctorTest, NoSecretIsInAnyRow) {
  serve();
  server->plan().on("PUT", "signature").error(403, "SignatureDoesNotMatch", "you sent secret");
  for (const auto& [name, row] : examine()) {
    EXPECT_THAT(row.seen + row.advice, testing::Not(HasSubstr("secret,"))) << name;
  }
  EXPECT_EQ(examine().at("signature-checked").verdict, Verdict::yes);
}

}  // namespace
}  // namespace stepstore
