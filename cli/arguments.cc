#include "arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "errors.h"

namespace stepstore::cli {
namespace {

constexpr char kMark = ':';
constexpr const char* kSeeHelp = "`stepstore --help` lists the commands.";

bool takes_value(const CLI::App& app, const std::string& name) {
  const CLI::Option* option = app.get_option_no_throw(name);
  return option != nullptr && option->get_items_expected_max() > 0;
}

// True when the argument after this option is its value.
bool value_follows(const CLI::App& app, const std::string& argument) {
  if (argument.starts_with("--")) {
    return argument.find('=') == argument.npos && takes_value(app, argument);
  }
  // "-lo FILE": flags, and at the end perhaps one with a value.
  for (std::size_t i = 1; i < argument.size(); ++i) {
    if (takes_value(app, std::string("-") + argument[i])) return i + 1 == argument.size();
  }
  return false;
}

const CLI::App* command_named(const CLI::App& app, const std::string& name) {
  const auto found =
      app.get_subcommands([&](const CLI::App* command) { return command->get_name() == name; });
  return found.empty() ? nullptr : found.front();
}

CLI::Option* unmarking(CLI::Option* option) {
  return option->transform([](const std::string& value) { return unmarked(value); });
}

}  // namespace

std::vector<std::string> marked_arguments(const CLI::App& app, int argc, const char* const* argv) {
  std::vector<std::string> arguments;
  const CLI::App* command = nullptr;
  bool options_over = false;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const bool is_option = !options_over && argument.size() > 1 && argument.starts_with('-');
    if (is_option && argument == "--") {
      options_over = true;
    } else if (is_option) {
      arguments.push_back(argument);
      if (value_follows(command == nullptr ? app : *command, argument) && i + 1 < argc) {
        arguments.emplace_back(argv[++i]);
      }
    } else if (command == nullptr) {
      command = command_named(app, argument);
      if (command == nullptr) throw UsageError("there is no command " + argument, kSeeHelp);
      arguments.push_back(argument);
    } else {
      arguments.push_back(kMark + argument);
    }
  }
  std::ranges::reverse(arguments);
  return arguments;
}

std::string unmarked(const std::string& argument) {
  return argument.starts_with(kMark) ? argument.substr(1) : argument;
}

CLI::Option* positional(CLI::App& app, const std::string& name, std::string& value,
                        const std::string& description) {
  return unmarking(app.add_option(name, value, description))->required()->option_text(" ");
}

CLI::Option* positional(CLI::App& app, const std::string& name, std::optional<std::string>& value,
                        const std::string& description) {
  return unmarking(text_option(app, name, value, description))->option_text(" ");
}

CLI::Option* positional(CLI::App& app, const std::string& name, std::vector<std::string>& values,
                        const std::string& description) {
  return unmarking(app.add_option(name, values, description))->option_text("...");
}

CLI::Option* text_option(CLI::App& app, const std::string& name, std::optional<std::string>& value,
                         const std::string& description) {
  return app.add_option_function<std::string>(
      name, [&value](const std::string& text) { value = text; }, description);
}

}  // namespace stepstore::cli
