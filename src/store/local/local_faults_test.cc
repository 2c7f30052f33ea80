// Each call that the local store makes fails in turn, once or for good: the store says so, keeps
// what it had, leaks nothing, and works again afterwards.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>

#include <atomic>
#include <cerrno>

#include "store/local/local_store.h"
#include "testing/crash_files.h"
#include "testing/fakes.h"

namespace stepstore {
namespace {

class LocalFaults : public testing::Test {
 protected:
  std::unique_ptr<LocalStore> open() {
    return std::make_unique<LocalStore>("/store", LocalStoreOptions{}, files, clock, random);
  }
  static PutRequest item(const std::string& key, BytesView body, Condition condition = {}) {
    return {.key = ObjectKey(key), .body = body, .condition = std::move(condition)};
  }
  // A step of two parts, whose bytes are all `text`.
  static bool publish(LocalStore& store, const std::string& dir, const std::string& text) {
    const std::vector<PutRequest> parts{item(dir + "/a", text, Condition::absent()),
                                        item(dir + "/b", text, Condition::absent())};
    const PutRequest last = item(dir + "/step.json", text, Condition::absent());
    const PublishResult result = store.publish({.parts = parts, .commit = last}, {});
    return result.commit && result.commit->ok();
  }
  static std::string body_of(LocalStore& store, const std::string& key) {
    const Result<Object> got = get_one(store, ObjectKey(key));
    return got ? std::string(got->body.text()) : std::string(name_of(got.error().code()));
  }
  // The n-th call that `counts` says yes to fails with the number; `times` calls in all.
  void fail(std::uint64_t n, int number, std::uint64_t times = 1,
            const std::function<bool(std::string_view, const std::string&)>& counts = {}) {
    auto seen = std::make_shared<std::atomic<std::uint64_t>>(0);
    failed = std::make_shared<std::atomic<bool>>(false);
    files.before_each([=, failed = failed](std::string_view call, const std::string& path) {
      if (call == "close" || (counts && !counts(call, path))) return 0;
      const std::uint64_t now = ++*seen;
      if (now < n || now - n >= times) return 0;
      *failed = true;
      return -number;
    });
  }

  SetClock clock;
  SeededRandom random{7};
  CrashFiles files;
  std::shared_ptr<std::atomic<bool>> failed;
};

TEST_F(LocalFaults, LeaveTheOldOrTheNewBytesAndNothingElse) {
  struct Work {
    const char* name;
    std::function<bool(LocalStore&)> run;
    std::string key, before, after;
  };
  const std::vector<Work> all{
      {"put", [](LocalStore& s) { return put_one(s, item("s/0/a", "new")).ok(); }, "s/0/a", "old",
       "new"},
      {"swap",
       [](LocalStore& s) {
         const Result<ObjectInfo> now = head_one(s, ObjectKey("s/0/a"));
         return now && put_one(s, item("s/0/a", "new", Condition::unchanged(now->etag))).ok();
       },
       "s/0/a", "old", "new"},
      {"publish", [](LocalStore& s) { return publish(s, "s/1", "new"); }, "s/1/step.json",
       "NotFound", "new"},
      {"publish where the step's directory is",
       [](LocalStore& s) { return publish(s, "s/2", "new"); }, "s/2/step.json", "NotFound", "new"},
      {"upload",
       [](LocalStore& s) {
         const auto upload = s.start_upload(ObjectKey("s/0/a"), "", {});
         upload->write("ne", {});
         upload->write("w", {});
         return upload->finish({}, {}).ok();
       },
       "s/0/a", "old", "new"},
      {"remove", [](LocalStore& s) { return remove_one(s, ObjectKey("s/0/a")).ok(); }, "s/0/a",
       "old", "NotFound"}};
  int count = 0;
  for (const Work& work : all) {
    for (const int number : {EIO, ENOSPC, EDQUOT, EMFILE, EACCES, EROFS}) {
      for (std::uint64_t n = 1;; ++n) {
        files.before_each({});
        const std::size_t descriptors = files.open_descriptors();
        {
          auto store = open();
          ASSERT_TRUE(put_one(*store, item("s/0/a", "old")).ok());
          ASSERT_TRUE(put_one(*store, item("s/2/other", "x")).ok());
          const std::vector<ObjectKey> fresh{
              ObjectKey("s/1/a"), ObjectKey("s/1/b"), ObjectKey("s/1/step.json"),
              ObjectKey("s/2/a"), ObjectKey("s/2/b"), ObjectKey("s/2/step.json")};
          for (const auto& gone : store->remove(fresh, {})) ASSERT_TRUE(gone.ok());
        }
        const std::string told = std::string(work.name) + ", call " + std::to_string(n) +
                                 " fails with " + std::to_string(number);
        bool done = false;
        {
          auto store = open();
          fail(n, number);
          try {
            done = work.run(*store);
          } catch (const StorageManagerError&) {
          }
        }
        files.before_each({});
        EXPECT_EQ(files.open_descriptors(), descriptors) << told;
        auto store = open();
        const std::string found = body_of(*store, work.key);
        ASSERT_TRUE(found == work.after || (!done && found == work.before))
            << told << ": " << found;
        if (found == work.before && work.key != "s/0/a") {
          ASSERT_TRUE(list_all(*store, {.prefix = "s/1/"}).empty()) << told;
        }
        ++count;
        if (!*failed) break;
      }
    }
  }
  EXPECT_GT(count, 500) << "the sweep has reached the calls";
}

TEST_F(LocalFaults, SignalsAndShortWritesAreNotSeen) {
  files.set_write_max(3);
  auto odd = std::make_shared<std::atomic<std::uint64_t>>(0);
  files.before_each([odd](std::string_view call, const std::string&) {
    const bool restarts = call == "open" || call == "create" || call == "write" ||
                          call == "read_at" || call == "lock" || call == "set_modified" ||
                          call == "rename";
    return restarts && ++*odd % 2 == 1 ? -EINTR : 0;
  });
  auto store = open();
  const std::string body = "0123456789";
  EXPECT_NO_THROW(put_one(*store, item("k", body)).value());
  EXPECT_TRUE(publish(*store, "s/1", body));
  EXPECT_EQ(body_of(*store, "k"), body);
  EXPECT_EQ(body_of(*store, "s/1/b"), body);
  EXPECT_TRUE(remove_one(*store, ObjectKey("k")).ok());
}

// fsync of the same file may succeed after it has failed, without the bytes: so they are written
// anew into another file.
TEST_F(LocalFaults, AnFsyncThatFailedOnceIsNotRepeatedOnTheSameFile) {
  auto store = open();
  std::vector<std::string> made;
  std::uint64_t syncs = 0;
  files.before_each([&](std::string_view call, const std::string& path) {
    if (call == "create" && path.starts_with(".stepstore/tmp/")) made.push_back(path);
    return call == "fsync" && path.starts_with(".stepstore/tmp/") && ++syncs == 1 ? -EIO : 0;
  });
  ASSERT_TRUE(put_one(*store, item("k", "body")).ok());
  EXPECT_EQ(made.size(), 2U);
  const auto found = files.after_crash(CrashFiles::Survives::nothing, random);
  LocalStore after("/store", {}, *found, clock, random);
  EXPECT_EQ(body_of(after, "k"), "body");
}

TEST_F(LocalFaults, ADiskThatFailsTwiceStopsAllWritingUntilTheStoreIsOpenedAgain) {
  auto store = open();
  ASSERT_TRUE(put_one(*store, item("k", "old")).ok());
  for (const bool whole_step : {false, true}) {
    store = open();
    fail(1, EIO, 2, [](std::string_view call, const std::string& path) {
      return call == "fsync" && path.starts_with(".stepstore/tmp/");
    });
    if (whole_step) {
      EXPECT_FALSE(publish(*store, "s/1", "new"));
    } else {
      EXPECT_TRUE(put_one(*store, item("k", "new")).is(ErrorCode::Io));
    }
    files.before_each({});
    EXPECT_TRUE(put_one(*store, item("other", "x")).is(ErrorCode::Io));
    EXPECT_FALSE(publish(*store, "s/2", "x"));
    EXPECT_TRUE(remove_one(*store, ObjectKey("k")).is(ErrorCode::Io));
    EXPECT_THROW((void)store->start_upload(ObjectKey("k"), "", {}), Io);
    EXPECT_EQ(body_of(*store, "k"), "old") << "reading goes on";
  }
  EXPECT_TRUE(put_one(*open(), item("k", "new")).ok());
}

TEST_F(LocalFaults, AnEntryThatMayNotBeDurableIsAnUnknownOutcome) {
  auto store = open();
  fail(1, EIO, 1, [](std::string_view call, const std::string& path) {
    return call == "fsync" && path == "s";
  });
  const Result<ETag> put = put_one(*store, item("s/k", "x"));
  ASSERT_FALSE(put.ok());
  EXPECT_TRUE(put.error().outcome_unknown());
  EXPECT_EQ(body_of(*store, "s/k"), "x");
}

// A full disk shows while the file is still nobody's.
TEST_F(LocalFaults, AFullDiskIsNoSpaceAndLeavesNothing) {
  auto store = open();
  ASSERT_TRUE(put_one(*store, item("k", "old")).ok());
  for (const std::string_view call : {"write", "allocate", "create"}) {
    fail(1, ENOSPC, 1'000, [=](std::string_view each, const std::string& path) {
      return each == call && path.starts_with(".stepstore/tmp/");
    });
    const std::string large(std::size_t{2} << 20U, 'x');
    const Result<ETag> put = put_one(*store, item("k", large));
    ASSERT_TRUE(put.is(ErrorCode::NoSpace)) << call;
    EXPECT_FALSE(put.error().outcome_unknown());
    EXPECT_FALSE(publish(*store, "s/1", large));
    files.before_each({});
    EXPECT_EQ(body_of(*store, "k"), "old");
    EXPECT_EQ(list_all(*store, {}).size(), 1U);
    EXPECT_TRUE(remove_one(*store, ObjectKey("gone")).ok()) << "a full disk can be emptied";
  }
}

// The session's folder is moved away just before the step gets its name in it: the step belongs
// under the session's name, not into the folder that has left.
TEST_F(LocalFaults, AStepDoesNotFollowAFolderThatWasMovedAway) {
  auto store = open();
  ASSERT_TRUE(publish(*store, "s/1", "one"));
  bool moved = false;
  files.before_each([&](std::string_view call, const std::string& path) {
    if (call != "rename" || path != "s/2" || moved) return 0;
    moved = true;
    const int root = files.open_root("/store");
    EXPECT_EQ(files.rename(root, "s", root, "moved", false), 0);
    EXPECT_EQ(files.close(root), 0);
    return 0;
  });
  ASSERT_TRUE(publish(*store, "s/2", "two"));
  EXPECT_TRUE(moved);
  EXPECT_EQ(body_of(*store, "s/2/step.json"), "two");
  EXPECT_EQ(body_of(*store, "moved/2/step.json"), "NotFound");
  const auto found = files.after_crash(CrashFiles::Survives::nothing, random);
  LocalStore after("/store", {}, *found, clock, random);
  EXPECT_EQ(body_of(after, "s/2/step.json"), "two") << "and the new folder is durable";
}

// Another process has made the store's folder and died before that was durable: what is
// acknowledged in it would go with its entry.
TEST_F(LocalFaults, ARootThatAnotherProcessHasJustMadeIsMadeDurable) {
  files.make_root_new();
  auto store = open();
  ASSERT_TRUE(publish(*store, "s/1", "one"));
  const auto found = files.after_crash(CrashFiles::Survives::nothing, random);
  LocalStore after("/store", {}, *found, clock, random);
  EXPECT_EQ(body_of(after, "s/1/step.json"), "one");
}

TEST_F(LocalFaults, ARootThatWasRemovedIsAnErrorAndNotAHang) {
  auto store = open();
  ASSERT_TRUE(put_one(*store, item("k", "x")).ok());
  files.before_each([](std::string_view call, const std::string&) {
    return call == "make_directory" || call == "create" || call == "rename" ? -ENOENT : 0;
  });
  EXPECT_TRUE(put_one(*store, item("s/k", "x")).is(ErrorCode::Io) ||
              put_one(*store, item("s/k", "x")).is(ErrorCode::NotFound));
  EXPECT_FALSE(publish(*store, "s/1", "x"));
}

}  // namespace
}  // namespace stepstore
