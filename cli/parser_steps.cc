// The command lines of put, get, ls, rm and presign.
#include <CLI/CLI.hpp>

#include "arguments.h"
#include "parser.h"

namespace stepstore::cli {
namespace {

// An option that may be given several times, with one value each time. CLI11 would take every
// argument that follows, and would split a value in brackets.
CLI::Option* repeated(CLI::Option* option) {
  return option->expected(1, -1)->allow_extra_args(false);
}

void add_put(CLI::App& app, GlobalOptions& global, Action& chosen) {
  auto args = std::make_shared<PutArgs>();
  CLI::App* put = app.add_subcommand("put", "Store one step, whole or not at all");
  positional(*put, "STORE", args->store, "The store");
  positional(*put, "SESSION", args->session, "The session's id");
  positional(*put, "STEP", args->step, "The step's id");
  text_option(*put, "--html", args->html, "The observation; - is standard input")
      ->option_text("FILE");
  text_option(*put, "--screenshot", args->screenshot, "PNG, JPEG or WebP")->option_text("FILE");
  text_option(*put, "--action", args->action, "JSON")->option_text("FILE");
  text_option(*put, "--action-json", args->action_json, "The action itself")->option_text("TEXT");
  text_option(*put, "--metadata", args->metadata, "JSON")->option_text("FILE");
  text_option(*put, "--metadata-json", args->metadata_json, "The metadata itself")
      ->option_text("TEXT");
  repeated(put->add_option("--component", args->components, "Any other part; repeatable"))
      ->option_text("NAME=FILE[:content-type]");
  put->add_option("--if-exists", args->if_exists,
                  "When the step is there: new_version (default), fail, skip_identical")
      ->option_text("WHAT");
  put->add_option("--if-version", args->if_version,
                  "Store only over this version; 0: only a new step")
      ->option_text("N");
  text_option(*put, "--keep-versions", args->keep_versions,
              "How many versions stay readable, this one included")
      ->option_text("N|all");
  add_global_options(*put, global);
  put->footer(
      "Examples:\n"
      "  stepstore put ./recordings login 0001 --html page.html --screenshot page.png \\\n"
      "      --action-json '{\"type\":\"click\"}' --component har=page.har:application/json\n"
      "  curl -s https://example.com/ | stepstore put ./recordings fetch 0001 --html -");
  put->callback(
      [args, &chosen] { chosen = [args](Context& context) { return run_put(context, *args); }; });
}

void add_get(CLI::App& app, GlobalOptions& global, Action& chosen) {
  auto args = std::make_shared<GetArgs>();
  CLI::App* get = app.add_subcommand("get", "Write a step into a folder, or print a component");
  positional(*get, "STORE", args->store, "The store");
  positional(*get, "SESSION", args->session, "The session's id");
  positional(*get, "STEP", args->step, "The step's id");
  text_option(*get, "--component", args->component,
              "Only this: html, screenshot, action, metadata or a name of its own")
      ->option_text("NAME");
  text_option(*get, "-o,--output", args->output,
              "Where the component goes; - is standard output, a terminal too")
      ->option_text("FILE");
  text_option(*get, "--dir", args->dir, "The folder to make (default: ./STEP)")->option_text("DIR");
  get->add_option("--version", args->version, "An older version that was kept")->option_text("N");
  get->add_flag("--force", args->force, "Replace what is there");
  get->add_flag("--legacy", args->legacy, "Also folders without a manifest, a day old at least");
  add_global_options(*get, global);
  get->footer(
      "Examples:\n"
      "  stepstore get ./recordings login 0001 --dir ./step\n"
      "  stepstore get ./recordings login 0001 --component action | jq .type\n"
      "  stepstore get ./recordings login 0001 --component screenshot -o page.png");
  get->callback(
      [args, &chosen] { chosen = [args](Context& context) { return run_get(context, *args); }; });
}

void add_ls(CLI::App& app, GlobalOptions& global, Action& chosen) {
  auto args = std::make_shared<LsArgs>();
  CLI::App* ls = app.add_subcommand("ls", "List the sessions, or the steps of a session");
  positional(*ls, "STORE", args->store, "The store");
  positional(*ls, "SESSION", args->session, "List the steps of this session");
  ls->add_flag("-l,--long", args->details,
               "With versions, sizes, times and components; for sessions the number of steps");
  ls->add_option("--prefix", args->prefix, "Only ids that begin with this")->option_text("TEXT");
  ls->add_option("--after", args->after, "Only ids that come after this one")->option_text("ID");
  ls->add_option("--limit", args->limit, "At most so many")->option_text("N");
  ls->add_flag("--legacy", args->legacy, "Also folders without a manifest, a day old at least");
  add_global_options(*ls, global);
  ls->footer(
      "Examples:\n"
      "  stepstore ls ./recordings\n"
      "  stepstore ls -l ./recordings login --prefix 00\n"
      "  stepstore ls --json ./recordings login | jq -r .step");
  ls->callback(
      [args, &chosen] { chosen = [args](Context& context) { return run_ls(context, *args); }; });
}

void add_rm(CLI::App& app, GlobalOptions& global, Action& chosen) {
  auto args = std::make_shared<RmArgs>();
  CLI::App* rm = app.add_subcommand("rm", "Delete steps, or a whole session");
  positional(*rm, "STORE", args->store, "The store");
  positional(*rm, "SESSION", args->session, "The session's id");
  positional(*rm, "STEP", args->steps, "The steps; none: the whole session");
  rm->add_flag("-r,--recursive", args->recursive, "Delete all steps of the session");
  rm->add_flag("-y,--yes", args->yes, "Do not ask");
  add_global_options(*rm, global);
  rm->footer(
      "What is not there is deleted already: that is no error.\n"
      "\n"
      "Examples:\n"
      "  stepstore rm ./recordings login 0003 0004\n"
      "  stepstore rm --recursive ./recordings login");
  rm->callback(
      [args, &chosen] { chosen = [args](Context& context) { return run_rm(context, *args); }; });
}

void add_presign(CLI::App& app, GlobalOptions& global, Action& chosen) {
  auto args = std::make_shared<PresignArgs>();
  CLI::App* presign =
      app.add_subcommand("presign", "Print links to components, for others without credentials");
  positional(*presign, "STORE", args->store, "The store, in S3");
  positional(*presign, "SESSION", args->session, "The session's id");
  positional(*presign, "STEP", args->step, "The step's id");
  positional(*presign, "COMPONENT", args->component,
             "html, screenshot, action or a name of its own; none: each of the step");
  presign->add_flag("--put", args->put, "To upload html, screenshot, action or metadata");
  presign->add_option("--expires", args->expires, "How long it works: 90s, 30m, 1h (default), 7d")
      ->option_text("TIME");
  presign->add_option("--version", args->version, "An older version that was kept")
      ->option_text("N");
  text_option(*presign, "--content-type", args->content_type,
              "The type that the answer names; with --put the one to send")
      ->option_text("TYPE");
  text_option(*presign, "--content-disposition", args->content_disposition,
              "What the answer says of it: attachment; filename=page.html")
      ->option_text("TEXT");
  add_global_options(*presign, global);
  presign->footer(
      "Whoever has the link can do what it says: treat it as a secret. Below the link of an "
      "upload\n"
      "stand the headers to send with it; it replaces nothing, and adopt makes a step of it.\n"
      "\n"
      "Examples:\n"
      "  stepstore presign s3://recordings/team login 0001 screenshot --expires 7d\n"
      "  curl \"$(stepstore presign -q s3://recordings/team login 0001 html)\"\n"
      "  stepstore presign --json --put s3://recordings/team inbox 0001 html");
  presign->callback([args, &chosen] {
    chosen = [args](Context& context) { return run_presign(context, *args); };
  });
}

}  // namespace

void add_step_commands(CLI::App& app, GlobalOptions& options, Action& chosen) {
  add_put(app, options, chosen);
  add_get(app, options, chosen);
  add_ls(app, options, chosen);
  add_rm(app, options, chosen);
  add_presign(app, options, chosen);
}

}  // namespace stepstore::cli
