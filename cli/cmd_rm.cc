// rm: steps of a session, or all of it.
#include <unistd.h>

#include "commands.h"
#include "json_out.h"
#include "pages.h"
#include "text.h"

namespace stepstore::cli {
namespace {

void report(Context& context, const RmArgs& args, const std::string* step,
            const DeleteResult& result) {
  if (context.options.json) {
    Json line = {{"session", args.session}};
    if (step != nullptr) line["step"] = *step;
    line.update({{"steps", result.steps}, {"objects", result.objects}});
    context.out.line(json_line(line));
    return;
  }
  if (context.options.quiet) return;
  std::string what = shown_id(args.session);
  if (step != nullptr) what += " " + shown_id(*step);
  if (result.steps == 0 && result.objects == 0) {
    context.out.line("nothing to delete: " + what);
  } else {
    context.out.line("deleted " + what + " (" + shown_count(result.steps, "step", "steps") + ", " +
                     shown_count(result.objects, "object", "objects") + ")");
  }
}

// One line from the terminal; empty after ctrl-C or at its end.
std::string answer(const Context& context) {
  std::string line;
  char c = 0;
  while (context.interrupt.wait_readable(STDIN_FILENO) && ::read(STDIN_FILENO, &c, 1) == 1) {
    if (c == '\n') break;
    line += c;
  }
  return line;
}

// Asks on a terminal; elsewhere --recursive has to say it.
bool confirmed(Context& context, StorageManager& store, const RmArgs& args) {
  if (args.recursive || args.yes) return true;
  if (::isatty(STDIN_FILENO) != 1 || !context.messages.is_terminal()) {
    throw UsageError("all steps of the session would be deleted",
                     "Give --recursive to delete them, or name the steps.");
  }
  const std::uint64_t steps = count_steps(context, store, args.session, false);
  context.messages.status("Delete session " + shown_id(args.session) + " with " +
                          shown_count(steps, "step", "steps") + "? [y/N] ");
  const std::string said = answer(context);
  context.messages.status({});
  if (context.interrupt.requested()) throw CliError(ExitCode::interrupted, "interrupted");
  return said == "y" || said == "Y" || said == "yes";
}

ExitCode remove_steps(Context& context, StorageManager& store, const RmArgs& args) {
  Outcomes outcomes;
  for (const std::string& step : args.steps) {
    try {
      report(context, args, &step, store.delete_step(args.session, step, {context.call()}));
      outcomes.succeeded();
    } catch (const Cancelled&) {
      throw;
    } catch (const StorageManagerError& error) {
      context.tell(told(error));
      outcomes.failed(exit_code_of(error.code()));
    }
  }
  return outcomes.exit_code();
}

}  // namespace

ExitCode run_rm(Context& context, const RmArgs& args) {
  StorageManager store(args.store);
  if (!args.steps.empty()) return remove_steps(context, store, args);
  if (!confirmed(context, store, args)) {
    context.note("nothing was deleted");
    return ExitCode::ok;
  }
  report(context, args, nullptr, store.delete_session(args.session, {context.long_call()}));
  return ExitCode::ok;
}

}  // namespace stepstore::cli
