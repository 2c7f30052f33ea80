// What stands between Files and whoever keeps something in them: owned descriptors, retries after
// signals, whole reads and writes.
#pragma once

#include <cerrno>
#include <span>
#include <utility>

#include "base/files.h"
#include "stepstore/bytes.h"

namespace stepstore {

template <class Call>
auto uninterrupted(Call&& call) {
  while (true) {
    const auto result = call();
    if (result != -EINTR) return result;
  }
}

class Fd {
 public:
  Fd() = default;
  Fd(Files& files, int fd) : files_(&files), fd_(fd) {}
  Fd(Fd&& other) noexcept : files_(other.files_), fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(files_, other.files_);
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() { (void)close(); }

  int get() const { return fd_; }  // or the -errno of the open that failed
  bool ok() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  // Linux frees the descriptor also when close is interrupted, so it is never called again.
  int close() {
    const int fd = std::exchange(fd_, -1);
    const int result = fd < 0 ? 0 : files_->close(fd);
    return result == -EINTR ? 0 : result;
  }

 private:
  Files* files_ = nullptr;
  int fd_ = -1;
};

inline Fd open_at(Files& files, int dir, const char* path, int flags, unsigned mode = 0) {
  return {files, uninterrupted([&] { return files.open(dir, path, flags, mode); })};
}

// 0 or -errno.
inline int write_fully(Files& files, int fd, BytesView bytes) {
  while (!bytes.empty()) {
    const ssize_t written =
        uninterrupted([&] { return files.write(fd, bytes.data(), bytes.size()); });
    if (written < 0) return static_cast<int>(written);
    if (written == 0) return -EIO;
    const auto size = static_cast<std::size_t>(written);
    bytes = bytes.slice(size, bytes.size() - size);
  }
  return 0;
}

// 0 or -errno; -EIO when the file ends before the bytes are there.
inline int read_fully(Files& files, int fd, std::span<std::byte> out, std::uint64_t offset) {
  while (!out.empty()) {
    const ssize_t got =
        uninterrupted([&] { return files.read_at(fd, out.data(), out.size(), offset); });
    if (got < 0) return static_cast<int>(got);
    if (got == 0) return -EIO;
    out = out.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return 0;
}

}  // namespace stepstore
