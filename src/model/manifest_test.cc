// A manifest says after reading what was written, keeps metadata to the byte, and refuses what
// would lead it astray.
#include "model/manifest.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <nlohmann/json.hpp>

#include "stepstore/error.h"

namespace stepstore {
namespace {

const std::string kUlid = "01ARYZ6S410000000000000000";

Manifest example() {
  Manifest manifest;
  manifest.session_id = "login \"test\"";
  manifest.step_id = "0001";
  manifest.version = 3;
  manifest.commit_id = kUlid;
  manifest.previous_commits = {"01ARYZ6S420000000000000000"};
  manifest.write_id = kUlid;
  manifest.created_at = Timestamp(std::chrono::milliseconds(1'763'890'200'125));
  manifest.expires_at = manifest.created_at + std::chrono::hours(24);
  manifest.components = {{"html", "observation.html", "text/html", 5, 0xae8b14860a799888},
                         {"video", "video.mp4", "video/mp4", 9'000'000, 7, 5'000'000, {1, 2}}};
  manifest.kept_versions = {{2, kUlid, "versions/2-" + kUlid + ".json", {"observation.html"}}};
  manifest.metadata = "{\n\"was\": 1,\n\"metadata\":  {\"x\": 1.50}\n}";
  return manifest;
}

void expect_same(const Manifest& a, const Manifest& b) {
  EXPECT_EQ(a.state, b.state);
  EXPECT_EQ(a.session_id, b.session_id);
  EXPECT_EQ(a.step_id, b.step_id);
  EXPECT_EQ(a.version, b.version);
  EXPECT_EQ(a.commit_id, b.commit_id);
  EXPECT_EQ(a.previous_commits, b.previous_commits);
  EXPECT_EQ(a.write_id, b.write_id);
  EXPECT_EQ(a.created_at, b.created_at);
  EXPECT_EQ(a.expires_at, b.expires_at);
  EXPECT_EQ(a.metadata, b.metadata);
  EXPECT_EQ(a.was, b.was);
  EXPECT_EQ(a.named_locations(), b.named_locations());
  ASSERT_EQ(a.components.size(), b.components.size());
  for (std::size_t i = 0; i < a.components.size(); ++i) {
    EXPECT_TRUE(a.components[i].same_content(b.components[i]));
    EXPECT_EQ(a.components[i].block_crcs, b.components[i].block_crcs);
  }
}

TEST(Manifest, ComesBackAsItWasWritten) {
  expect_same(parse_manifest(to_json(example()), "k"), example());
}

TEST(Manifest, IsJsonThatAnyToolReads) {
  const auto document = nlohmann::json::parse(to_json(example()));
  EXPECT_EQ(document["format"], "1.0");
  EXPECT_EQ(document["state"], "live");
  EXPECT_EQ(document["components"][0]["crc64nvme"], "ae8b14860a799888");
  EXPECT_EQ(document["created_at"], "2025-11-23T09:30:00.125Z");
  EXPECT_EQ(document["metadata"]["metadata"]["x"], 1.5);
}

// Goal: rewriting by another tool (another order, other white space) loses nothing but the bytes of
// the metadata.
TEST(Manifest, IsReadAfterAnotherToolHasRewrittenIt) {
  for (const int indent : {-1, 0, 2}) {
    const Manifest again =
        parse_manifest(nlohmann::json::parse(to_json(example())).dump(indent), "k");
    EXPECT_EQ(again.commit_id, example().commit_id);
    EXPECT_EQ(nlohmann::json::parse(*again.metadata), nlohmann::json::parse(*example().metadata));
    EXPECT_EQ(again.named_locations(), example().named_locations());
  }
}

RC_GTEST_PROP(Manifest, KeepsAnyMetadataToTheByte, ()) {
  const auto text =
      *rc::gen::container<std::string>(rc::gen::elementOf(std::string("\n\"{}[],: metadatawas")));
  Manifest manifest = example();
  manifest.metadata = nlohmann::json{{"t", text}, {"was", text}}.dump(*rc::gen::inRange(-1, 3));
  RC_ASSERT(parse_manifest(to_json(manifest), "k").metadata == manifest.metadata);
}

TEST(Manifest, ShowsItsStateByItsSize) {
  Manifest small;
  small.session_id = "s";
  small.step_id = "1";
  small.commit_id = small.write_id = kUlid;
  EXPECT_GE(to_json(small).size(), kLiveBytesMin);
  EXPECT_EQ(to_json(example()).substr(0, 10), to_json(small).substr(0, 10));

  Manifest deleted = example();
  deleted.state = RootState::deleted;
  deleted.components.clear();
  deleted.kept_versions.clear();
  deleted.metadata.reset();
  // The longest that there can be: ids are left out, 16 commits before it.
  deleted.session_id = deleted.step_id = std::string(66, '\x01');
  deleted.previous_commits.assign(kPreviousCommitsMax, kUlid);
  deleted.version = UINT64_MAX;
  EXPECT_LT(to_json(deleted).size(), kLiveBytesMin);
  EXPECT_EQ(state_by_size(to_json(deleted).size()), RootState::deleted);
  EXPECT_EQ(parse_manifest(to_json(deleted), "k").state, RootState::deleted);
}

TEST(Manifest, KeepsTheLiveOneInsideADeletingOne) {
  Manifest deleting;
  deleting.state = RootState::deleting;
  deleting.session_id = "s";
  deleting.step_id = "1";
  deleting.commit_id = deleting.write_id = kUlid;
  deleting.was = to_json(example());
  const Manifest again = parse_manifest(to_json(deleting), "k");
  EXPECT_EQ(again.state, RootState::deleting);
  expect_same(parse_manifest(*again.was, "k"), example());
  EXPECT_EQ(again.named_locations(), example().named_locations());
  EXPECT_GE(to_json(deleting).size(), kLiveBytesMin);
}

// Goal: whatever the manifest holds, its size tells its state.
RC_GTEST_PROP(Manifest, TellsItsStateByItsSize, ()) {
  Manifest manifest = example();
  manifest.metadata = "\"" + std::string(*rc::gen::inRange<std::size_t>(0, 3000), 'x') + "\"";
  RC_ASSERT(state_by_size(to_json(manifest).size()) == RootState::live);
  Manifest deleting = manifest;
  deleting.state = RootState::deleting;
  deleting.metadata.reset();
  deleting.was = to_json(manifest);
  RC_ASSERT(state_by_size(to_json(deleting).size()) == RootState::deleting);
  RC_ASSERT(parse_manifest(to_json(deleting), "k").was == deleting.was);
}

TEST(Manifest, IgnoresMembersThatItDoesNotKnow) {
  std::string text = to_json(example());
  text.insert(text.find("\n\"version\""), "\n\"novelty\":{\"a\":[1]},");
  expect_same(parse_manifest(text, "k"), example());
}

TEST(Manifest, OfANewerMajorFormatIsRefused) {
  std::string text = to_json(example());
  text.replace(text.find("1.0"), 3, "2.0");
  EXPECT_THROW(parse_manifest(text, "k"), Unsupported);
  text.replace(text.find("2.0"), 3, "1.7");
  EXPECT_NO_THROW(parse_manifest(text, "k"));
}

// Goal: a manifest is input. None of these may crash, loop, or lead a reader out of the step's
// folder.
TEST(Manifest, ThatIsDamagedIsCorrupt) {
  const std::string good = to_json(example());
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  const std::vector<std::string> bad = {
      "",
      "{}",
      "[]",
      "null",
      good.substr(0, good.size() / 2),
      with("\"live\"", "\"dead\""),
      with("\"version\":3", "\"version\":-3"),
      with("\"version\":3", "\"version\":\"3\""),
      with("\"size\":5", "\"size\":1e99"),
      with("ae8b14860a799888", "ae8b14860a79988"),
      with("\"observation.html\"", "\"../other/observation.html\""),
      with("\"observation.html\"", "\"/etc/passwd\""),
      with("\"observation.html\"", "\"a//b\""),
      with("\"observation.html\"", "\"\""),
      with("\"observation.html\"", "\"a\\u0000b\""),
      with("2025-11-23T", "2025-13-23T"),
      with("\"commit\":\"", "\"kommit\":\""),
  };
  for (const std::string& text : bad) EXPECT_THROW(parse_manifest(text, "k"), Corrupt) << text;
}

RC_GTEST_PROP(Manifest, SurvivesAnyByteChanged, ()) {
  std::string text = to_json(example());
  const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
  text[at] = *rc::gen::arbitrary<char>();
  try {
    static_cast<void>(parse_manifest(text, "k").named_locations());
  } catch (const StorageManagerError&) {
    // Any other exception fails the test.
  }
}

}  // namespace
}  // namespace stepstore
