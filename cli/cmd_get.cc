// get: a step as a folder, or one of its components.
#include "commands.h"
#include "file_names.h"
#include "json_out.h"
#include "step_folder.h"
#include "text.h"

namespace stepstore::cli {
namespace {

void report(Context& context, const Step& step, const std::string& where, Written written,
            const std::vector<FolderFile>& files) {
  if (context.options.json) {
    Json line = json_of(step.info());
    line["written_to"] = where;
    line["unchanged"] = written == Written::unchanged;
    line["files"] = Json::array();
    for (const FolderFile& file : files) line["files"].push_back(file.name);
    context.out.line(json_line(line));
    return;
  }
  if (context.options.quiet) return;
  context.out.line((written == Written::unchanged ? "unchanged " : "wrote ") + shown(where));
  for (const FolderFile& file : files) {
    context.out.line("  " + right(shown_size(file.bytes.size()), 9) + "  " + shown(file.name));
  }
}

ExitCode get_folder(Context& context, const GetArgs& args, const Step& step) {
  std::string dir = args.dir.value_or(folder_name(args.step));
  while (dir.size() > 1 && dir.ends_with('/')) dir.pop_back();
  const std::size_t slash = dir.rfind('/');
  const std::string name = slash == dir.npos ? dir : dir.substr(slash + 1);
  if (name.empty() || name == "." || name == "..") {
    throw UsageError("--dir " + dir + " is not the name of a folder to make");
  }
  const Folder parent = Folder::open(slash == dir.npos ? "."
                                     : slash == 0      ? "/"
                                                       : dir.substr(0, slash),
                                     true);
  const std::vector<FolderFile> files = files_of(step);
  const Written written = write_step_folder(parent, name, files, args.force);
  report(context, step, dir, written, files);
  return ExitCode::ok;
}

ExitCode get_component(Context& context, const GetArgs& args, const Step& step) {
  std::optional<Bytes> bytes = step.find(*args.component);
  if (*args.component == "metadata") bytes = step.metadata();
  if (!bytes) bytes = step.component(*args.component);  // throws NotFound, with its advice
  if (args.output && *args.output != "-") {
    const Written written = write_file(*args.output, bytes->view(), args.force);
    report(context, step, *args.output, written, {{*args.component, *bytes}});
    return ExitCode::ok;
  }
  if (!args.output && context.out.is_terminal() && acts_on_terminal(bytes->text())) {
    throw UsageError("the component is not plain text, and standard output is a terminal",
                     "Give -o FILE, or -o - to print it all the same.");
  }
  context.out.write(bytes->text());
  return ExitCode::ok;
}

}  // namespace

ExitCode run_get(Context& context, const GetArgs& args) {
  if (args.output && !args.component) {
    throw UsageError("--output is for one component", "Give --component NAME, or --dir DIR.");
  }
  if (args.dir && args.component) throw UsageError("--dir and --component exclude each other");
  if (context.options.json && args.component && (!args.output || *args.output == "-")) {
    throw UsageError("--json and a component do not fit on one output", "Give -o FILE.");
  }
  StorageManager store(args.store);
  const Step step = store.retrieve_step_data(
      args.session, args.step,
      {.version = args.version, .legacy = args.legacy, .call = context.long_call()});
  return args.component ? get_component(context, args, step) : get_folder(context, args, step);
}

}  // namespace stepstore::cli
