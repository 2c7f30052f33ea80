// Finds the sessions and steps of a recording that lies in folders, for `import`.
//
// Only names are kept, and only of one session at a time. Symbolic links, devices and the like are
// reported, never followed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace stepstore::cli {

// Called for everything that is left alone: its path and why.
using Skipped = std::function<void(const std::string& path, const std::string& reason)>;

struct SessionFolder {
  std::string path;
  std::string session_id;
};

// The sessions that `dir` is or holds, in the order of their folders' names. With `session` it is
// one session, of that id. Throws CliError: `dir` is no folder, holds no steps, or is a store.
std::vector<SessionFolder> find_sessions(std::string dir, const std::optional<std::string>& session,
                                         const Skipped& skipped);

// The names of the folders of the session's steps, sorted.
std::vector<std::string> find_steps(const std::string& session_path, const Skipped& skipped);

struct StepFiles {
  std::optional<std::string> html, screenshot, action, metadata;  // paths
  std::vector<std::pair<std::string, std::string>> components;    // name, path
  std::uint64_t bytes = 0;
  bool empty() const { return !html && !screenshot && !action && !metadata && components.empty(); }
};

// The files of one step. Throws CliError when two files stand for the same component.
StepFiles find_files(const std::string& step_path, const Skipped& skipped);

// The id that a folder stands for. Throws CliError when its neighbour stands for the same one.
std::string id_of_folder_in(const std::string& parent, const std::string& name);

}  // namespace stepstore::cli
