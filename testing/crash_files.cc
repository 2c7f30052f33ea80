#include "testing/crash_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace stepstore {
namespace {

bool coin(Random& random) {
  std::byte byte{};
  random.fill({&byte, 1});
  return (std::to_integer<unsigned>(byte) & 1U) != 0;
}

}  // namespace

CrashFiles::CrashFiles() : above_(new_node(true)), root_(new_node(true)) {
  above_->entries["root"] = above_->durable_entries["root"] = root_;
}

void CrashFiles::make_root_new() {
  const std::lock_guard lock(mutex_);
  above_->durable_entries.clear();
  log_.push_back({.target = {above_, "root"}, .node = root_});
}

CrashFiles::NodePtr CrashFiles::new_node(bool directory) {
  auto node = std::make_shared<Node>();
  node->id = next_id_++;
  node->directory = directory;
  return node;
}

std::unique_ptr<CrashFiles> CrashFiles::after_crash(Survives survives, Random& random) const {
  const std::lock_guard lock(mutex_);
  const auto kept = [&] {
    return survives == Survives::everything || (survives == Survives::some && coin(random));
  };
  // The names first, by node: those of the last start, then each change that was kept.
  std::map<const Node*, std::map<std::string, NodePtr, std::less<>>> names;
  const auto names_of = [&](const NodePtr& directory) -> auto& {
    return names.try_emplace(directory.get(), directory->durable_entries).first->second;
  };
  for (const Change& change : log_) {
    if (!change.durable && !kept()) continue;
    if (change.source.directory) names_of(change.source.directory).erase(change.source.name);
    if (change.node) {
      names_of(change.target.directory)[change.target.name] = change.node;
    } else {
      names_of(change.target.directory).erase(change.target.name);
    }
  }
  auto out = std::make_unique<CrashFiles>();
  std::map<const Node*, NodePtr> copies;
  const std::function<NodePtr(const NodePtr&)> copy = [&](const NodePtr& from) -> NodePtr {
    NodePtr& made = copies[from.get()];
    if (made) return made;
    made = out->new_node(from->directory);
    made->modified = from->modified;
    made->bytes = kept() ? from->bytes : from->durable;
    // Bytes that were never fsynced may also be there in part.
    if (survives == Survives::some && made->bytes != from->durable && coin(random)) {
      made->bytes.resize(made->bytes.size() / 2);
    }
    made->durable = made->bytes;
    const NodePtr node = made;
    if (from->directory) {
      for (const auto& [name, below] : names_of(from)) node->entries[name] = copy(below);
      node->durable_entries = node->entries;
    }
    return node;
  };
  // A store whose root is gone is an empty one.
  if (names_of(above_).contains("root")) out->root_ = copy(root_);
  out->above_->entries["root"] = out->above_->durable_entries["root"] = out->root_;
  return out;
}

void CrashFiles::lose_power_at(std::uint64_t change) {
  const std::lock_guard lock(mutex_);
  power_until_ = change == 0 ? 0 : changes_ + change;
}

std::uint64_t CrashFiles::changes() const {
  const std::lock_guard lock(mutex_);
  return changes_;
}

void CrashFiles::before_each(Before before) {
  const std::lock_guard lock(mutex_);
  before_ = std::move(before);
}

void CrashFiles::set_write_max(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  write_max_ = bytes;
}

void CrashFiles::set_space(FileSpace space) {
  const std::lock_guard lock(mutex_);
  space_ = space;
}

void CrashFiles::lie_about_fsync(bool files, bool directories) {
  const std::lock_guard lock(mutex_);
  lie_files_ = files;
  lie_directories_ = directories;
}

std::size_t CrashFiles::open_descriptors() const {
  const std::lock_guard lock(mutex_);
  return open_.size();
}

// 0 when the call may go on. Counts it when it changes something.
int CrashFiles::enter(std::string_view call, const std::string& path, bool changes) {
  Before before;
  {
    const std::lock_guard lock(mutex_);
    before = before_;
  }
  if (before) {
    if (const int failed = before(call, path); failed < 0) return failed;
  }
  const std::lock_guard lock(mutex_);
  if (changes) ++changes_;
  return power_until_ != 0 && changes_ >= power_until_ ? -EIO : 0;
}

CrashFiles::NodePtr CrashFiles::node_of(int fd) const {
  const auto found = open_.find(fd);
  return found == open_.end() ? nullptr : found->second.node;
}

std::string CrashFiles::path_of(int dir, const char* path) const {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(dir);
  std::string base = found == open_.end() ? "" : found->second.path;
  if (std::strcmp(path, ".") == 0) return base;
  return base.empty() ? path : base + '/' + path;
}

int CrashFiles::resolve(int dir, const char* path, Name& out) const {
  out.directory = node_of(dir);
  if (!out.directory) return -EBADF;
  std::string_view rest(path);
  while (true) {
    if (!out.directory->directory) return -ENOTDIR;
    if (out.directory->removed) return -ENOENT;
    const std::size_t slash = rest.find('/');
    const std::string_view segment = rest.substr(0, slash);
    if (segment.size() > 255) return -ENAMETOOLONG;
    if (slash == std::string_view::npos) {
      out.name = segment;
      return 0;
    }
    const auto below = out.directory->entries.find(segment);
    if (below == out.directory->entries.end()) return -ENOENT;
    out.directory = below->second;
    rest.remove_prefix(slash + 1);
  }
}

CrashFiles::NodePtr CrashFiles::node_at(const Name& name) const {
  if (name.name == ".") return name.directory;
  const auto found = name.directory->entries.find(name.name);
  return found == name.directory->entries.end() ? nullptr : found->second;
}

int CrashFiles::add_descriptor(NodePtr node, std::string path) {
  const int fd = next_fd_++;
  open_[fd] = {std::move(node), std::move(path)};
  return fd;
}

int CrashFiles::open_root(const char* path) {
  if (const int failed = enter("open_root", path, false); failed < 0) return failed;
  const std::lock_guard lock(mutex_);
  return add_descriptor(std::string_view(path) == "/" ? above_ : root_, "");
}

int CrashFiles::open(int dir, const char* path, int flags, unsigned /*mode*/) {
  const std::string whole = path_of(dir, path);
  const bool creates = (flags & O_CREAT) != 0;
  if (const int failed = enter(creates ? "create" : "open", whole, creates); failed < 0) {
    return failed;
  }
  const std::lock_guard lock(mutex_);
  Name name;
  if (const int failed = resolve(dir, path, name); failed < 0) return failed;
  NodePtr node = node_at(name);
  if (node && creates && (flags & O_EXCL) != 0) return -EEXIST;
  if (!node) {
    if (!creates) return -ENOENT;
    node = new_node(false);
    name.directory->entries[name.name] = node;
    log_.push_back({.target = name, .node = node});
  }
  if ((flags & O_DIRECTORY) != 0 && !node->directory) return -ENOTDIR;
  if (node->directory && (flags & O_ACCMODE) != O_RDONLY) return -EISDIR;
  return add_descriptor(node, whole);
}

int CrashFiles::close(int fd) {
  std::string path;
  {
    const std::lock_guard lock(mutex_);
    const auto found = open_.find(fd);
    if (found == open_.end()) return -EBADF;
    path = found->second.path;
    found->second.node->locks.erase(fd);
    open_.erase(found);
  }
  return enter("close", path, false);
}

ssize_t CrashFiles::read_at(int fd, void* out, std::size_t size, std::uint64_t offset) {
  if (const int failed = enter("read_at", path_of(fd, "."), false); failed < 0) return failed;
  const std::lock_guard lock(mutex_);
  const NodePtr node = node_of(fd);
  if (!node) return -EBADF;
  if (node->directory) return -EISDIR;
  if (offset >= node->bytes.size()) return 0;
  const std::size_t got = std::min<std::size_t>(size, node->bytes.size() - offset);
  std::memcpy(out, node->bytes.data() + offset, got);
  return static_cast<ssize_t>(got);
}

ssize_t CrashFiles::write(int fd, const void* data, std::size_t size) {
  if (const int failed = enter("write", path_of(fd, "."), true); failed < 0) return failed;
  const std::lock_guard lock(mutex_);
  const NodePtr node = node_of(fd);
  if (!node || node->directory) return -EBADF;
  if (write_max_ != 0) size = std::min(size, write_max_);
  node->bytes.append(static_cast<const char*>(data), size);
  return static_cast<ssize_t>(size);
}

int CrashFiles::allocate(int fd, std::uint64_t /*size*/) {
  return enter("allocate", path_of(fd, "."), true);
}

int CrashFiles::set_modified(int fd, std::int64_t nanoseconds) {
  if (const int failed = enter("set_modified", path_of(fd, "."), true); failed < 0) return failed;
  const std::lock_guard lock(mutex_);
  const NodePtr node = node_of(fd);
  if (!node) return -EBADF;
  node->modified = nanoseconds;
  return 0;
}

int CrashFiles::fsync(int fd) {
  if (const int failed = enter("fsync", path_of(fd, "."), true); failed < 0) return failed;
  const std::lock_guard lock(mutex_);
  const NodePtr node = node_of(fd);
  if (!node) return -EBADF;
  if (!node->directory) {
    if (!lie_files_) node->durable = node->bytes;
    return 0;
  }
  if (lie_directories_) return 0;
  for (Change& change : log_) {
    if (change.target.directory == node || change.source.directory == node) change.durable = true;
  }
  return 0;
}

namespace {

FileStat told(bool directory, std::uint64_t id, std::uint64_t size, std::int64_t modified) {
  return {.inode = id,
          .size = directory ? 4'096 : size,
          .modified_ns = modified,
          .mode = directory ? S_IFDIR | 0700U : S_IFREG | 0600U,
          .owner = ::geteuid()};
}

}  // namespace

int CrashFiles::stat(int fd, FileStat& out) {
  if (const int failed = enter("stat", path_of(fd, "."), false); failed < 0) return failed;
  const std::lock_guard lock(mutex_);
  const NodePtr node = node_of(fd);
  if (!node) return -EBADF;
  out = told(node->directory, node->id, node->bytes.size(), node->modified);
  return 0;
}

int CrashFiles::stat_at(int dir, const char* path, FileStat& out) {
  if (const int failed = enter("stat_at", path_of(dir, path), false); failed < 0) return failed;
  const std::lock_guard lock(mutex_);
  Name name;
  if (const int failed = resolve(dir, path, name); failed < 0) return failed;
  const NodePtr node = node_at(name);
  if (!node) return -ENOENT;
  out = told(node->directory, node->id, node->bytes.size(), node->modified);
  return 0;
}

int CrashFiles::make_directory(int dir, const char* path, unsigned /*mode*/) {
  if (const int failed = enter("make_directory", path_of(dir, path), true); failed < 0) {
    return failed;
  }
  const std::lock_guard lock(mutex_);
  Name name;
  if (const int failed = resolve(dir, path, name); failed < 0) return failed;
  if (node_at(name)) return -EEXIST;
  const NodePtr node = new_node(true);
  name.directory->entries[name.name] = node;
  log_.push_back({.target = name, .node = node});
  return 0;
}

int CrashFiles::rename(int from_dir, const char* from, int to_dir, const char* to, bool replace) {
  if (const int failed = enter("rename", path_of(to_dir, to), true); failed < 0) return failed;
  const std::lock_guard lock(mutex_);
  Name source;
  Name target;
  if (const int failed = resolve(from_dir, from, source); failed < 0) return failed;
  if (const int failed = resolve(to_dir, to, target); failed < 0) return failed;
  const NodePtr node = node_at(source);
  if (!node) return -ENOENT;
  if (const NodePtr there = node_at(target)) {
    if (!replace) return -EEXIST;
    if (there == node) return 0;
    if (there->directory && !node->directory) return -EISDIR;
    if (!there->directory && node->directory) return -ENOTDIR;
    if (there->directory && !there->entries.empty()) return -ENOTEMPTY;
  }
  source.directory->entries.erase(source.name);
  target.directory->entries[target.name] = node;
  log_.push_back({.target = target, .node = node, .source = source});
  return 0;
}

int CrashFiles::link(int from_dir, const char* from, int to_dir, const char* to) {
  if (const int failed = enter("link", path_of(to_dir, to), true); failed < 0) return failed;
  const std::lock_guard lock(mutex_);
  Name source;
  Name target;
  if (const int failed = resolve(from_dir, from, source); failed < 0) return failed;
  if (const int failed = resolve(to_dir, to, target); failed < 0) return failed;
  const NodePtr node = node_at(source);
  if (!node) return -ENOENT;
  if (node_at(target)) return -EEXIST;
  target.directory->entries[target.name] = node;
  log_.push_back({.target = target, .node = node});
  return 0;
}

int CrashFiles::unlink(int dir, const char* path) {
  if (const int failed = enter("unlink", path_of(dir, path), true); failed < 0) return failed;
  const std::lock_guard lock(mutex_);
  Name name;
  if (const int failed = resolve(dir, path, name); failed < 0) return failed;
  const NodePtr node = node_at(name);
  if (!node) return -ENOENT;
  if (node->directory) return -EISDIR;
  name.directory->entries.erase(name.name);
  log_.push_back({.target = name, .node = nullptr});
  return 0;
}

int CrashFiles::remove_directory(int dir, const char* path) {
  if (const int failed = enter("remove_directory", path_of(dir, path), true); failed < 0) {
    return failed;
  }
  const std::lock_guard lock(mutex_);
  Name name;
  if (const int failed = resolve(dir, path, name); failed < 0) return failed;
  const NodePtr node = node_at(name);
  if (!node) return -ENOENT;
  if (!node->directory) return -ENOTDIR;
  if (!node->entries.empty()) return -ENOTEMPTY;
  node->removed = true;
  name.directory->entries.erase(name.name);
  log_.push_back({.target = name, .node = nullptr});
  return 0;
}

int CrashFiles::list(int dir, std::vector<DirectoryEntry>& out) {
  if (const int failed = enter("list", path_of(dir, "."), false); failed < 0) return failed;
  const std::lock_guard lock(mutex_);
  const NodePtr node = node_of(dir);
  if (!node) return -EBADF;
  if (!node->directory) return -ENOTDIR;
  out.clear();
  for (const auto& [name, below] : node->entries) {
    out.push_back({.name = name, .directory = below->directory, .regular = !below->directory});
  }
  return 0;
}

int CrashFiles::space(int dir, FileSpace& out) {
  if (const int failed = enter("space", path_of(dir, "."), false); failed < 0) return failed;
  const std::lock_guard lock(mutex_);
  if (!node_of(dir)) return -EBADF;
  out = space_;
  return 0;
}

int CrashFiles::lock(int fd, int operation) {
  if (const int failed = enter("lock", path_of(fd, "."), false); failed < 0) return failed;
  const std::lock_guard lock(mutex_);
  const NodePtr node = node_of(fd);
  if (!node) return -EBADF;
  if ((operation & LOCK_UN) != 0) {
    node->locks.erase(fd);
    return 0;
  }
  const bool exclusive = (operation & LOCK_EX) != 0;
  for (const auto& [other, theirs] : node->locks) {
    if (other != fd && (exclusive || theirs)) return -EWOULDBLOCK;
  }
  node->locks[fd] = exclusive;
  return 0;
}

}  // namespace stepstore
