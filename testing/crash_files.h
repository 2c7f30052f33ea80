// CrashFiles: a file system in memory that can lose power, and whose calls can be made to fail.
//
// What was not made durable may be lost, each piece by itself: a file's bytes are durable once the
// file was fsynced, a name in a directory (made, moved or removed) once that directory was. So a
// store that forgets one fsync loses data after one of the crashes that this can enumerate, though
// a real file system would nearly always be kinder.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/random.h"

namespace stepstore {

// Thread-safe. Descriptors are numbers of its own: they mean nothing to the kernel.
class CrashFiles final : public Files {
 public:
  CrashFiles();

  // How much of what was not durable is there after the crash.
  enum class Survives : std::uint8_t {
    nothing,     // the least that a file system may keep
    everything,  // as if only the process had died
    some,        // each piece by itself, by the random numbers
  };
  // The file system that a machine finds when it starts again. This one stays as it is.
  std::unique_ptr<CrashFiles> after_crash(Survives survives, Random& random) const;

  // From the given call that changes something on (1 is the next), every call fails with EIO and
  // does nothing, as when the power has gone. 0: never.
  void lose_power_at(std::uint64_t change);
  // How many calls that change something were made.
  std::uint64_t changes() const;

  // Asked before each call: its name as in files.h, and the path it is about as far as this knows
  // it. 0 lets it through, -errno fails it. Called without any lock, so that it may use the files
  // itself.
  using Before = std::function<int(std::string_view call, const std::string& path)>;
  void before_each(Before before);
  // No write takes more bytes than this; 0: as many as are given.
  void set_write_max(std::size_t bytes);
  // What the file system says of its space; by default it is large and empty.
  void set_space(FileSpace space);
  // fsync then says yes and keeps nothing: to show that a test would notice.
  void lie_about_fsync(bool files, bool directories);
  // The entry of the root itself was not made durable by whoever made it: a crash loses everything,
  // until "/" has been fsynced.
  void make_root_new();

  int open_root(const char* path) override;
  int open(int dir, const char* path, int flags, unsigned mode) override;
  int close(int fd) override;
  ssize_t read_at(int fd, void* out, std::size_t size, std::uint64_t offset) override;
  ssize_t write(int fd, const void* data, std::size_t size) override;
  int allocate(int fd, std::uint64_t size) override;
  int set_modified(int fd, std::int64_t nanoseconds) override;
  int fsync(int fd) override;
  int stat(int fd, FileStat& out) override;
  int stat_at(int dir, const char* path, FileStat& out) override;
  int make_directory(int dir, const char* path, unsigned mode) override;
  int rename(int from_dir, const char* from, int to_dir, const char* to, bool replace) override;
  int link(int from_dir, const char* from, int to_dir, const char* to) override;
  int unlink(int dir, const char* path) override;
  int remove_directory(int dir, const char* path) override;
  int list(int dir, std::vector<DirectoryEntry>& out) override;
  int space(int dir, FileSpace& out) override;
  int lock(int fd, int operation) override;

  std::size_t open_descriptors() const;

 private:
  struct Node {
    std::uint64_t id = 0;
    bool directory = false;
    bool removed = false;   // a directory that somebody may still hold open
    std::string bytes{};    // of a file
    std::string durable{};  // what of it has been fsynced
    std::int64_t modified = 0;
    std::map<std::string, std::shared_ptr<Node>, std::less<>> entries{};          // of a directory
    std::map<std::string, std::shared_ptr<Node>, std::less<>> durable_entries{};  // of the baseline
    std::map<int, bool> locks{};  // by descriptor: exclusive
  };
  using NodePtr = std::shared_ptr<Node>;
  struct Name {
    NodePtr directory;
    std::string name;
  };
  // A change of names that may survive or not.
  struct Change {
    Name target;
    NodePtr node;   // null: the name goes
    Name source{};  // of a rename: goes in the same moment
    bool durable = false;
  };

  int enter(std::string_view call, const std::string& path, bool changes);
  int resolve(int dir, const char* path, Name& out) const;  // the parent, and the last segment
  NodePtr node_at(const Name& name) const;
  NodePtr node_of(int fd) const;
  std::string path_of(int dir, const char* path) const;
  int add_descriptor(NodePtr node, std::string path);
  NodePtr new_node(bool directory);

  mutable std::mutex mutex_;
  NodePtr above_;  // "/", which holds nothing but the root's entry
  NodePtr root_;   // any other path
  struct Open {
    NodePtr node;
    std::string path;
  };
  std::map<int, Open> open_;
  std::vector<Change> log_;
  std::uint64_t next_id_ = 1;
  int next_fd_ = 1'000'000;
  std::uint64_t changes_ = 0;
  std::uint64_t power_until_ = 0;
  std::size_t write_max_ = 0;
  FileSpace space_{.free = std::uint64_t{1} << 40U, .total = std::uint64_t{1} << 40U};
  bool lie_files_ = false, lie_directories_ = false;
  Before before_{};
};

}  // namespace stepstore
