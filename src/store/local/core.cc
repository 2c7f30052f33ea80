#include "store/local/core.h"

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>

namespace stepstore::local {
namespace {

constexpr std::size_t kKnownMax = 4'096;

std::string hex(std::uint64_t number) { return fmt::format("{:x}", number); }

}  // namespace

std::string parent_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash));
}

bool is_reserved(std::string_view key) {
  if (key == kControl) return true;
  return std::ranges::any_of(
      std::initializer_list<std::string_view>{kTmp, kLocks, kTrash}, [key](std::string_view name) {
        return key.starts_with(name) && (key.size() == name.size() || key[name.size()] == '/');
      });
}

ETag etag_of(const FileStat& stat) {
  return ETag(hex(static_cast<std::uint64_t>(stat.modified_ns)) + '-' + hex(stat.inode) + '-' +
              hex(stat.size));
}

ObjectInfo info_of(const ObjectKey& key, const FileStat& stat) {
  const std::chrono::sys_time<std::chrono::nanoseconds> time{
      std::chrono::nanoseconds(stat.modified_ns)};
  return {.key = key,
          .size = stat.size,
          .etag = etag_of(stat),
          .modified = std::chrono::floor<std::chrono::milliseconds>(time)};
}

Core::Core(const std::filesystem::path& root, LocalStoreOptions wanted, Files& file_system,
           Clock& time, Random& numbers)
    : path(std::filesystem::absolute(root)),
      options(wanted),
      files(file_system),
      clock(time),
      random(numbers),
      held(file_system) {}

Core::~Core() {
  if (root_ >= 0) (void)files.close(root_);
}

int Core::root_to_read(std::string_view operation) {
  const int fd = root_.load();
  return fd >= 0 ? fd : open_root(operation, false);
}

int Core::root_to_write(std::string_view operation) {
  const int fd = root_.load();
  return fd >= 0 ? fd : open_root(operation, true);
}

int Core::open_root(std::string_view operation, bool make) {
  int opened = uninterrupted([&] { return files.open_root(path.c_str()); });
  if (opened == -ENOENT) {
    if (!make) return -1;
    opened = make_root(path, operation);
  }
  if (opened == -ENOTDIR) {
    error(ErrorCode::ConfigError, operation, path.string(), "the store's path is not a directory",
          "Name a directory, or one that does not exist yet.")
        .raise();
  }
  Fd fd(files, checked(opened, operation, path.string(), "open"));
  check_root(fd.get(), operation);
  int none = -1;
  // Whoever comes second uses the first one's.
  if (!root_.compare_exchange_strong(none, fd.get())) return none;
  return fd.release();
}

// Opens the directory, making it and its parents first. Above the root links are followed: the
// user may have put the store behind one.
int Core::make_root(const std::filesystem::path& at, std::string_view operation) {
  const std::filesystem::path clean = at.has_filename() ? at : at.parent_path();
  int opened = uninterrupted([&] { return files.open_root(clean.c_str()); });
  if (opened != -ENOENT || clean == clean.parent_path()) return opened;
  Fd above(files, make_root(clean.parent_path(), operation));
  if (!above.ok()) return above.get();
  const std::string name = clean.filename().string();
  const int made =
      uninterrupted([&] { return files.make_directory(above.get(), name.c_str(), 0700); });
  if (made < 0 && made != -EEXIST) return made;
  if (options.fsync) checked(files.fsync(above.get()), operation, clean.string(), "fsync");
  return uninterrupted([&] { return files.open_root(clean.c_str()); });
}

void Core::check_root(int fd, std::string_view operation) {
  FileStat stat;
  checked(files.stat(fd, stat), operation, path.string(), "stat");
  if ((stat.mode & S_IWOTH) != 0) {
    error(ErrorCode::ConfigError, operation, path.string(), "everybody may write to the store",
          "Run `chmod o-w` on it, or name a directory below it.")
        .raise();
  }
  const uid_t user = ::geteuid();
  if (user != 0 && stat.owner != user && stat.owner != 0) {
    error(ErrorCode::ConfigError, operation, path.string(), "the store belongs to another user",
          "Run as its owner, or name a directory of your own.")
        .raise();
  }
}

std::int64_t Core::next_time() {
  const std::int64_t now = clock.now().time_since_epoch().count();
  std::int64_t last = last_time_.load();
  std::int64_t next = 0;
  do {
    next = std::max(now, last + 1);
  } while (!last_time_.compare_exchange_weak(last, next));
  return next;
}

void Core::refuse_reserved(const ObjectKey& key, std::string_view operation) const {
  if (!is_reserved(key.text())) return;
  error(ErrorCode::InvalidArgument, operation, key.text(), "the store keeps this name for itself",
        "Choose another key.")
      .raise();
}

void Core::refuse_when_failed(std::string_view operation, std::string_view key) const {
  if (!failed_) return;
  error(ErrorCode::Io, operation, key,
        "the store takes no more writes, because the disk failed to keep what was written before",
        "Check the disk; then open the store again.")
      .raise();
}

void Core::make_directories(int root, std::string_view dir, std::string_view operation) {
  if (dir.empty()) return;
  const std::string name(dir);
  for (int i = 0; i < kTries; ++i) {
    const int made = uninterrupted([&] { return files.make_directory(root, name.c_str(), 0700); });
    if (made == 0) forget_directory(name);
    if (made == 0 || made == -EEXIST) return;
    if (made != -ENOENT) errno_error(-made, operation, name, "mkdir").raise();
    make_directories(root, parent_of(name), operation);
  }
  error(ErrorCode::Io, operation, name, "the directory goes away as often as it is made",
        "Was the store's directory removed? Then open the store again.")
      .raise();
}

bool Core::knows(const std::string& dir, std::uint64_t inode) {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(dir);
  return found != known_.end() && found->second == inode;
}

void Core::forget_directory(const std::string& dir) {
  const std::lock_guard lock(mutex_);
  known_.erase(dir);
}

// The entry of the root itself, once: whoever has made it may have died before that was durable. A
// parent that may not be opened was there before stepstore was.
void Core::sync_parent_of_root(std::string_view operation) {
  if (root_is_durable_) return;
  const std::filesystem::path clean = path.has_filename() ? path : path.parent_path();
  const Fd parent(files,
                  uninterrupted([&] { return files.open_root(clean.parent_path().c_str()); }));
  if (parent.ok()) checked(files.fsync(parent.get()), operation, path.string(), "fsync");
  root_is_durable_ = true;
}

void Core::sync_directory(int root, const std::string& dir, std::string_view operation) {
  if (!options.fsync) return;
  std::vector<std::pair<std::string, std::uint64_t>> synced;
  // Upwards until an entry that this store has made durable before. Another process may have made
  // the directories, and died before it fsynced them, so it does not matter who made them.
  for (std::string at = dir;; at = parent_of(at)) {
    const Fd fd = open_at(files, root, at.empty() ? "." : at.c_str(), O_RDONLY | O_DIRECTORY);
    if (fd.get() == -ENOENT) return;
    checked(fd.get(), operation, at, "open");
    checked(files.fsync(fd.get()), operation, at, "fsync");
    FileStat stat;
    checked(files.stat(fd.get(), stat), operation, at, "stat");
    if (at.empty()) sync_parent_of_root(operation);
    if (at.empty() || knows(at, stat.inode)) break;
    synced.emplace_back(at, stat.inode);
  }
  const std::lock_guard lock(mutex_);
  if (known_.size() + synced.size() > kKnownMax) known_.clear();
  for (const auto& [name, inode] : synced) known_[name] = inode;
}

}  // namespace stepstore::local
