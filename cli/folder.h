// Folders and files that the command writes: each appears whole, and nothing is overwritten
// unasked.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "errors.h"
#include "stepstore/bytes.h"

namespace stepstore::cli {

// Closes its descriptor.
class Fd {
 public:
  explicit Fd(int fd) noexcept : fd_(fd) {}
  Fd(Fd&& other) noexcept;
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  Fd& operator=(Fd&&) = delete;
  ~Fd();
  int get() const noexcept { return fd_; }
  bool ok() const noexcept { return fd_ >= 0; }
  int release() noexcept;

 private:
  int fd_;
};

// An open folder, so that what is written stays in it though its path be moved meanwhile.
class Folder {
 public:
  // Opens the folder; with `create` it and those above it are made where they do not exist.
  static Folder open(const std::string& path, bool create);
  // The folder `name` in this one, made where it does not exist; a symbolic link is refused.
  Folder child(const std::string& name) const;

  int fd() const noexcept { return fd_.get(); }
  const std::string& path() const noexcept { return path_; }
  std::string path_of(const std::string& name) const { return path_ + "/" + name; }

 private:
  Folder(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Fd fd_;
  std::string path_;
};

enum class Written {
  created,
  replaced,   // `force`, and something else lay there
  unchanged,  // the same lay there already
};

// An entry under a name of its own, which is taken away again unless it was published.
class Temporary {
 public:
  explicit Temporary(const Folder& parent);
  ~Temporary();
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

  const std::string& name() const noexcept { return name_; }
  // Gives it its real name. Something lies there: CliError already_exists, or with `force` that is
  // removed after the exchange.
  Written publish(const std::string& name, bool force);

 private:
  const Folder& parent_;
  std::string name_;
};

// Makes a new file in the folder; `shown_path` is for messages.
void write_new(int folder_fd, const std::string& name, BytesView bytes,
               const std::string& shown_path);
// True when `name` is a regular file with exactly these bytes.
bool has_bytes(int folder_fd, const std::string& name, std::string_view wanted);
// The names in a folder, sorted; nothing when there is no such folder.
std::optional<std::vector<std::string>> names_in(int parent_fd, const std::string& name);
CliError in_the_way(const std::string& path);

// Writes one file whole or not at all. A device or pipe is written to as it is.
Written write_file(const std::string& path, BytesView bytes, bool force);

// Removes what a killed command left in the folder. What a running one is at work on stays.
void remove_leftovers(const Folder& parent);
// True for the names that Temporary makes.
bool is_leftover(std::string_view name);

}  // namespace stepstore::cli
