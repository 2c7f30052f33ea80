// The local store meets the whole contract, refuses unsafe roots, and follows no planted link.
#include "store/local/local_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "store/observe_store.h"
#include "store/prefix_store.h"
#include "testing/object_store_conformance.h"

namespace stepstore {
namespace {

namespace fs = std::filesystem;

fs::path fresh_directory() {
  std::string name = testing::TempDir() + "local-XXXXXX";
  if (!::mkdtemp(name.data())) std::abort();
  return name;
}

// The directory goes when the last owner of the store has let it go.
std::shared_ptr<ObjectStore> fresh_store(bool fsync) {
  const fs::path root = fresh_directory();
  return {new LocalStore(root / "store", {.fsync = fsync}), [root](LocalStore* store) {
            delete store;
            fs::remove_all(root);
          }};
}

INSTANTIATE_TEST_SUITE_P(Local, ObjectStoreConformance,
                         every_case({.name = "local", .make = [] { return fresh_store(true); }}),
                         conformance_name);
INSTANTIATE_TEST_SUITE_P(LocalWithoutFsync, ObjectStoreConformance,
                         every_case({.name = "local_without_fsync",
                                     .make = [] { return fresh_store(false); }}),
                         conformance_name);

class LocalStoreTest : public testing::Test {
 protected:
  ~LocalStoreTest() override { fs::remove_all(top); }
  PutRequest item(const char* key, BytesView body = "x") {
    return {.key = ObjectKey(key), .body = body, .content_type = {}, .condition = {}, .crc64 = {}};
  }
  fs::path top = fresh_directory();
  fs::path root = top / "a" / "store";
  LocalStore store{root, {.fsync = false}};
};

TEST_F(LocalStoreTest, MakesPrivateFilesWhateverTheUmask) {
  for (const unsigned mask : {0000U, 0077U}) {
    const mode_t before = ::umask(mask);
    const std::string key = "s" + std::to_string(mask) + "/t/f";
    const bool put = put_one(store, item(key.c_str())).ok();
    ::umask(before);
    ASSERT_TRUE(put);
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root)) {
      EXPECT_EQ(entry.status().permissions(),
                entry.is_directory() ? fs::perms{0700} : fs::perms{0600})
          << entry.path();
    }
  }
}

TEST_F(LocalStoreTest, RefusesARootThatIsAFileOrOpenToEverybody) {
  std::ofstream(top / "file") << "x";
  LocalStore file(top / "file");
  EXPECT_THROW((void)put_one(file, item("k")), ConfigError);
  fs::create_directory(top / "open");
  fs::permissions(top / "open", fs::perms::all);
  LocalStore open(top / "open");
  EXPECT_THROW((void)put_one(open, item("k")), ConfigError);
  EXPECT_TRUE(fs::is_empty(top / "open"));
}

TEST_F(LocalStoreTest, FindsNothingWhereThereIsNoRoot) {
  EXPECT_TRUE(get_one(store, ObjectKey("k")).is(ErrorCode::NotFound));
  EXPECT_TRUE(store.list({}, {}).objects.empty());
  EXPECT_TRUE(remove_one(store, ObjectKey("k")).ok());
  EXPECT_FALSE(fs::exists(root)) << "looking makes nothing";
}

TEST_F(LocalStoreTest, FollowsNoPlantedLinkAndWaitsForNoPipe) {
  ASSERT_TRUE(put_one(store, item("s/real")).ok());
  fs::create_directory(top / "away");
  std::ofstream(top / "away" / "f") << "secret";
  fs::create_directory_symlink(top / "away", root / "way");
  fs::create_symlink(top / "away" / "f", root / "s" / "last");
  ASSERT_EQ(::mkfifo((root / "s" / "pipe").c_str(), 0600), 0);
  for (const char* const key : {"way/f", "s/last", "s/pipe"}) {
    const Result<Object> got = get_one(store, ObjectKey(key));
    ASSERT_FALSE(got.ok()) << key;
    EXPECT_FALSE(got.is(ErrorCode::NotFound)) << key << ": nothing there would be a lie";
  }
  EXPECT_FALSE(put_one(store, item("way/new")).ok());
  EXPECT_FALSE(fs::exists(top / "away" / "new"));
  ASSERT_TRUE(put_one(store, item("s/last", "mine")).ok()) << "replaces the link itself";
  std::ifstream away(top / "away" / "f");
  std::string text;
  away >> text;
  EXPECT_EQ(text, "secret");
  const std::vector<ObjectInfo> all = list_all(store, {});
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].key.text(), "s/last");
  EXPECT_EQ(all[1].key.text(), "s/real");
}

TEST_F(LocalStoreTest, KeepsItsOwnNamesToItself) {
  EXPECT_TRUE(put_one(store, item(".stepstore/locks/00")).is(ErrorCode::InvalidArgument));
  ASSERT_TRUE(put_one(store, item(".stepstore/sessions/s.json")).ok());
  const std::vector<ObjectInfo> all = list_all(store, {});
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].key.text(), ".stepstore/sessions/s.json");
}

TEST_F(LocalStoreTest, PublishesAStepAndLeavesNothingElse) {
  const std::vector<PutRequest> parts{item("s/1/a", "aa"), item("s/1/b", "")};
  const PutRequest commit{.key = ObjectKey("s/1/step.json"),
                          .body = "c",
                          .content_type = {},
                          .condition = Condition::absent(),
                          .crc64 = {}};
  for (const bool first : {true, false}) {
    const PublishResult result = store.publish({.parts = parts, .commit = commit}, {});
    ASSERT_TRUE(result.commit.has_value());
    EXPECT_EQ(result.commit->ok(), first);
    EXPECT_EQ(head_one(store, commit.key).ok(), true);
    std::size_t left = 0;
    for (const auto& entry : fs::recursive_directory_iterator(root / ".stepstore" / "tmp")) {
      left += entry.is_regular_file() ? 1 : 0;
    }
    EXPECT_EQ(left, 0U);
  }
  const std::vector<ObjectKey> keys{parts[0].key, parts[1].key, commit.key};
  for (const auto& gone : store.remove(keys, {})) EXPECT_TRUE(gone.ok());
  EXPECT_FALSE(fs::exists(root / "s")) << "empty directories go as well";
}

TEST_F(LocalStoreTest, IsUsableInAForkedChild) {
  ASSERT_TRUE(put_one(store, item("parent")).ok());
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::alarm(30);  // a child that hangs must not hang the test
    ::_exit(put_one(store, item("child")).ok() && get_one(store, ObjectKey("parent")).ok() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(get_one(store, ObjectKey("child")).ok());
  EXPECT_TRUE(put_one(store, item("parent", "again")).ok());
}

}  // namespace
}  // namespace stepstore
