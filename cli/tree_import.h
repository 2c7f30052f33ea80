// Imports recordings that lie in folders.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "commands.h"
#include "context.h"

namespace stepstore::cli {

struct ImportSummary {
  std::uint64_t sessions = 0;
  std::uint64_t stored = 0;
  std::uint64_t unchanged = 0;  // there already with the same bytes
  std::uint64_t failed = 0;
  std::uint64_t ignored = 0;  // files and folders that were left alone
  std::uint64_t bytes = 0;    // of the steps that were stored
  double seconds = 0;
  ExitCode exit = ExitCode::ok;
};

// Stores every step it finds. A step that fails is reported and the next one is taken, unless the
// store as a whole refuses. Throws only what concerns the whole import.
ImportSummary import_trees(Context& context, StorageManager& store, const ImportArgs& args);

}  // namespace stepstore::cli
