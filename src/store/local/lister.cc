#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "store/local/reader.h"

namespace stepstore::local {
namespace {

constexpr std::size_t kPageMax = 10'000;

// One page: walks the directories in the order of S3, where a directory stands as "name/", and
// enters only those that may hold something of the page.
class Lister {
 public:
  Lister(Core& core, int root, const ListRequest& request, const CallLimits& limits)
      : core_(core),
        root_(root),
        request_(request),
        limits_(limits),
        limit_(request.limit == 0 ? kPageMax : std::min(request.limit, kPageMax)) {}

  ListPage run() {
    const std::string dir = request_.prefix.substr(0, request_.prefix.rfind('/') + 1);
    // Only what could be a key is a path: "a//" and "../" are prefixes of nothing.
    if (dir.empty() || is_directory_of_keys(dir)) (void)walk(dir);
    return std::move(page_);
  }

 private:
  static bool is_directory_of_keys(const std::string& dir) {
    try {
      return !is_reserved(ObjectKey(dir.substr(0, dir.size() - 1)).text()) || dir == ".stepstore/";
    } catch (const InvalidArgument&) {
      return false;
    }
  }

  // False: the page is full.
  bool walk(const std::string& dir) {
    check_limits(limits_, core_.clock, "list");
    Fd fd;
    const std::vector<DirectoryEntry> entries = read(dir, fd);
    for (const DirectoryEntry& entry : entries) {
      if (!(entry.directory ? tell_directory(dir + entry.name) : tell_file(dir, fd, entry))) {
        return false;
      }
    }
    return true;
  }

  // Nothing where the directory has gone or never was.
  std::vector<DirectoryEntry> read(const std::string& dir, Fd& fd) {
    std::vector<DirectoryEntry> entries;
    fd = open_at(core_.files, root_, dir.empty() ? "." : dir.substr(0, dir.size() - 1).c_str(),
                 O_RDONLY | O_DIRECTORY);
    const int opened = fd.get();
    if (opened == -ENOENT || opened == -ENOTDIR || opened == -ELOOP || opened == -ENAMETOOLONG) {
      return entries;
    }
    checked(opened, "list", dir, "open");
    checked(uninterrupted([&] { return core_.files.list(fd.get(), entries); }), "list", dir,
            "getdents");
    std::erase_if(entries, [&](const DirectoryEntry& entry) {
      const std::string full = dir + entry.name;
      if (entry.directory) return !wants_directory(full + '/');
      return !entry.regular || !full.starts_with(request_.prefix) || full <= request_.start_after;
    });
    for (DirectoryEntry& entry : entries) {
      if (entry.directory) entry.name += '/';
    }
    std::ranges::sort(entries, {}, &DirectoryEntry::name);
    return entries;
  }

  bool wants_directory(const std::string& full) const {
    if (full != ".stepstore/" && is_reserved(full.substr(0, full.size() - 1))) return false;
    const bool below = full.starts_with(request_.prefix) || request_.prefix.starts_with(full);
    // Everything below sorts before the place where the page begins.
    const bool passed = request_.start_after > full && !request_.start_after.starts_with(full);
    return below && !passed;
  }

  bool tell_directory(const std::string& full) {
    const bool folded = request_.delimited && full.size() > request_.prefix.size();
    if (!folded) return walk(full);
    if (full <= request_.start_after || !holds_object(full)) return true;
    if (full_page()) return false;
    page_.prefixes.push_back(full);
    last_ = full;
    return true;
  }

  bool tell_file(const std::string& dir, const Fd& fd, const DirectoryEntry& entry) {
    FileStat stat;
    const int found = core_.files.stat_at(fd.get(), entry.name.c_str(), stat);
    if (found == -ENOENT) return true;
    checked(found, "list", dir + entry.name, "stat");
    if (!S_ISREG(stat.mode)) return true;
    try {
      const ObjectKey key(dir + entry.name);
      if (full_page()) return false;
      page_.objects.push_back(info_of(key, stat));
      last_ = key.text();
    } catch (const InvalidArgument&) {
      // A file that no key can name was put there by somebody else; it is no object.
    }
    return true;
  }

  // Notes where the next page begins.
  bool full_page() {
    if (page_.objects.size() + page_.prefixes.size() < limit_) return false;
    page_.next = last_;
    return true;
  }

  bool holds_object(const std::string& dir) {
    check_limits(limits_, core_.clock, "list");
    std::vector<DirectoryEntry> entries;
    const Fd fd =
        open_at(core_.files, root_, dir.substr(0, dir.size() - 1).c_str(), O_RDONLY | O_DIRECTORY);
    if (!fd.ok() || core_.files.list(fd.get(), entries) < 0) return false;
    if (std::ranges::any_of(entries, &DirectoryEntry::regular)) return true;
    return std::ranges::any_of(entries, [&](const DirectoryEntry& entry) {
      const std::string full = dir + entry.name;
      return entry.directory && !is_below_control(full) && holds_object(full + '/');
    });
  }

  static bool is_below_control(const std::string& full) {
    return full != kControl && is_reserved(full);
  }

  Core& core_;
  int root_;
  const ListRequest& request_;
  const CallLimits& limits_;
  std::size_t limit_;
  std::string last_;  // told last
  ListPage page_;
};

}  // namespace

ListPage list(Core& core, const ListRequest& request, const CallLimits& limits) {
  check_limits(limits, core.clock, "list");
  const int root = core.root_to_read("list");
  if (root < 0) return {};
  return Lister(core, root, request, limits).run();
}

}  // namespace stepstore::local
