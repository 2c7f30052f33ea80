// The command line: which command, with what.
#pragma once

#include <functional>
#include <memory>

#include "commands.h"

namespace CLI {  // NOLINT(readability-identifier-naming): it is not ours to name
class App;
}

namespace stepstore::cli {

using Action = std::function<ExitCode(Context&)>;

class CommandLine {
 public:
  CommandLine();
  ~CommandLine();

  // What to do. Throws UsageError. `--help` and the like are actions too.
  Action parse(int argc, const char* const* argv);
  // As far as the command line was understood, also after UsageError.
  const GlobalOptions& options() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Each adds its commands to `app`; when one of them was given, `chosen` becomes its work.
void add_step_commands(CLI::App& app, GlobalOptions& options, Action& chosen);
void add_tree_commands(CLI::App& app, GlobalOptions& options, Action& chosen);
void add_store_commands(CLI::App& app, GlobalOptions& options, Action& chosen);
// The options that every command has.
void add_global_options(CLI::App& app, GlobalOptions& options);

}  // namespace stepstore::cli
