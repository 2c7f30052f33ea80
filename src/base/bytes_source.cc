// The passes over a Source: memory, file, or function.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "base/errors.h"
#include "stepstore/source.h"

namespace stepstore {
namespace {

struct OpenFile {
  int fd;
  explicit OpenFile(int descriptor) : fd(descriptor) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() { ::close(fd); }
};

Source::Reader read_file(const std::filesystem::path& path) {
  // O_NONBLOCK: opening a FIFO that nobody writes to must not hang; regular files do not care.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) errno_error(errno, "open source", path.string(), "open").raise();
  auto file = std::make_shared<OpenFile>(fd);
  struct stat stat{};
  if (::fstat(fd, &stat) != 0) errno_error(errno, "open source", path.string(), "fstat").raise();
  if (!S_ISREG(stat.st_mode)) {
    error(ErrorCode::InvalidArgument, "open source", path.string(), "it is not a regular file",
          "Pass a reader for pipes and devices.")
        .raise();
  }
  return [file, path](std::span<std::byte> out) {
    for (;;) {
      const ssize_t got = ::read(file->fd, out.data(), out.size());
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) errno_error(errno, "read source", path.string(), "read").raise();
    }
  };
}

}  // namespace

Source Source::file(std::filesystem::path path, std::shared_ptr<const void> keep) {
  Source source{BytesView{}};
  source.path_ = std::move(path);
  source.owned_ = Bytes::adopt({}, std::move(keep));
  return source;
}

Source Source::reader(Reader read, std::optional<std::uint64_t> size) {
  Source source{BytesView{}};
  source.read_ = std::move(read);
  source.size_ = size;
  return source;
}

std::optional<std::uint64_t> Source::size() const noexcept {
  if (in_memory()) return view_.size();
  if (read_) return size_;
  std::error_code ignored;
  const std::uintmax_t size = std::filesystem::file_size(path_, ignored);
  if (ignored) return std::nullopt;
  return size;
}

Source::Reader Source::open() const {
  if (read_) return read_;
  if (!path_.empty()) return read_file(path_);
  return [rest = view_, keep = owned_](std::span<std::byte> out) mutable {
    const std::size_t size = std::min(out.size(), rest.size());
    if (size > 0) std::memcpy(out.data(), rest.data(), size);
    rest = rest.slice(size, rest.size() - size);
    return size;
  };
}

}  // namespace stepstore
