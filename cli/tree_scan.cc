#include "tree_scan.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>

#include "errors.h"
#include "file_names.h"
#include "folder.h"

namespace fs = std::filesystem;

namespace stepstore::cli {
namespace {

std::string joined(const std::string& folder, const std::string& name) {
  return folder.ends_with('/') ? folder + name : folder + "/" + name;
}

struct Entry {
  std::string name;
  std::string path;
  fs::file_type type = fs::file_type::unknown;
  std::uint64_t size = 0;
};

// The entries of a folder, in the order of their names. Throws CliError when it cannot be read.
std::vector<Entry> entries_of(const std::string& folder) {
  std::error_code failed;
  std::vector<Entry> entries;
  fs::directory_iterator it(folder, failed);
  for (; !failed && it != fs::directory_iterator(); it.increment(failed)) {
    std::error_code gone;  // what vanishes meanwhile has no type, and is reported as such
    Entry entry{it->path().filename().string(), joined(folder, it->path().filename().string()),
                it->symlink_status(gone).type(), 0};
    entries.push_back(std::move(entry));
  }
  if (failed) throw file_error(failed.value(), "read the folder", folder);
  std::ranges::sort(entries, {}, &Entry::name);
  return entries;
}

std::string kind_of(fs::file_type type) {
  switch (type) {
    case fs::file_type::symlink:
      return "a symbolic link";
    case fs::file_type::directory:
      return "a folder inside a step";
    case fs::file_type::fifo:
      return "a pipe";
    case fs::file_type::socket:
      return "a socket";
    case fs::file_type::block:
    case fs::file_type::character:
      return "a device";
    default:
      return "not a file";
  }
}

bool is_folder(const Entry& entry) { return entry.type == fs::file_type::directory; }
bool is_hidden(const Entry& entry) { return entry.name.starts_with('.'); }

// How a folder looks from above.
struct Look {
  bool step_files = false;  // it has observation.html or another of the usual files
  bool any_files = false;
  std::vector<std::string> folders;
};

Look look_at(const std::string& path) {
  Look look;
  for (const Entry& entry : entries_of(path)) {
    if (is_folder(entry) && !is_hidden(entry)) look.folders.push_back(entry.path);
    if (entry.type != fs::file_type::regular) continue;
    look.any_files = true;
    if (role_of_file(entry.name) != FileRole::component) look.step_files = true;
  }
  return look;
}

enum class Shape { sessions, session, step, nothing };

// Usual files two folders down make a folder of sessions, even where a session has a metadata.json
// of its own beside its steps. Without any usual file, the depth of any files decides.
Shape shape_of(const std::string& dir) {
  const Look top = look_at(dir);
  bool usual_below = false;
  bool files_below = false;
  bool files_two_below = false;
  for (const std::string& folder : top.folders) {
    const Look below = look_at(folder);
    usual_below = usual_below || below.step_files;
    files_below = files_below || below.any_files;
    for (const std::string& inner : below.folders) {
      const Look deepest = look_at(inner);
      if (deepest.step_files) return Shape::sessions;
      files_two_below = files_two_below || deepest.any_files;
    }
  }
  if (usual_below) return Shape::session;
  if (files_two_below) return Shape::sessions;
  if (files_below) return Shape::session;
  return top.step_files ? Shape::step : Shape::nothing;
}

void refuse_store(const std::string& dir) {
  std::error_code absent;
  if (fs::symlink_status(joined(dir, ".stepstore"), absent).type() == fs::file_type::directory) {
    throw CliError(
        ExitCode::invalid_data, dir + " is a store of stepstore, not a recording",
        "Take the recording out with `stepstore export --all " + dir + " FOLDER` and import that.");
  }
}

// The last name of the path, "." and ".." resolved.
std::string name_of_folder(const std::string& dir) {
  std::error_code failed;
  const fs::path whole = fs::canonical(dir, failed);
  const std::string name = whole.filename().string();
  if (failed || name.empty()) {
    throw UsageError(dir + " has no name that a session could have", "Give --session NAME.");
  }
  return name;
}

}  // namespace

std::vector<SessionFolder> find_sessions(std::string dir, const std::optional<std::string>& session,
                                         const Skipped& skipped) {
  while (dir.size() > 1 && dir.ends_with('/')) dir.pop_back();
  struct stat status{};
  if (::stat(dir.c_str(), &status) != 0) throw file_error(errno, "open the folder", dir);
  if (!S_ISDIR(status.st_mode)) throw file_error(ENOTDIR, "open the folder", dir);
  refuse_store(dir);
  if (session) return {{dir, *session}};
  const Shape shape = shape_of(dir);
  if (shape == Shape::step) {
    throw CliError(ExitCode::invalid_data, dir + " is the folder of one step",
                   "Give the folder of its session, or store the step with `stepstore put`.");
  }
  if (shape == Shape::nothing) {
    throw CliError(ExitCode::not_found, "there are no steps in " + dir,
                   "Expected are folders like " + joined(dir, "STEP/observation.html") + " or " +
                       joined(dir, "SESSION/STEP/observation.html") + ".");
  }
  if (shape == Shape::session) {
    return {{dir, id_of_folder(name_of_folder(dir))}};
  }
  std::vector<SessionFolder> sessions;
  for (const Entry& entry : entries_of(dir)) {
    if (!is_folder(entry)) {
      skipped(entry.path, "it lies beside the session folders");
    } else if (is_hidden(entry)) {
      skipped(entry.path, "a hidden folder");
    } else {
      sessions.push_back({entry.path, id_of_folder_in(dir, entry.name)});
    }
  }
  return sessions;
}

std::vector<std::string> find_steps(const std::string& session_path, const Skipped& skipped) {
  std::vector<std::string> steps;
  for (Entry& entry : entries_of(session_path)) {
    if (entry.type == fs::file_type::symlink) {
      skipped(entry.path, kind_of(entry.type));
    } else if (!is_folder(entry)) {
      skipped(entry.path, "it lies beside the step folders");
    } else if (is_hidden(entry)) {
      skipped(entry.path, "a hidden folder");
    } else {
      steps.push_back(std::move(entry.name));
    }
  }
  return steps;
}

StepFiles find_files(const std::string& step_path, const Skipped& skipped) {
  StepFiles files;
  std::set<std::string> names;
  const auto add_component = [&](const Entry& entry) {
    std::string name = component_of_file(entry.name);
    if (!names.insert(name).second) {
      throw CliError(
          ExitCode::invalid_data,
          entry.path + ": another file of this step has the same name when it is decoded",
          "Rename one of them.");
    }
    files.components.emplace_back(std::move(name), entry.path);
  };
  std::vector<Entry> screenshots;
  for (const Entry& entry : entries_of(step_path)) {
    if (entry.type != fs::file_type::regular) {
      skipped(entry.path, kind_of(entry.type));
      continue;
    }
    std::error_code gone;
    const std::uint64_t size = fs::file_size(entry.path, gone);
    files.bytes += gone ? 0 : size;
    const FileRole role = role_of_file(entry.name);
    if (role == FileRole::html) {
      files.html = entry.path;
    } else if (role == FileRole::action) {
      files.action = entry.path;
    } else if (role == FileRole::metadata) {
      files.metadata = entry.path;
    } else if (role == FileRole::screenshot) {
      screenshots.push_back(entry);
    } else {
      add_component(entry);
    }
  }
  // Of several, the best one is the screenshot; the others keep their names.
  std::ranges::sort(screenshots, {}, [](const Entry& e) { return screenshot_rank(e.name); });
  for (const Entry& entry : screenshots) {
    if (files.screenshot) {
      add_component(entry);
    } else {
      files.screenshot = entry.path;
    }
  }
  return files;
}

std::string id_of_folder_in(const std::string& parent, const std::string& name) {
  std::string id = id_of_folder(name);
  const std::string usual = folder_name(id);
  struct stat status{};
  if (usual != name && ::lstat(joined(parent, usual).c_str(), &status) == 0) {
    throw CliError(ExitCode::invalid_data,
                   joined(parent, name) + ": the folder " + usual + " beside it has the same id",
                   "Rename one of them.");
  }
  return id;
}

}  // namespace stepstore::cli
