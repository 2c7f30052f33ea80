#include "parser.h"

#include <CLI/CLI.hpp>

#include "arguments.h"
#include "completion.h"
#include "json_out.h"
#include "text.h"

namespace stepstore::cli {
namespace {

constexpr const char* kDescription =
    "stepstore keeps the recorded steps of browser agents, whole, on disk and in S3.\n"
    "STORE is a path, file:///path, memory: or s3://bucket/prefix?region=...&endpoint=...\n"
    "Credentials for S3 come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile "
    "or the machine's role.";

constexpr const char* kFooter =
    "Examples:\n"
    "  stepstore put ./recordings login 0001 --html page.html --screenshot page.png\n"
    "  stepstore ls -l ./recordings login\n"
    "  stepstore export ./recordings login ./out\n"
    "  stepstore import 's3://recordings/team?region=eu-central-1' ./runs/today\n"
    "\n"
    "`stepstore help COMMAND` tells more, `stepstore help exit-codes` lists the exit codes.";

std::string exit_code_text() {
  std::string text = "Exit codes:\n";
  for (const ExitCodeRow& row : exit_code_table()) {
    text += right(std::to_string(static_cast<int>(row.code)), 5) + "  " +
            left(std::string(row.name), 15) + "  " + std::string(row.meaning) + "\n";
  }
  return text;
}

std::string exit_code_json() {
  Json table = Json::array();
  for (const ExitCodeRow& row : exit_code_table()) {
    table.push_back({{"code", static_cast<int>(row.code)},
                     {"name", std::string(row.name)},
                     {"meaning", std::string(row.meaning)}});
  }
  return json_line(table) + "\n";
}

std::string see_help(const CLI::App& app) {
  std::string name = "stepstore";
  for (const CLI::App* command : app.get_subcommands()) name += " " + command->get_name();
  return "See `" + name + " --help`.";
}

Action printing(std::string text) {
  return [text = std::move(text)](Context& context) {
    context.out.write(text);
    return ExitCode::ok;
  };
}

}  // namespace

struct CommandLine::State {
  CLI::App app{kDescription, "stepstore"};
  GlobalOptions options;
  Action chosen;
  std::optional<std::string> topic;
  std::string shell;

  void add_help();
  void add_completion();
};

void CommandLine::State::add_help() {
  CLI::App* help = app.add_subcommand("help", "Explain a command, or the exit codes");
  positional(*help, "TOPIC", topic, "A command, or exit-codes");
  help->add_flag("--json", options.json, "Print the exit codes as JSON");
  help->footer("Examples:\n  stepstore help import\n  stepstore help exit-codes");
  help->callback([this] {
    if (!topic) {
      // App::help() would be about the selected command, which is `help` itself.
      chosen = printing(
          app.get_formatter()->make_help(&app, app.get_name(), CLI::AppFormatMode::Normal));
    } else if (*topic == "exit-codes") {
      chosen = printing(options.json ? exit_code_json() : exit_code_text());
    } else {
      const auto named =
          app.get_subcommands([&](CLI::App* command) { return command->get_name() == *topic; });
      if (named.empty()) throw UsageError("there is no command " + *topic);
      chosen = printing(named.front()->help("stepstore", CLI::AppFormatMode::Normal));
    }
  });
}

void CommandLine::State::add_completion() {
  CLI::App* completion = app.add_subcommand("completion", "Print a completion script for a shell");
  positional(*completion, "SHELL", shell, "bash, zsh or fish");
  completion->footer(
      "Examples:\n"
      "  source <(stepstore completion bash)\n"
      "  stepstore completion zsh > ~/.zfunc/_stepstore\n"
      "  stepstore completion fish > ~/.config/fish/completions/stepstore.fish");
  completion->callback([this] { chosen = printing(completion_script(app, shell)); });
}

CommandLine::CommandLine() : state_(std::make_unique<State>()) {
  CLI::App& app = state_->app;
  app.set_version_flag("--version", "stepstore " + std::string(kVersion), "Print the version");
  app.require_subcommand(1);
  app.footer(kFooter);
  add_global_options(app, state_->options);
  add_step_commands(app, state_->options, state_->chosen);
  add_tree_commands(app, state_->options, state_->chosen);
  add_store_commands(app, state_->options, state_->chosen);
  state_->add_completion();
  state_->add_help();
}

CommandLine::~CommandLine() = default;

const GlobalOptions& CommandLine::options() const { return state_->options; }

Action CommandLine::parse(int argc, const char* const* argv) {
  CLI::App& app = state_->app;
  try {
    auto arguments = marked_arguments(app, argc, argv);
    app.parse(arguments);
  } catch (const CLI::CallForVersion& version) {
    return printing(std::string(version.what()) + "\n");
  } catch (const CLI::CallForHelp&) {
    return printing(app.help());
  } catch (const CLI::ExtrasError&) {
    throw UsageError(unmarked(app.remaining(true).front()) + " was not expected", see_help(app));
  } catch (const CLI::ParseError& error) {
    if (app.get_subcommands().empty() && dynamic_cast<const CLI::RequiredError*>(&error)) {
      throw UsageError("a command is missing", "`stepstore --help` lists the commands.");
    }
    throw UsageError(error.what(), see_help(app));
  }
  const GlobalOptions& options = state_->options;
  if (options.timeout_s && !(*options.timeout_s > 0 && *options.timeout_s <= 1e9)) {
    throw UsageError("--timeout is not a positive number of seconds");
  }
  return state_->chosen;
}

void add_global_options(CLI::App& app, GlobalOptions& options) {
  const char* group = "Common options";
  app.add_flag("--json", options.json, "Print JSON, one object a line; errors too")->group(group);
  app.add_flag("-q,--quiet", options.quiet, "Print results and errors only")->group(group);
  app.add_flag("-v,--verbose", options.verbose, "Log to standard error; -vv logs more")
      ->group(group);
  app.add_option("--timeout", options.timeout_s, "Give up after so many seconds, all in all")
      ->option_text("SECONDS")
      ->group(group);
  app.add_flag("--no-progress", options.no_progress, "Show no progress bar on a terminal")
      ->group(group);
}

}  // namespace stepstore::cli
