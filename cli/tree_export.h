// Exports sessions into folders.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "commands.h"
#include "context.h"

namespace stepstore::cli {

struct ExportSummary {
  std::uint64_t sessions = 0;
  std::uint64_t written = 0;
  std::uint64_t unchanged = 0;  // these very files lay there already
  std::uint64_t failed = 0;
  std::uint64_t bytes = 0;
  double seconds = 0;
  ExitCode exit = ExitCode::ok;
};

// Writes DIR/<session>/<step>/... for the sessions, or for all of the store. A step that cannot be
// written is reported and the next one is taken, unless the disk is full.
ExportSummary export_trees(Context& context, StorageManager& store, const ExportArgs& args,
                           const std::vector<std::string>& sessions, const std::string& dir);

}  // namespace stepstore::cli
