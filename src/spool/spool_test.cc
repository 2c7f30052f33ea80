// The spool keeps what it has taken through crashes, in order, within its limits, for any number of
// processes.
#include "spool/spool.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>

#include <cerrno>
#include <filesystem>

#include "base/crc64.h"
#include "base/errors.h"
#include "base/ulid.h"
#include "testing/crash_files.h"
#include "testing/fakes.h"

namespace stepstore::spool {
namespace {

class SpoolTest : public testing::Test {
 protected:
  Spool open(SpoolOptions options = {}) { return open_in(files, options); }
  Spool open_in(Files& in, SpoolOptions options = {}) {
    return {"/spool", options, in, clock, random};
  }
  Head head(const std::string& session, const std::string& step, const std::string& body) {
    return {.commit_id = make_ulid(clock, random),
            .session_id = session,
            .step_id = step,
            .parts = {{.name = "html", .size = body.size(), .crc64 = crc64(body)}}};
  }
  EntryName put(Spool& spool, const std::string& step, const std::string& body = "<p>",
                const std::string& session = "s") {
    const std::vector<Source> bodies{Source(BytesView(body))};
    return spool.put(head(session, step, body), bodies, {});
  }
  static std::vector<std::string> bodies_of(const Spool& spool) {
    std::vector<std::string> bodies;
    for (const EntryName& name : spool.entries()) {
      bodies.emplace_back(spool.open(name)->read(0).text());
    }
    return bodies;
  }

  SetClock clock;
  SeededRandom random{11};
  CrashFiles files;
};

using Bodies = std::vector<std::string>;

TEST_F(SpoolTest, KeepsStepsInTheOrderOfTheirComing) {
  Spool spool = open();
  EXPECT_TRUE(spool.entries().empty());
  for (const char* const body : {"a", "b", "c"}) put(spool, body, body);
  EXPECT_EQ(bodies_of(spool), (Bodies{"a", "b", "c"}));
  EXPECT_EQ(spool.totals().entries, 3U);
}

TEST_F(SpoolTest, KeepsTheOrderOfAStepWhenTheClockGoesBack) {
  Spool first = open();
  put(first, "1", "a");
  clock.set_wall(clock.now_ms() - std::chrono::hours(24 * 3'650));
  Spool second = open();  // another process
  put(second, "1", "b");
  put(first, "1", "c");
  EXPECT_EQ(bodies_of(second), (Bodies{"a", "b", "c"}));
}

TEST_F(SpoolTest, FindsWhatBelongsToAStepAndASession) {
  Spool spool = open();
  put(spool, "1", "a");
  put(spool, "2", "b");
  put(spool, "1", "c", "other");
  put(spool, "1", "d");
  EXPECT_EQ(spool.of_step("s", "1").size(), 2U);
  EXPECT_EQ(spool.of_step("s", "3").size(), 0U);
  EXPECT_EQ(spool.of_session("s").size(), 3U);
  EXPECT_EQ(spool.of_session("other").size(), 1U);
}

// Power is lost at every call that changes something, and of what was not made durable nothing,
// everything or a part survives.
TEST_F(SpoolTest, LosesNothingThatWasAcknowledgedWhenPowerGoes) {
  for (std::uint64_t at = 1;; ++at) {
    CrashFiles disk;
    bool acknowledged = false;
    {
      Spool spool = open_in(disk);
      put(spool, "1", "old");
      disk.lose_power_at(disk.changes() + at);
      try {
        put(spool, "1", "new");
        acknowledged = true;
      } catch (const StorageManagerError&) {
      }
    }
    for (const auto survives : {CrashFiles::Survives::nothing, CrashFiles::Survives::everything,
                                CrashFiles::Survives::some, CrashFiles::Survives::some}) {
      const auto after = disk.after_crash(survives, random);
      Spool spool = open_in(*after);
      const Bodies found = bodies_of(spool);
      if (acknowledged) {
        EXPECT_EQ(found, (Bodies{"old", "new"})) << "power lost at change " << at;
      } else {
        EXPECT_TRUE(found == Bodies{"old"} || found == (Bodies{"old", "new"}))
            << "power lost at change " << at;
      }
    }
    if (acknowledged) break;
    ASSERT_LT(at, 100U);
  }
}

TEST_F(SpoolTest, SaysWhatTheDiskRefusesAndLeavesNothing) {
  for (const char* const call : {"create", "write", "fsync", "rename"}) {
    Spool spool = open();
    put(spool, "1", "old");
    const std::size_t before = spool.entries().size();
    files.before_each(
        [call](std::string_view name, const std::string&) { return name == call ? -ENOSPC : 0; });
    EXPECT_THROW(put(spool, "1", "new"), NoSpace) << call;
    files.before_each({});
    EXPECT_EQ(spool.entries().size(), before) << call;
  }
}

TEST_F(SpoolTest, IsFullByEntriesByBytesAndByTheDisk) {
  Spool few = open({.entries_max = 1});
  put(few, "1");
  EXPECT_THROW(put(few, "2"), SpoolFull);
  Spool small = open({.bytes_max = 10'000});
  EXPECT_THROW(put(small, "2", std::string(20'000, 'x')), SpoolFull);
  files.set_space({.free = 900, .total = 10'000});
  Spool poor = open({.free_bytes_min = 0, .free_share_min = 0.05});
  EXPECT_THROW(put(poor, "2"), SpoolFull);
  EXPECT_EQ(poor.entries().size(), 1U);
}

TEST_F(SpoolTest, WaitsForRoomAsLongAsItMay) {
  Spool spool = open({.entries_max = 1, .wait_when_full = std::chrono::seconds(10)});
  const EntryName first = put(spool, "1");
  const auto begun = clock.steady_now();
  EXPECT_THROW(put(spool, "2"), SpoolFull);
  EXPECT_GE(clock.steady_now() - begun, std::chrono::seconds(10));
  EXPECT_TRUE(spool.remove(first));
  put(spool, "2");
}

TEST_F(SpoolTest, LetsOneDecideAboutAnEntry) {
  Spool spool = open();
  Spool other = open();
  const EntryName name = put(spool, "1");
  {
    const auto lock = spool.lock(name);
    ASSERT_TRUE(lock);
    EXPECT_FALSE(other.lock(name));
  }
  {
    const auto lock = other.lock(name);
    ASSERT_TRUE(lock);
    EXPECT_TRUE(other.remove(name));
  }
  EXPECT_FALSE(spool.lock(name));
  EXPECT_FALSE(spool.remove(name));
}

TEST_F(SpoolTest, LetsOneDrain) {
  Spool spool = open();
  Spool other = open();
  {
    const auto lock = spool.lock_for_draining();
    ASSERT_TRUE(lock);
    EXPECT_FALSE(other.lock_for_draining());
  }
  EXPECT_TRUE(other.lock_for_draining());
}

TEST_F(SpoolTest, SetsAsideWhatCannotBeStoredAndTakesItBack) {
  Spool spool = open();
  put(spool, "1", "a");
  const EntryName bad = put(spool, "1", "b");
  put(spool, "1", "c");
  spool.reject(bad, "it is \"odd\"");
  EXPECT_EQ(bodies_of(spool), (Bodies{"a", "c"}));
  ASSERT_EQ(spool.rejected().size(), 1U);
  EXPECT_EQ(spool.rejected()[0].reason, "it is \"odd\"");
  spool.retry(bad);
  EXPECT_EQ(bodies_of(spool), (Bodies{"a", "b", "c"}));
  spool.reject(bad, "again");
  spool.drop(bad);
  EXPECT_TRUE(spool.rejected().empty());
  EXPECT_EQ(bodies_of(spool), (Bodies{"a", "c"}));
}

TEST_F(SpoolTest, SweepsWhatDeadWritersLeft) {
  Spool spool = open();
  const EntryName name = put(spool, "1");
  const std::string shard = "new/" + name.shard() + "/";
  const Fd root(files, files.open_root("/spool"));
  const auto leave = [&](const std::string& file, std::chrono::hours age) {
    Fd fd = open_at(files, root.get(), (shard + file).c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
    const auto time = clock.now() - age;
    EXPECT_EQ(files.set_modified(fd.get(), time.time_since_epoch().count()), 0);
    return fd;
  };
  (void)leave(".t-old", std::chrono::hours(2));
  (void)leave(".t-young", std::chrono::hours(0));
  const Fd live = leave(".t-live", std::chrono::hours(2));
  ASSERT_EQ(files.lock(live.get(), LOCK_EX), 0);
  spool.sweep();
  FileStat stat;
  EXPECT_EQ(files.stat_at(root.get(), (shard + ".t-old").c_str(), stat), -ENOENT);
  EXPECT_EQ(files.stat_at(root.get(), (shard + ".t-young").c_str(), stat), 0);
  EXPECT_EQ(files.stat_at(root.get(), (shard + ".t-live").c_str(), stat), 0);
  EXPECT_EQ(spool.entries().size(), 1U);
}

TEST_F(SpoolTest, IsPrivate) {
  const auto path = std::filesystem::path(testing::TempDir()) / "spool-private" / "deep";
  std::filesystem::remove_all(path.parent_path());
  Spool spool(path, {.free_bytes_min = 0, .free_share_min = 0}, system_files(), clock, random);
  const EntryName name = put(spool, "1");
  const auto mode = [](const std::filesystem::path& at) {
    return static_cast<unsigned>(std::filesystem::status(at).permissions()) & 0777U;
  };
  EXPECT_EQ(mode(path), 0700U);
  EXPECT_EQ(mode(path / "new" / name.shard() / name.file()), 0600U);
  std::filesystem::permissions(path, std::filesystem::perms(0777));
  Spool open_to_all(path, {}, system_files(), clock, random);
  EXPECT_THROW(put(open_to_all, "2"), PermissionDenied);
  std::filesystem::remove_all(path.parent_path());
}

TEST(SpoolNames, SayWhatTheyMustAndNothingElseIsOne) {
  const EntryName name{.order = "01JD3QK8Z1M8T0V7X5W2R4Y6AB",
                       .session = session_number("s"),
                       .step = step_number("s", "1"),
                       .bytes = 731'904};
  EXPECT_EQ(parse_entry_name(name.file()), name);
  EXPECT_NE(step_number("a", "bc"), step_number("ab", "c"));
  for (const std::string& odd : {std::string(), name.file() + "x", name.file().substr(1),
                                 name.file() + ".json", "." + name.file()}) {
    EXPECT_FALSE(parse_entry_name(odd)) << odd;
  }
}

}  // namespace
}  // namespace stepstore::spool
