#include "store/local/workshop.h"

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/file.h>

#include <algorithm>
#include <chrono>

#include "base/ulid.h"

namespace stepstore::local {
namespace {

constexpr std::size_t kRemovedMax = 1'000;  // names per look, so that no write waits long
constexpr int kDepthMax = 16;

void remove_tree(Core& core, int root, const std::string& path, int depth, std::size_t& left) {
  std::vector<DirectoryEntry> entries;
  {
    const Fd fd = open_at(core.files, root, path.c_str(), O_RDONLY | O_DIRECTORY);
    if (!fd.ok() || core.files.list(fd.get(), entries) < 0) return;
  }
  for (const DirectoryEntry& entry : entries) {
    if (left == 0 || depth == kDepthMax) return;
    --left;
    const std::string below = path + '/' + entry.name;
    if (entry.directory) {
      remove_tree(core, root, below, depth + 1, left);
    } else {
      (void)core.files.unlink(root, below.c_str());
    }
  }
  (void)core.files.remove_directory(root, path.c_str());
}

}  // namespace

void remove_leftovers(Core& core, int root) {
  std::size_t left = kRemovedMax;
  const std::int64_t old =
      (core.clock.now().time_since_epoch() - std::chrono::hours(1)) / std::chrono::nanoseconds(1);
  for (const std::string_view area : {kTmp, kTrash}) {
    std::vector<DirectoryEntry> entries;
    const Fd fd = open_at(core.files, root, std::string(area).c_str(), O_RDONLY | O_DIRECTORY);
    if (!fd.ok() || core.files.list(fd.get(), entries) < 0) continue;
    for (const DirectoryEntry& entry : entries) {
      FileStat stat;
      if (left == 0) return;
      --left;
      if (core.files.stat_at(fd.get(), entry.name.c_str(), stat) < 0) continue;
      if (stat.modified_ns > old) continue;
      const std::string path = std::string(area) + '/' + entry.name;
      if (!entry.directory) {
        (void)core.files.unlink(root, path.c_str());
        continue;
      }
      const Fd owner = open_at(core.files, fd.get(), entry.name.c_str(), O_RDONLY | O_DIRECTORY);
      if (!owner.ok() || core.files.lock(owner.get(), LOCK_EX) < 0) continue;
      remove_tree(core, root, path, 0, left);
    }
  }
}

Workshop::~Workshop() {
  if (name_.empty() || generation_ != core_.held.generation()) {
    fd_.release();
    return;
  }
  core_.held.remove(fd_.get());
  const int root = core_.root_to_read("close");
  if (root >= 0) (void)core_.files.remove_directory(root, name_.c_str());
}

std::string Workshop::fresh_name(int root, std::string_view operation) {
  const auto next = [this]() -> std::string {
    const std::lock_guard lock(mutex_);
    if (name_.empty() || generation_ != core_.held.generation()) return {};
    return name_ + '/' + std::to_string(next_++);
  };
  while (true) {
    if (std::string name = next(); !name.empty()) return name;
    make(root, operation);
  }
}

void Workshop::make(int root, std::string_view operation) {
  remove_leftovers(core_, root);
  const std::string name = std::string(kTmp) + '/' + make_ulid(core_.clock, core_.random);
  core_.make_directories(root, name, operation);
  Fd fd = open_at(core_.files, root, name.c_str(), O_RDONLY | O_DIRECTORY);
  checked(fd.get(), operation, name, "open");
  checked(uninterrupted([&] { return core_.files.lock(fd.get(), LOCK_EX); }), operation, name,
          "flock");
  const unsigned generation = core_.held.generation();
  core_.held.add(fd.get());
  const std::lock_guard lock(mutex_);
  // Another thread was first: its directory serves both.
  if (!name_.empty() && generation_ == generation) {
    core_.held.remove(fd.get());
    (void)core_.files.remove_directory(root, name.c_str());
    return;
  }
  if (fd_.ok() && generation_ == generation) core_.held.remove(fd_.get());
  if (generation_ != generation) fd_.release();  // closed when this process was forked
  name_ = name;
  fd_ = std::move(fd);
  generation_ = generation;
}

void Workshop::lost() {
  const std::lock_guard lock(mutex_);
  name_.clear();
}

}  // namespace stepstore::local
