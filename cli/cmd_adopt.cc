// adopt: manifests for folders that were written without them.
#include "commands.h"
#include "json_out.h"
#include "text.h"

namespace stepstore::cli {

ExitCode run_adopt(Context& context, const AdoptArgs& args) {
  StorageManager store(args.store);
  const AdoptReport report =
      store.adopt({.session = args.session, .dry_run = !args.apply, .call = context.long_call()});
  if (context.options.json) {
    Json line = {{"dry_run", !args.apply}, {"adopted", Json::array()}, {"skipped", Json::array()}};
    for (const StepName& name : report.adopted) {
      line["adopted"].push_back({{"session", name.session_id}, {"step", name.step_id}});
    }
    for (const Finding& finding : report.skipped) line["skipped"].push_back(json_of(finding));
    context.out.line(json_line(line));
    return ExitCode::ok;
  }
  const std::string verb = args.apply ? "adopted" : "would adopt";
  for (const StepName& name : report.adopted) {
    context.out.line(verb + " " + shown_id(name.session_id) + " " + shown_id(name.step_id));
  }
  for (const Finding& finding : report.skipped) {
    context.out.line("left alone " + shown(finding.key) + ": " + shown(finding.message));
  }
  if (context.options.quiet) return ExitCode::ok;
  context.out.line(verb + " " + shown_count(report.adopted.size(), "step", "steps") + "; " +
                   std::to_string(report.skipped.size()) + " left alone");
  if (!args.apply && !report.adopted.empty()) {
    context.out.line("Nothing was changed. Give --apply to adopt them.");
  }
  return ExitCode::ok;
}

}  // namespace stepstore::cli
