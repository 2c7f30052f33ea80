#include "manager/temporary_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "base/errors.h"

namespace stepstore {

struct TemporaryFile::Descriptor {
  int fd = -1;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

TemporaryFile::TemporaryFile() : descriptor_(std::make_shared<Descriptor>()) {
  const std::string folder = std::filesystem::temp_directory_path().string();
  descriptor_->fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor_->fd < 0) {
    errno_error(errno, "buffer a reader", folder, "open a temporary file").raise();
  }
}

void TemporaryFile::append(BytesView bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::write(descriptor_->fd, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) errno_error(errno, "buffer a reader", "", "write to a temporary file").raise();
    bytes =
        bytes.slice(static_cast<std::size_t>(done), bytes.size() - static_cast<std::size_t>(done));
  }
}

Source TemporaryFile::to_source() && {
  // The file stays reachable by its descriptor, and every pass opens it anew, so passes do not
  // disturb each other.
  const std::string path = "/proc/self/fd/" + std::to_string(descriptor_->fd);
  return Source::file(path, std::move(descriptor_));
}

}  // namespace stepstore
