#include "store/local/reader.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>

#include "base/blocks.h"

namespace stepstore::local {
namespace {

StorageManagerError not_found(std::string_view operation, const ObjectKey& key) {
  return error(ErrorCode::NotFound, operation, key.text(), "there is no such object");
}

StorageManagerError bad_range(const ObjectKey& key, std::string message) {
  return error(ErrorCode::InvalidArgument, "get", key.text(), std::move(message));
}

struct Span {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

// The part of an object of `total` bytes that the range names.
Result<Span> cut(const ObjectKey& key, std::uint64_t total, const ObjectRange& range) {
  if (range.size == 0) return bad_range(key, "a range of no bytes cannot be read");
  std::uint64_t offset = range.offset;
  if (range.from_end) {
    if (!range.size || range.offset != 0) {
      return bad_range(key, "a range from the end needs a size, and no offset");
    }
    offset = total - std::min(total, *range.size);
  }
  if (offset >= total) {
    return bad_range(key, "the range begins at byte " + std::to_string(offset) +
                              ", and the object has " + std::to_string(total) + " bytes");
  }
  return Span{.offset = offset, .size = std::min(range.size.value_or(total), total - offset)};
}

// The directory that was opened last. Items of one directory are read through one descriptor, so
// that a reader keeps the whole step while its folder is moved away.
class LastDirectory {
 public:
  LastDirectory(Core& core, int root) : core_(core), root_(root) {}

  // The descriptor, or -errno.
  int at(const std::string& dir) {
    if (dir.empty()) return root_;
    if (!fd_ || dir != name_) {
      fd_ = open_at(core_.files, root_, dir.c_str(), O_PATH | O_DIRECTORY);
      name_ = dir;
    }
    return fd_->get();
  }

 private:
  Core& core_;
  int root_;
  std::string name_;
  std::optional<Fd> fd_;
};

bool is_nothing(int result) {
  return result == -ENOENT || result == -ENOTDIR || result == -ENAMETOOLONG;
}

void refuse_other_kinds(std::string_view operation, const ObjectKey& key, const FileStat& stat) {
  if (S_ISREG(stat.mode)) return;
  error(ErrorCode::Corrupt, operation, key.text(),
        "it is a link, a pipe or a device, which the store never makes",
        "Find out who put it there; then remove it.")
      .raise();
}

Result<Object> read_one(Core& core, LastDirectory& directory, const GetRequest& request) {
  const ObjectKey& key = request.key;
  const std::string dir = parent_of(key.text());
  const std::string name = key.text().substr(dir.empty() ? 0 : dir.size() + 1);
  const int at = directory.at(dir);
  if (is_nothing(at)) return not_found("get", key);
  checked(at, "get", key.text(), "open");
  // O_NONBLOCK: a pipe that somebody planted must not hold the reader.
  const Fd fd = open_at(core.files, at, name.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (is_nothing(fd.get())) return not_found("get", key);
  checked(fd.get(), "get", key.text(), "open");
  FileStat stat;
  checked(core.files.stat(fd.get(), stat), "get", key.text(), "stat");
  if (S_ISDIR(stat.mode)) return not_found("get", key);
  refuse_other_kinds("get", key, stat);
  if (!request.if_match.empty() && etag_of(stat) != request.if_match) {
    return error(ErrorCode::Conflict, "get", key.text(), "the object has changed");
  }
  Span span{.offset = 0, .size = stat.size};
  if (request.range) {
    const Result<Span> part = cut(key, stat.size, *request.range);
    if (!part) return part.error();
    span = part.value();
  }
  auto block = take_block(span.size);
  const std::span<std::byte> out(block.get(), span.size);
  checked(read_fully(core.files, fd.get(), out, span.offset), "get", key.text(), "read");
  return Object{.info = info_of(key, stat), .body = Bytes::adopt(BytesView(out), std::move(block))};
}

}  // namespace

std::vector<Result<Object>> get(Core& core, std::span<const GetRequest> items,
                                const CallLimits& limits) {
  std::vector<Result<Object>> outcomes;
  outcomes.reserve(items.size());
  const int root = core.root_to_read("get");
  LastDirectory directory(core, root);
  for (const GetRequest& request : items) {
    outcomes.push_back(item<Object>("get", request.key.text(), [&]() -> Result<Object> {
      check_limits(limits, core.clock, "get");
      if (root < 0 || is_reserved(request.key.text())) return not_found("get", request.key);
      return read_one(core, directory, request);
    }));
  }
  return outcomes;
}

std::vector<Result<ObjectInfo>> head(Core& core, std::span<const ObjectKey> keys,
                                     const CallLimits& limits) {
  std::vector<Result<ObjectInfo>> outcomes;
  outcomes.reserve(keys.size());
  const int root = core.root_to_read("head");
  for (const ObjectKey& key : keys) {
    outcomes.push_back(item<ObjectInfo>("head", key.text(), [&]() -> Result<ObjectInfo> {
      check_limits(limits, core.clock, "head");
      if (root < 0 || is_reserved(key.text())) return not_found("head", key);
      FileStat stat;
      const int found = core.files.stat_at(root, key.text().c_str(), stat);
      if (is_nothing(found) || (found == 0 && S_ISDIR(stat.mode))) return not_found("head", key);
      checked(found, "head", key.text(), "stat");
      refuse_other_kinds("head", key, stat);
      return info_of(key, stat);
    }));
  }
  return outcomes;
}

}  // namespace stepstore::local
