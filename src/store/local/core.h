// What every operation of the local store needs: the root, its names, times, errors and directory
// entries that are made durable.
#pragma once

#include <atomic>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/errors.h"
#include "base/file_io.h"
#include "base/fork.h"
#include "base/held_descriptors.h"
#include "base/random.h"
#include "store/local/local_store.h"

namespace stepstore::local {

inline constexpr std::string_view kControl = ".stepstore";
inline constexpr std::string_view kTmp = ".stepstore/tmp";
inline constexpr std::string_view kLocks = ".stepstore/locks";
inline constexpr std::string_view kTrash = ".stepstore/trash";
// How often an operation begins again because a directory went away under it. More often than any
// race explains: then the root itself has been removed.
inline constexpr int kTries = 100;

std::string parent_of(std::string_view path);  // "" for a name at the root
// Names that the store keeps for itself.
bool is_reserved(std::string_view key);
ETag etag_of(const FileStat& stat);
ObjectInfo info_of(const ObjectKey& key, const FileStat& stat);

// Throws the error of a negative result.
inline int checked(int result, std::string_view operation, std::string_view key,
                   std::string_view what) {
  if (result < 0) errno_error(-result, operation, key, what).raise();
  return result;
}

// Does one item's work and tells its error as the item's. What ends the whole call is thrown on.
template <class T, class Work>
Result<T> item(std::string_view operation, std::string_view key, Work&& work) {
  try {
    return work();
  } catch (const StorageManagerError& failed) {
    const ErrorCode code = failed.code();
    if (code == ErrorCode::Cancelled || code == ErrorCode::Closed ||
        code == ErrorCode::ConfigError) {
      throw;
    }
    return told_as(failed, operation, key);
  }
}

class Core {
 public:
  Core(const std::filesystem::path& root, LocalStoreOptions wanted, Files& file_system, Clock& time,
       Random& numbers);
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;
  ~Core();

  // The root's descriptor; -1 when there is no root yet.
  int root_to_read(std::string_view operation);
  int root_to_write(std::string_view operation);

  std::int64_t next_time();  // later than every one before it
  void refuse_reserved(const ObjectKey& key, std::string_view operation) const;
  void refuse_when_failed(std::string_view operation, std::string_view key) const;
  void fail() { failed_ = true; }

  void make_directories(int root, std::string_view dir, std::string_view operation);
  // Makes the entries of `dir`, and its own way down from the root, durable. A directory that has
  // gone meanwhile needs nothing: what was in it has been removed or moved since.
  void sync_directory(int root, const std::string& dir, std::string_view operation);
  void forget_directory(const std::string& dir);

  const std::filesystem::path path;
  const LocalStoreOptions options;
  Files& files;
  Clock& clock;
  Random& random;
  HeldDescriptors held;

 private:
  int open_root(std::string_view operation, bool make);
  int make_root(const std::filesystem::path& at, std::string_view operation);
  void check_root(int fd, std::string_view operation);
  bool knows(const std::string& dir, std::uint64_t inode);
  void sync_parent_of_root(std::string_view operation);

  std::atomic<int> root_ = -1;
  std::atomic<std::int64_t> last_time_ = 0;
  std::atomic<bool> failed_ = false;
  std::atomic<bool> root_is_durable_ = false;
  ForkMutex mutex_;                                       // of what follows
  std::unordered_map<std::string, std::uint64_t> known_;  // entry is durable, by path: its inode
};

}  // namespace stepstore::local
