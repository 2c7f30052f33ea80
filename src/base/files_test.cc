// The system's files: modes whatever the umask, no way through or out by links, calls as they say.
#include "base/files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

namespace stepstore {
namespace {

class FilesTest : public testing::Test {
 protected:
  FilesTest() {
    std::string name = testing::TempDir() + "files-XXXXXX";
    if (!::mkdtemp(name.data())) std::abort();
    path = name;
    dir = files.open_root(name.c_str());
  }
  ~FilesTest() override {
    files.close(dir);
    std::filesystem::remove_all(path);
  }
  int make(const char* name) {
    const int fd = files.open(dir, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    return fd < 0 ? fd : files.close(fd);
  }

  Files& files = system_files();
  std::filesystem::path path;
  int dir = -1;
};

TEST_F(FilesTest, GivesModesWhateverTheUmask) {
  for (const unsigned mask : {0000U, 0077U, 0777U}) {
    const mode_t before = ::umask(mask);
    const std::string name = "d" + std::to_string(mask);
    EXPECT_EQ(files.make_directory(dir, name.c_str(), 0700), 0);
    EXPECT_EQ(make((name + "/f").c_str()), 0);
    ::umask(before);
    FileStat stat;
    ASSERT_EQ(files.stat_at(dir, name.c_str(), stat), 0);
    EXPECT_EQ(stat.mode & 07777U, 0700U);
    ASSERT_EQ(files.stat_at(dir, (name + "/f").c_str(), stat), 0);
    EXPECT_EQ(stat.mode & 07777U, 0600U);
  }
}

TEST_F(FilesTest, FollowsNoLinkInAnyComponent) {
  ASSERT_EQ(files.make_directory(dir, "real", 0700), 0);
  ASSERT_EQ(make("real/f"), 0);
  std::filesystem::create_directory_symlink("real", path / "way");
  std::filesystem::create_symlink("f", path / "real" / "last");
  FileStat stat;
  EXPECT_EQ(files.open(dir, "way/f", O_RDONLY, 0), -ELOOP);
  EXPECT_EQ(files.open(dir, "real/last", O_RDONLY, 0), -ELOOP);
  EXPECT_EQ(files.open(dir, "way/new", O_WRONLY | O_CREAT, 0600), -ELOOP);
  EXPECT_EQ(files.stat_at(dir, "way/f", stat), -ELOOP);
  EXPECT_EQ(files.make_directory(dir, "way/d", 0700), -ELOOP);
  EXPECT_EQ(files.rename(dir, "real/f", dir, "way/g", true), -ELOOP);
  EXPECT_EQ(files.rename(dir, "way/f", dir, "real/g", true), -ELOOP);
  EXPECT_EQ(files.link(dir, "real/f", dir, "way/g"), -ELOOP);
  EXPECT_EQ(files.unlink(dir, "way/f"), -ELOOP);
  EXPECT_EQ(files.remove_directory(dir, "way/f"), -ELOOP);
  ASSERT_EQ(files.stat_at(dir, "real/last", stat), 0);
  EXPECT_TRUE(S_ISLNK(stat.mode)) << "the link itself is told, not what it names";
}

TEST_F(FilesTest, LeavesNothingBeneathItsDirectory) {
  EXPECT_EQ(files.open(dir, "../x", O_RDONLY, 0), -EXDEV);
  EXPECT_EQ(files.open(dir, "/etc/passwd", O_RDONLY, 0), -EXDEV);
}

TEST_F(FilesTest, RenamesOverAFileOnlyWhenAsked) {
  ASSERT_EQ(make("a"), 0);
  ASSERT_EQ(make("b"), 0);
  EXPECT_EQ(files.rename(dir, "a", dir, "b", false), -EEXIST);
  EXPECT_EQ(files.rename(dir, "a", dir, "b", true), 0);
  EXPECT_EQ(files.unlink(dir, "a"), -ENOENT);
}

TEST_F(FilesTest, ListsKindsAndTellsLocksThatAreTaken) {
  ASSERT_EQ(make("f"), 0);
  ASSERT_EQ(files.make_directory(dir, "d", 0700), 0);
  ASSERT_EQ(::mkfifoat(dir, "p", 0600), 0);
  std::vector<DirectoryEntry> entries;
  for (int pass = 0; pass < 2; ++pass) {
    ASSERT_EQ(files.list(dir, entries), 0);
    ASSERT_EQ(entries.size(), 3U) << "the second pass begins anew";
  }
  for (const DirectoryEntry& entry : entries) {
    EXPECT_EQ(entry.directory, entry.name == "d");
    EXPECT_EQ(entry.regular, entry.name == "f");
  }
  const int one = files.open(dir, "f", O_RDWR | O_CREAT, 0600);
  const int two = files.open(dir, "f", O_RDWR, 0);
  EXPECT_EQ(files.lock(one, LOCK_EX), 0);
  EXPECT_EQ(files.lock(two, LOCK_SH), -EWOULDBLOCK);
  files.close(one);
  EXPECT_EQ(files.lock(two, LOCK_SH), 0);
  files.close(two);
}

TEST_F(FilesTest, SetsTimesToTheNanosecond) {
  const int fd = files.open(dir, "f", O_WRONLY | O_CREAT | O_EXCL, 0600);
  ASSERT_EQ(files.set_modified(fd, 1'767'225'600'123'456'789), 0);
  FileStat stat;
  ASSERT_EQ(files.stat(fd, stat), 0);
  EXPECT_EQ(stat.modified_ns, 1'767'225'600'123'456'789);
  files.close(fd);
}

}  // namespace
}  // namespace stepstore
