#include "bare.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

namespace bench {
namespace {

void require(bool done, const std::string& what) {
  if (!done) throw std::system_error(errno, std::generic_category(), what);
}

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags)
      : path_(path), fd_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {
    require(fd_ >= 0, path_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { ::close(fd_); }

  int fd() const { return fd_; }
  void sync() const { require(::fsync(fd_) == 0, path_); }

 private:
  std::string path_;
  int fd_;
};

void write_file(const std::string& path, std::string_view bytes, bool durable) {
  const Descriptor file(path, O_WRONLY | O_CREAT | O_EXCL);
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.fd(), bytes.data(), bytes.size());
    require(written > 0, path);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  if (durable) file.sync();
}

}  // namespace

void write_bare(const std::string& parent, const std::string& name, const Files& files,
                bool durable) {
  const std::string made = parent + "/.new";
  require(::mkdir(made.c_str(), 0700) == 0, made);
  for (const File& file : files) write_file(made + "/" + file.name, file.bytes, durable);
  if (durable) Descriptor(made, O_RDONLY | O_DIRECTORY).sync();
  require(std::rename(made.c_str(), (parent + "/" + name).c_str()) == 0, parent + "/" + name);
  if (durable) Descriptor(parent, O_RDONLY | O_DIRECTORY).sync();
}

std::size_t read_bare(const std::string& folder, const Files& names) {
  std::size_t total = 0;
  for (const File& name : names) {
    const std::string path = folder + "/" + name.name;
    const Descriptor file(path, O_RDONLY);
    struct stat about{};
    require(::fstat(file.fd(), &about) == 0, path);
    std::string bytes(static_cast<std::size_t>(about.st_size), '\0');
    std::size_t have = 0;
    while (have < bytes.size()) {
      const ssize_t got = ::read(file.fd(), bytes.data() + have, bytes.size() - have);
      require(got > 0, path);
      have += static_cast<std::size_t>(got);
    }
    total += have;
  }
  return total;
}

}  // namespace bench
