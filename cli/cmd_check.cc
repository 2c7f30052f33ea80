// check: looks for damage.
#include "commands.h"
#include "json_out.h"
#include "text.h"

namespace stepstore::cli {
namespace {

void print_json(Context& context, const CheckReport& report) {
  Json line = {{"healthy", report.healthy()},
               {"sessions", report.sessions},
               {"steps", report.steps},
               {"legacy_steps", report.legacy_steps},
               {"components", report.components},
               {"bytes", report.bytes},
               {"data_verified", report.data_verified},
               {"findings", Json::array()}};
  for (const Finding& finding : report.findings) line["findings"].push_back(json_of(finding));
  context.out.line(json_line(line));
}

void print_text(Context& context, const CheckReport& report) {
  for (const Finding& finding : report.findings) {
    context.out.line(left(std::string(name_of(finding.kind)), 10) + "  " + shown(finding.key) +
                     ": " + shown(finding.message));
  }
  if (context.options.quiet) return;
  std::string line = shown_count(report.sessions, "session", "sessions") + ", " +
                     shown_count(report.steps, "step", "steps") + ", " +
                     shown_count(report.components, "component", "components") + ", " +
                     shown_size(report.bytes);
  if (report.legacy_steps > 0) {
    line += "; " + shown_count(report.legacy_steps, "legacy step", "legacy steps");
  }
  line += report.data_verified ? "; every checksum was compared"
                               : "; checksums were not compared (give --data)";
  context.out.line(line);
  std::string verdict = report.healthy() ? "healthy" : "DAMAGED";
  if (context.out.is_terminal() && wants_colour(1)) {
    verdict = (report.healthy() ? "\x1b[32m" : "\x1b[1;31m") + verdict + "\x1b[0m";
  }
  context.out.line(verdict);
}

}  // namespace

ExitCode run_check(Context& context, const CheckArgs& args) {
  StorageManager store(args.store);
  const CheckReport report =
      store.check({.session = args.session, .data = args.data, .call = context.long_call()});
  context.options.json ? print_json(context, report) : print_text(context, report);
  return report.healthy() ? ExitCode::ok : ExitCode::damaged;
}

}  // namespace stepstore::cli
