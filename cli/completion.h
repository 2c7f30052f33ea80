// Completion scripts, made from the parser, so that they never lag behind it.
#pragma once

#include <string>

namespace CLI {  // NOLINT(readability-identifier-naming): it is not ours to name
class App;
}

namespace stepstore::cli {

// `shell`: bash, zsh or fish; throws UsageError for another.
std::string completion_script(const CLI::App& app, const std::string& shell);

}  // namespace stepstore::cli
