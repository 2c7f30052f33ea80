// The command lines of import, export, adopt, check, doctor and info.
#include <CLI/CLI.hpp>

#include "arguments.h"
#include "parser.h"

namespace stepstore::cli {
namespace {

void add_import(CLI::App& app, GlobalOptions& global, Action& chosen) {
  auto args = std::make_shared<ImportArgs>();
  CLI::App* import = app.add_subcommand("import", "Store recordings that lie in folders");
  positional(*import, "STORE", args->store, "The store");
  positional(*import, "DIR", args->dirs,
             "A session (its folders are steps), or a folder of sessions")
      ->required();
  text_option(*import, "--session", args->session, "DIR is one session, to be stored under this id")
      ->option_text("NAME");
  import->add_option("--jobs", args->jobs, "How many steps are stored at a time (default: 16)")
      ->option_text("N")
      ->check(CLI::Range(1, 256));
  import->add_flag("--print-acknowledged", args->print_acknowledged,
                   "Print `stored SESSION STEP VERSION` for each step once it is durable");
  add_global_options(*import, global);
  import->footer(
      "A step is a folder with observation.html, screenshot.png (.jpg, .webp), action.json and\n"
      "metadata.json, any of them; every other file becomes a component of its name. Steps that\n"
      "are there with the same bytes are not stored again: run it again after an interruption.\n"
      "\n"
      "Examples:\n"
      "  stepstore import ./recordings ./runs/login\n"
      "  stepstore import ./recordings ./runs/today --session login-2\n"
      "  stepstore import --json ./recordings ./runs | tail -1 | jq .stored");
  import->callback([args, &chosen] {
    chosen = [args](Context& context) { return run_import(context, *args); };
  });
}

void add_export(CLI::App& app, GlobalOptions& global, Action& chosen) {
  auto args = std::make_shared<ExportArgs>();
  CLI::App* command = app.add_subcommand("export", "Write sessions into folders");
  positional(*command, "STORE", args->store, "The store");
  positional(*command, "SESSION... DIR", args->names,
             "The sessions, and the folder that DIR/SESSION/STEP/... go to")
      ->required();
  command->add_flag("--all", args->all, "All sessions; then only DIR is given");
  command->add_flag("--force", args->force, "Replace steps that are there and differ");
  command->add_flag("--legacy", args->legacy,
                    "Also folders without a manifest, a day old at least");
  command->add_option("--jobs", args->jobs, "How many steps are read at a time (default: 16)")
      ->option_text("N")
      ->check(CLI::Range(1, 256));
  add_global_options(*command, global);
  command->footer(
      "Writes the tree that import takes. A step appears whole; one that is there with the same\n"
      "bytes is left as it is: run it again after an interruption.\n"
      "\n"
      "Examples:\n"
      "  stepstore export ./recordings login ./out\n"
      "  stepstore export --all ./recordings ./out");
  command->callback([args, &chosen] {
    chosen = [args](Context& context) { return run_export(context, *args); };
  });
}

void add_adopt(CLI::App& app, GlobalOptions& global, Action& chosen) {
  auto args = std::make_shared<AdoptArgs>();
  CLI::App* adopt = app.add_subcommand("adopt", "Take over step folders that have no manifest yet");
  positional(*adopt, "STORE", args->store, "The store");
  positional(*adopt, "SESSION", args->session, "Only this session");
  CLI::Option* apply =
      adopt->add_flag("--apply", args->apply, "Write the manifests; without it nothing changes");
  adopt->add_flag("--dry-run", args->dry_run, "Only say what would be done (the default)")
      ->excludes(apply);
  add_global_options(*adopt, global);
  adopt->footer(
      "Only folders that nothing was written to for a day. Nothing is moved.\n"
      "\n"
      "Examples:\n"
      "  stepstore adopt ./recordings\n"
      "  stepstore adopt ./recordings login --apply");
  adopt->callback(
      [args, &chosen] { chosen = [args](Context& context) { return run_adopt(context, *args); }; });
}

void add_check(CLI::App& app, GlobalOptions& global, Action& chosen) {
  auto args = std::make_shared<CheckArgs>();
  CLI::App* check = app.add_subcommand("check", "Look for damage; exit code 11 when there is any");
  positional(*check, "STORE", args->store, "The store");
  positional(*check, "SESSION", args->session, "Only this session");
  check->add_flag("--data", args->data, "Also read every component and compare its checksum");
  add_global_options(*check, global);
  check->footer(
      "Changes nothing.\n"
      "\n"
      "Examples:\n"
      "  stepstore check ./recordings\n"
      "  stepstore check --data --json ./recordings login | jq .findings");
  check->callback(
      [args, &chosen] { chosen = [args](Context& context) { return run_check(context, *args); }; });
}

void add_doctor(CLI::App& app, GlobalOptions& global, Action& chosen) {
  auto args = std::make_shared<DoctorArgs>();
  CLI::App* doctor = app.add_subcommand(
      "doctor", "Try out what a store really does; exit code 15 when it is not fit");
  positional(*doctor, "STORE", args->store, "The store");
  doctor->add_flag("--thorough", args->thorough, "More questions and longer races: minutes");
  add_global_options(*doctor, global);
  doctor->footer(
      "Writes small objects into a folder of its own and removes them. What it finds out about a\n"
      "bucket is kept there, for every writer.\n"
      "\n"
      "Examples:\n"
      "  stepstore doctor ./recordings\n"
      "  stepstore doctor --json 's3://recordings/team?region=eu-central-1' | jq .fit");
  doctor->callback([args, &chosen] {
    chosen = [args](Context& context) { return run_doctor(context, *args); };
  });
}

void add_info(CLI::App& app, GlobalOptions& global, Action& chosen) {
  auto args = std::make_shared<InfoArgs>();
  CLI::App* info = app.add_subcommand("info", "Say what a store is and what it promises");
  positional(*info, "STORE", args->store, "The store");
  add_global_options(*info, global);
  info->footer(
      "Asks no server anything.\n"
      "\n"
      "Examples:\n"
      "  stepstore info ./recordings\n"
      "  stepstore info --json 's3://recordings/team?region=eu-central-1'");
  info->callback(
      [args, &chosen] { chosen = [args](Context& context) { return run_info(context, *args); }; });
}

}  // namespace

void add_tree_commands(CLI::App& app, GlobalOptions& options, Action& chosen) {
  add_import(app, options, chosen);
  add_export(app, options, chosen);
}

void add_store_commands(CLI::App& app, GlobalOptions& options, Action& chosen) {
  add_adopt(app, options, chosen);
  add_check(app, options, chosen);
  add_doctor(app, options, chosen);
  add_info(app, options, chosen);
}

}  // namespace stepstore::cli
