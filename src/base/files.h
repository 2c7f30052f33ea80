// The file system calls that the local store makes. One thin interface, so that tests can make each
// of them fail, stop before it, or lose what was not fsynced.
//
// Every method is one act on the file system: it returns what the kernel returns, or -errno, and
// knows nothing of retries.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace stepstore {

struct FileStat {
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;  // since 1970
  std::uint32_t mode = 0;        // type and permission bits, as in struct stat
  std::uint32_t owner = 0;       // user id
};

struct FileSpace {
  std::uint64_t free = 0;  // bytes that a process without privileges may still take
  std::uint64_t total = 0;
};

struct DirectoryEntry {
  std::string name;  // never "." or ".."
  bool directory = false;
  bool regular = false;  // neither: a symbolic link, a FIFO, a device, ...
};

// Thread-safe. `dir` is a descriptor of an open directory; paths are relative to it and never
// followed out of it: a symbolic link in any component is ELOOP or ENOTDIR.
class Files {
 public:
  virtual ~Files() = default;

  // Opens an absolute or relative path as a directory. Follows symbolic links: the user may have
  // put the store behind one.
  virtual int open_root(const char* path) = 0;
  // Flags as of open(2); O_CLOEXEC and O_NOFOLLOW are added. New files have `mode` whatever the
  // umask.
  virtual int open(int dir, const char* path, int flags, unsigned mode) = 0;
  virtual int close(int fd) = 0;
  virtual ssize_t read_at(int fd, void* out, std::size_t size, std::uint64_t offset) = 0;
  virtual ssize_t write(int fd, const void* data, std::size_t size) = 0;
  // Reserves space, so that a full disk shows before anything is written. -EOPNOTSUPP where the
  // file system cannot.
  virtual int allocate(int fd, std::uint64_t size) = 0;
  virtual int set_modified(int fd, std::int64_t nanoseconds) = 0;
  virtual int fsync(int fd) = 0;
  virtual int stat(int fd, FileStat& out) = 0;
  virtual int stat_at(int dir, const char* path, FileStat& out) = 0;
  virtual int make_directory(int dir, const char* path, unsigned mode) = 0;
  // replace=false: -EEXIST when the target is there.
  virtual int rename(int from_dir, const char* from, int to_dir, const char* to, bool replace) = 0;
  virtual int link(int from_dir, const char* from, int to_dir, const char* to) = 0;
  virtual int unlink(int dir, const char* path) = 0;
  virtual int remove_directory(int dir, const char* path) = 0;  // only an empty one
  // Every entry of the directory, in no order. `dir` is an open directory.
  virtual int list(int dir, std::vector<DirectoryEntry>& out) = 0;
  // Of the file system that holds the open directory.
  virtual int space(int dir, FileSpace& out) = 0;
  // operation as of flock(2), always with LOCK_NB: -EWOULDBLOCK when somebody else has it.
  virtual int lock(int fd, int operation) = 0;
};

// The kernel's file system. Never destroyed.
Files& system_files();

}  // namespace stepstore
