// import: recordings that lie in folders.
#include "commands.h"
#include "json_out.h"
#include "text.h"
#include "tree_import.h"

namespace stepstore::cli {
namespace {

void print(Context& context, const ImportSummary& summary) {
  const double rate =
      summary.seconds > 0 ? static_cast<double>(summary.bytes) / summary.seconds : 0;
  if (context.options.json) {
    context.out.line(json_line({{"event", "summary"},
                                {"sessions", summary.sessions},
                                {"stored", summary.stored},
                                {"unchanged", summary.unchanged},
                                {"failed", summary.failed},
                                {"ignored", summary.ignored},
                                {"bytes", summary.bytes},
                                {"seconds", summary.seconds},
                                {"bytes_per_second", rate}}));
    return;
  }
  if (context.options.quiet) return;
  std::string line = "imported " + shown_count(summary.sessions, "session", "sessions") + ": " +
                     shown_count(summary.stored, "step", "steps") + " stored, " +
                     std::to_string(summary.unchanged) + " unchanged, " +
                     std::to_string(summary.failed) + " failed";
  if (summary.ignored > 0) {
    line +=
        ", " + shown_count(summary.ignored, "file or folder", "files and folders") + " left alone";
  }
  line += "; " + shown_size(summary.bytes) + " in " + shown_seconds(summary.seconds) + " (" +
          shown_size(static_cast<std::uint64_t>(rate)) + "/s)";
  context.out.line(line);
}

}  // namespace

ExitCode run_import(Context& context, const ImportArgs& args) {
  if (args.session && args.dirs.size() != 1) {
    throw UsageError("--session is for one folder", "Import the folders one by one.");
  }
  StorageManager store(args.store, {.concurrency = args.jobs});
  const ImportSummary summary = import_trees(context, store, args);
  print(context, summary);
  return summary.exit;
}

}  // namespace stepstore::cli
