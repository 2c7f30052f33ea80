// put: one step from files.
#include <charconv>

#include "commands.h"
#include "input.h"
#include "json_out.h"
#include "json_text.h"
#include "text.h"

namespace stepstore::cli {
namespace {

IfExists parse_if_exists(const std::string& word) {
  if (word == "new_version") return IfExists::new_version;
  if (word == "fail") return IfExists::fail;
  if (word == "skip_identical") return IfExists::skip_identical;
  throw UsageError("--if-exists " + word + " is not new_version, fail or skip_identical");
}

Keep parse_keep(const std::string& word) {
  if (word == "all") return Keep::all();
  Keep keep;
  const char* end = word.data() + word.size();
  const auto [stop, bad] = std::from_chars(word.data(), end, keep.versions);
  if (bad != std::errc{} || stop != end || keep.versions == 0) {
    throw UsageError("--keep-versions " + word + " is not a number from 1, or all");
  }
  return keep;
}

// JSON text and the place it came from.
struct JsonPart {
  std::optional<std::string> text;
  std::string origin;
};

JsonPart json_part(Inputs& inputs, const std::optional<std::string>& file,
                   const std::optional<std::string>& text, const std::string& option) {
  if (file && text) throw UsageError(option + " and " + option + "-json exclude each other");
  if (file) return {inputs.text(*file), *file == "-" ? "standard input" : *file};
  return {text, option + "-json"};
}

void print(Context& context, const PutArgs& args, const Receipt& receipt) {
  if (context.options.json) {
    Json line = {{"session", args.session}, {"step", args.step}};
    line.update(json_of(receipt));
    context.out.line(json_line(line));
    return;
  }
  if (context.options.quiet) return;
  std::string line = receipt.skipped                              ? "unchanged "
                     : receipt.state == Receipt::State::committed ? "stored "
                                                                  : "spooled ";
  line += shown_id(args.session) + " " + shown_id(args.step) + " version " +
          std::to_string(receipt.version);
  context.out.line(line);
  std::size_t columns = 0;
  for (const auto& [name, path] : receipt.paths) {
    columns = std::max(columns, shown_id(name).size());
  }
  for (const auto& [name, path] : receipt.paths) {
    context.out.line("  " + left(shown_id(name), columns) + "  " + shown(path));
  }
}

}  // namespace

ExitCode run_put(Context& context, const PutArgs& args) {
  StoreOptions options{.if_exists = parse_if_exists(args.if_exists),
                       .if_version = args.if_version,
                       .call = context.call(std::chrono::hours(1))};
  if (args.keep_versions) options.keep_versions = parse_keep(*args.keep_versions);
  Inputs inputs(context);
  StepData data;
  if (args.html) data.html_content = inputs.source(*args.html);
  if (args.screenshot) data.screenshot_bytes = inputs.source(*args.screenshot);
  const JsonPart action = json_part(inputs, args.action, args.action_json, "--action");
  const JsonPart metadata = json_part(inputs, args.metadata, args.metadata_json, "--metadata");
  if (action.text) data.action_data = *action.text;
  if (metadata.text) data.metadata = *metadata.text;
  for (const std::string& text : args.components) {
    const ComponentSpec spec = parse_component(text);
    data.components.push_back({spec.name, inputs.source(spec.file), spec.content_type});
  }
  if (!data.html_content && !data.screenshot_bytes && !data.action_data && !data.metadata &&
      data.components.empty()) {
    throw UsageError("there is nothing to store",
                     "Give --html, --screenshot, --action, --metadata or --component.");
  }
  StorageManager store(args.store);
  try {
    print(context, args, store.store_step_data(args.session, args.step, data, options));
  } catch (const InvalidArgument& error) {
    Told mistake = told(error);
    explain_json(mistake, action.origin, data.action_data);
    explain_json(mistake, metadata.origin, data.metadata);
    context.tell(mistake);
    return mistake.code;
  }
  return ExitCode::ok;
}

}  // namespace stepstore::cli
