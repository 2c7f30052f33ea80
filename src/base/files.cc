#include "base/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>

namespace stepstore {
namespace {

int told(long result) { return result < 0 ? -errno : static_cast<int>(result); }

FileStat told_stat(const struct stat& stat) {
  return {.inode = stat.st_ino,
          .size = static_cast<std::uint64_t>(stat.st_size),
          .modified_ns = stat.st_mtim.tv_sec * std::int64_t{1'000'000'000} + stat.st_mtim.tv_nsec,
          .mode = stat.st_mode,
          .owner = stat.st_uid};
}

// openat() of one name. A symbolic link is ELOOP, also where O_DIRECTORY makes it ENOTDIR.
int open_name(int dir, const char* name, int flags, unsigned mode) {
  const int fd = told(::openat(dir, name, flags | O_NOFOLLOW | O_CLOEXEC, mode));
  if (fd != -ENOTDIR) return fd;
  struct stat stat{};
  const bool link = ::fstatat(dir, name, &stat, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(stat.st_mode);
  return link ? -ELOOP : fd;
}

// What openat2() does, a component at a time, for kernels and containers without it.
int open_by_component(int dir, std::string_view path, int flags, unsigned mode) {
  if (path.empty() || path.front() == '/') return -EXDEV;
  int at = dir;
  const auto leave = [&](int result) {
    if (at != dir) ::close(at);
    return result;
  };
  while (true) {
    const std::size_t slash = path.find('/');
    const std::string name(path.substr(0, slash));
    if (name == "..") return leave(-EXDEV);
    if (slash == std::string_view::npos) return leave(open_name(at, name.c_str(), flags, mode));
    const int below = open_name(at, name.c_str(), O_PATH | O_DIRECTORY, 0);
    leave(0);
    if (below < 0) return below;
    at = below;
    path.remove_prefix(slash + 1);
  }
}

int open_beneath(int dir, const char* path, int flags, unsigned mode) {
  static std::atomic<bool> missing = false;
  if (!missing.load(std::memory_order_relaxed)) {
    struct open_how how{};
    how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
    how.mode = (flags & O_CREAT) != 0 ? mode : 0;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    const int fd = told(::syscall(SYS_openat2, dir, path, &how, sizeof how));
    if (fd == -ENOSYS) missing = true;
    // EPERM is also what seccomp filters say for calls that they do not know.
    if (fd != -ENOSYS && fd != -EPERM) return fd;
  }
  return open_by_component(dir, path, flags, mode);
}

// The directory in which the last segment of a path is acted upon; opened only when there is one
// between. The act itself never follows a link in the last segment.
class Place {
 public:
  Place(int dir, const char* path) : dir_(dir), name_(path) {
    const char* const slash = std::strrchr(path, '/');
    if (!slash) return;
    name_ = slash + 1;
    const std::string parent(path, slash);
    dir_ = open_beneath(dir, parent.c_str(), O_PATH | O_DIRECTORY, 0);
    opened_ = dir_ >= 0;
    error_ = opened_ ? 0 : dir_;
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    if (opened_) ::close(dir_);
  }
  int error() const { return error_; }
  int dir() const { return dir_; }
  const char* name() const { return name_; }

 private:
  int dir_;
  const char* name_;
  int error_ = 0;
  bool opened_ = false;
};

class SystemFiles final : public Files {
 public:
  int open_root(const char* path) override {
    return told(::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }

  int open(int dir, const char* path, int flags, unsigned mode) override {
    if ((flags & O_CREAT) == 0) return open_beneath(dir, path, flags, 0);
    // Only a file that this call has made gets its mode: one that was there keeps its own.
    while (true) {
      if ((flags & O_EXCL) == 0) {
        const int there = open_beneath(dir, path, flags & ~O_CREAT, 0);
        if (there != -ENOENT) return there;
      }
      const int fd = open_beneath(dir, path, flags | O_EXCL, mode);
      if (fd == -EEXIST && (flags & O_EXCL) == 0) continue;
      if (fd < 0 || ::fchmod(fd, mode) == 0) return fd;
      const int failed = -errno;
      ::close(fd);
      return failed;
    }
  }

  int close(int fd) override { return told(::close(fd)); }

  ssize_t read_at(int fd, void* out, std::size_t size, std::uint64_t offset) override {
    const ssize_t got = ::pread(fd, out, size, static_cast<off_t>(offset));
    return got < 0 ? -errno : got;
  }

  ssize_t write(int fd, const void* data, std::size_t size) override {
    const ssize_t written = ::write(fd, data, size);
    return written < 0 ? -errno : written;
  }

  int allocate(int fd, std::uint64_t size) override {
    return told(::fallocate(fd, 0, 0, static_cast<off_t>(size)));
  }

  int set_modified(int fd, std::int64_t nanoseconds) override {
    const timespec time{.tv_sec = nanoseconds / 1'000'000'000,
                        .tv_nsec = nanoseconds % 1'000'000'000};
    const timespec times[2] = {time, time};
    return told(::futimens(fd, times));
  }

  int fsync(int fd) override { return told(::fsync(fd)); }

  int stat(int fd, FileStat& out) override {
    struct stat stat{};
    if (::fstat(fd, &stat) != 0) return -errno;
    out = told_stat(stat);
    return 0;
  }

  int stat_at(int dir, const char* path, FileStat& out) override {
    const Place place(dir, path);
    if (place.error() != 0) return place.error();
    struct stat stat{};
    if (::fstatat(place.dir(), place.name(), &stat, AT_SYMLINK_NOFOLLOW) != 0) return -errno;
    out = told_stat(stat);
    return 0;
  }

  int make_directory(int dir, const char* path, unsigned mode) override {
    const Place place(dir, path);
    if (place.error() != 0) return place.error();
    if (::mkdirat(place.dir(), place.name(), mode) != 0) return -errno;
    // The umask can only have taken bits away, so there was no moment with more of them.
    struct stat stat{};
    if (::fstatat(place.dir(), place.name(), &stat, AT_SYMLINK_NOFOLLOW) != 0) return 0;
    if (!S_ISDIR(stat.st_mode) || (stat.st_mode & 0777) == mode) return 0;
    return told(::fchmodat(place.dir(), place.name(), mode, 0));
  }

  int rename(int from_dir, const char* from, int to_dir, const char* to, bool replace) override {
    const Place source(from_dir, from);
    if (source.error() != 0) return source.error();
    const Place target(to_dir, to);
    if (target.error() != 0) return target.error();
    return told(::renameat2(source.dir(), source.name(), target.dir(), target.name(),
                            replace ? 0 : RENAME_NOREPLACE));
  }

  int link(int from_dir, const char* from, int to_dir, const char* to) override {
    const Place source(from_dir, from);
    if (source.error() != 0) return source.error();
    const Place target(to_dir, to);
    if (target.error() != 0) return target.error();
    return told(::linkat(source.dir(), source.name(), target.dir(), target.name(), 0));
  }

  int unlink(int dir, const char* path) override {
    const Place place(dir, path);
    return place.error() != 0 ? place.error() : told(::unlinkat(place.dir(), place.name(), 0));
  }

  int remove_directory(int dir, const char* path) override {
    const Place place(dir, path);
    return place.error() != 0 ? place.error()
                              : told(::unlinkat(place.dir(), place.name(), AT_REMOVEDIR));
  }

  int list(int dir, std::vector<DirectoryEntry>& out) override {
    // A description of its own: the position of `dir` is shared with every other user of it.
    const int own = told(::openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (own < 0) return own;
    DIR* const stream = ::fdopendir(own);
    if (!stream) {
      const int failed = -errno;
      ::close(own);
      return failed;
    }
    out.clear();
    errno = 0;
    while (const dirent* const entry = ::readdir(stream)) {
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      unsigned char type = entry->d_type;
      struct stat stat{};
      if (type == DT_UNKNOWN && ::fstatat(own, entry->d_name, &stat, AT_SYMLINK_NOFOLLOW) == 0) {
        type = IFTODT(stat.st_mode);
      }
      out.push_back(
          {.name = std::string(name), .directory = type == DT_DIR, .regular = type == DT_REG});
      errno = 0;
    }
    const int failed = -errno;
    ::closedir(stream);
    return failed;
  }

  int space(int dir, FileSpace& out) override {
    struct statvfs found{};
    const int result = told(::fstatvfs(dir, &found));
    if (result == 0) {
      out = {.free = std::uint64_t{found.f_bavail} * found.f_frsize,
             .total = std::uint64_t{found.f_blocks} * found.f_frsize};
    }
    return result;
  }
  int lock(int fd, int operation) override { return told(::flock(fd, operation | LOCK_NB)); }
};

}  // namespace

Files& system_files() {
  static auto* const files = new SystemFiles;
  return *files;
}

}  // namespace stepstore
