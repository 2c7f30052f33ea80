#include "folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <random>
#include <utility>

namespace stepstore::cli {
namespace {

constexpr std::string_view kTemporary = ".stepstore-tmp-";
constexpr int kOpenFolder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

std::string temporary_name() {
  static std::random_device device;
  const std::uint64_t number = (std::uint64_t{device()} << 32U) | device();
  return std::string(kTemporary) + std::to_string(number);
}

void write_all(int fd, std::string_view rest, const std::string& shown_path) {
  while (!rest.empty()) {
    const ssize_t done = ::write(fd, rest.data(), rest.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) throw file_error(errno, "write", shown_path);
    rest.remove_prefix(static_cast<std::size_t>(done));
  }
}

// Removes a file or a folder with all that is in it; links are removed, never followed. What cannot
// be removed stays.
void remove_tree(int parent, const std::string& name) noexcept {
  if (::unlinkat(parent, name.c_str(), 0) == 0) return;
  if (const auto names = names_in(parent, name)) {
    const Fd folder(::openat(parent, name.c_str(), kOpenFolder));
    for (const std::string& entry : *names) remove_tree(folder.get(), entry);
  }
  ::unlinkat(parent, name.c_str(), AT_REMOVEDIR);
}

}  // namespace

Fd::Fd(Fd&& other) noexcept : fd_(other.release()) {}
Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}
int Fd::release() noexcept { return std::exchange(fd_, -1); }

Folder Folder::open(const std::string& path, bool create) {
  std::error_code failed;
  if (create) std::filesystem::create_directories(path, failed);
  Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.ok()) throw file_error(failed ? failed.value() : errno, "open the folder", path);
  return {std::move(fd), path};
}

Folder Folder::child(const std::string& name) const {
  if (::mkdirat(fd_.get(), name.c_str(), 0777) != 0 && errno != EEXIST) {
    throw file_error(errno, "make the folder", path_of(name));
  }
  Fd fd(::openat(fd_.get(), name.c_str(), kOpenFolder));
  if (!fd.ok()) throw file_error(errno, "open the folder", path_of(name));
  return {std::move(fd), path_of(name)};
}

Temporary::Temporary(const Folder& parent) : parent_(parent), name_(temporary_name()) {}

Temporary::~Temporary() {
  if (!name_.empty()) remove_tree(parent_.fd(), name_);
}

Written Temporary::publish(const std::string& name, bool force) {
  const auto rename = [&](unsigned flags) {
    const int done = ::renameat2(parent_.fd(), name_.c_str(), parent_.fd(), name.c_str(), flags);
    return done == 0 ? 0 : errno;
  };
  int failed = rename(RENAME_NOREPLACE);
  if (failed == 0) {
    name_.clear();
    return Written::created;
  }
  if (failed == EEXIST && !force) throw in_the_way(parent_.path_of(name));
  // The old one takes the temporary name, and is removed under it.
  if (failed == EEXIST) failed = rename(RENAME_EXCHANGE);
  if (failed != 0) throw file_error(failed, "rename to", parent_.path_of(name));
  return Written::replaced;
}

void write_new(int folder_fd, const std::string& name, BytesView bytes,
               const std::string& shown_path) {
  const Fd file(::openat(folder_fd, name.c_str(),
                         O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
  if (!file.ok()) throw file_error(errno, "create", shown_path);
  write_all(file.get(), bytes.text(), shown_path);
}

bool has_bytes(int folder_fd, const std::string& name, std::string_view wanted) {
  const Fd file(::openat(folder_fd, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status{};
  if (!file.ok() || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
      static_cast<std::size_t>(status.st_size) != wanted.size()) {
    return false;
  }
  std::string buffer(std::size_t{1} << 16U, '\0');
  while (true) {
    const ssize_t done = ::read(file.get(), buffer.data(), buffer.size());
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return done == 0 && wanted.empty();
    const auto size = static_cast<std::size_t>(done);
    if (wanted.substr(0, size) != std::string_view(buffer.data(), size)) return false;
    wanted.remove_prefix(size);
  }
}

std::optional<std::vector<std::string>> names_in(int parent_fd, const std::string& name) {
  Fd fd(::openat(parent_fd, name.c_str(), kOpenFolder));
  if (!fd.ok()) return std::nullopt;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::fdopendir(fd.get()), &::closedir);
  if (!folder) return std::nullopt;
  fd.release();
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string_view found = entry->d_name;
    if (found != "." && found != "..") names.emplace_back(found);
  }
  std::ranges::sort(names);
  return names;
}

CliError in_the_way(const std::string& path) {
  return {ExitCode::already_exists, path + " is there already and differs",
          "Move it away, or give --force to replace it."};
}

Written write_file(const std::string& path, BytesView bytes, bool force) {
  struct stat status{};
  if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!file.ok()) throw file_error(errno, "write", path);
    write_all(file.get(), bytes.text(), path);
    return Written::replaced;
  }
  const std::filesystem::path whole(path);
  const Folder parent =
      Folder::open(whole.has_parent_path() ? whole.parent_path().string() : ".", false);
  const std::string name = whole.filename().string();
  if (has_bytes(parent.fd(), name, bytes.text())) return Written::unchanged;
  Temporary temporary(parent);
  write_new(parent.fd(), temporary.name(), bytes, path);
  return temporary.publish(name, force);
}

bool is_leftover(std::string_view name) { return name.starts_with(kTemporary); }

void remove_leftovers(const Folder& parent) {
  const auto names = names_in(parent.fd(), ".");
  if (!names) return;
  for (const std::string& name : *names) {
    if (!is_leftover(name)) continue;
    const Fd folder(::openat(parent.fd(), name.c_str(), kOpenFolder));
    if (folder.ok() && ::flock(folder.get(), LOCK_EX | LOCK_NB) == 0) {
      remove_tree(parent.fd(), name);
    }
  }
}

}  // namespace stepstore::cli
