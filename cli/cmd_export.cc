// export: sessions into folders.
#include "commands.h"
#include "json_out.h"
#include "text.h"
#include "tree_export.h"

namespace stepstore::cli {
namespace {

void print(Context& context, const ExportSummary& summary, const std::string& dir) {
  const double rate =
      summary.seconds > 0 ? static_cast<double>(summary.bytes) / summary.seconds : 0;
  if (context.options.json) {
    context.out.line(json_line({{"event", "summary"},
                                {"dir", dir},
                                {"sessions", summary.sessions},
                                {"written", summary.written},
                                {"unchanged", summary.unchanged},
                                {"failed", summary.failed},
                                {"bytes", summary.bytes},
                                {"seconds", summary.seconds},
                                {"bytes_per_second", rate}}));
    return;
  }
  if (context.options.quiet) return;
  context.out.line("exported " + shown_count(summary.sessions, "session", "sessions") + " to " +
                   shown(dir) + ": " + shown_count(summary.written, "step", "steps") +
                   " written, " + std::to_string(summary.unchanged) + " unchanged, " +
                   std::to_string(summary.failed) + " failed; " + shown_size(summary.bytes) +
                   " in " + shown_seconds(summary.seconds) + " (" +
                   shown_size(static_cast<std::uint64_t>(rate)) + "/s)");
}

}  // namespace

ExitCode run_export(Context& context, const ExportArgs& args) {
  std::vector<std::string> sessions = args.names;
  const std::string dir = sessions.back();
  sessions.pop_back();
  if (args.all != sessions.empty()) {
    throw UsageError(args.all ? "--all and sessions exclude each other" : "no session was named",
                     "Give `export STORE SESSION... DIR` or `export --all STORE DIR`.");
  }
  StorageManager store(args.store, {.concurrency = args.jobs});
  const ExportSummary summary = export_trees(context, store, args, sessions, dir);
  print(context, summary, dir);
  return summary.exit;
}

}  // namespace stepstore::cli
