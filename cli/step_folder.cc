#include "step_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "file_names.h"

namespace stepstore::cli {
namespace {

constexpr int kOpenFolder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

bool same_folder(int parent, const std::string& name, std::span<const FolderFile> files) {
  const auto names = names_in(parent, name);
  if (!names || !std::ranges::equal(*names, files, {}, {}, &FolderFile::name)) return false;
  const Fd folder(::openat(parent, name.c_str(), kOpenFolder));
  return folder.ok() && std::ranges::all_of(files, [&](const FolderFile& file) {
           return has_bytes(folder.get(), file.name, file.bytes.text());
         });
}

// Makes the temporary folder and locks it, which tells remove_leftovers() that somebody is at work
// in it. Nothing: such a sweep of another process was quicker than the lock; try another name.
std::optional<Fd> make_locked(const Folder& parent, const std::string& name) {
  if (::mkdirat(parent.fd(), name.c_str(), 0777) != 0) {
    throw file_error(errno, "make a folder in", parent.path());
  }
  Fd folder(::openat(parent.fd(), name.c_str(), kOpenFolder));
  if (!folder.ok() && errno != ENOENT) throw file_error(errno, "open a folder in", parent.path());
  struct stat status{};
  if (!folder.ok() || ::flock(folder.get(), LOCK_EX | LOCK_NB) != 0 ||
      ::fstat(folder.get(), &status) != 0 || status.st_nlink == 0) {
    return std::nullopt;
  }
  return folder;
}

}  // namespace

std::vector<FolderFile> files_of(const Step& step) {
  std::vector<FolderFile> files;
  for (const ComponentInfo& info : step.info().components) {
    if (info.name == "metadata") continue;  // a large one; metadata() has it
    std::string name = component_file_name(info.name);
    if (info.name == "html") name = "observation.html";
    if (info.name == "action") name = "action.json";
    if (info.name == "screenshot") {
      const std::size_t dot = info.path.rfind('.');
      name = "screenshot" + (dot == info.path.npos ? ".png" : info.path.substr(dot));
    }
    files.push_back({std::move(name), step.component(info.name)});
  }
  if (const auto metadata = step.metadata()) files.push_back({"metadata.json", *metadata});
  std::ranges::sort(files, {}, &FolderFile::name);
  return files;
}

Written write_step_folder(const Folder& parent, const std::string& name,
                          std::span<const FolderFile> files, bool force) {
  if (same_folder(parent.fd(), name, files)) return Written::unchanged;
  if (!force && ::faccessat(parent.fd(), name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
    throw in_the_way(parent.path_of(name));
  }
  while (true) {
    Temporary temporary(parent);
    const auto folder = make_locked(parent, temporary.name());
    if (!folder) continue;
    for (const FolderFile& file : files) {
      write_new(folder->get(), file.name, file.bytes.view(),
                parent.path_of(name) + "/" + file.name);
    }
    return temporary.publish(name, force);
  }
}

}  // namespace stepstore::cli
