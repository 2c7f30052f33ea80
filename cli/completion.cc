#include "completion.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string_view>
#include <vector>

#include "errors.h"

namespace stepstore::cli {
namespace {

using Words = std::vector<std::string>;

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

// The options, positional arguments left out.
std::vector<const CLI::Option*> options_of(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) { return option->nonpositional(); });
}

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

std::string joined(const Words& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

Words command_names(const CLI::App& app) {
  Words names;
  for (const CLI::App* command : commands_of(app)) names.push_back(command->get_name());
  return names;
}

Words flags_of(const CLI::App& app) {
  Words flags;
  for (const CLI::Option* option : options_of(app)) {
    for (const std::string& name : option->get_snames()) flags.push_back("-" + name);
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  }
  return flags;
}

// The values of an option or argument that has a fixed set of them.
Words values_of(const CLI::App& app, const std::string& name) {
  if (name == "--if-exists") return {"new_version", "fail", "skip_identical"};
  if (name == "completion") return {"bash", "zsh", "fish"};
  Words words;
  if (name == "help") {
    words = command_names(app);
    words.emplace_back("exit-codes");
  }
  return words;
}

// As one word of a shell, in single quotes.
std::string shell_word(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string bash_script(const CLI::App& app) {
  std::string text =
      "# bash completion of stepstore: source <(stepstore completion bash)\n"
      "_stepstore() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command='' i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    case ${COMP_WORDS[i]} in -*) ;; *) command=${COMP_WORDS[i]}; break ;; esac\n"
      "  done\n"
      "  if [[ $prev == --if-exists ]]; then\n"
      "    COMPREPLY=($(compgen -W '" +
      joined(values_of(app, "--if-exists")) +
      "' -- \"$cur\"))\n"
      "    return\n"
      "  fi\n"
      "  local words=''\n"
      "  case $command in\n"
      "    '') words='" +
      joined(command_names(app)) + " " + joined(flags_of(app)) + "' ;;\n";
  for (const CLI::App* command : commands_of(app)) {
    const std::string& name = command->get_name();
    const Words values = values_of(app, name);
    const std::string flags = joined(flags_of(*command));
    text += "    " + name + ") ";
    text += values.empty() ? "[[ $cur == -* ]] && words='" + flags + "' ;;\n"
                           : "words='" + joined(values) + " " + flags + "' ;;\n";
  }
  text +=
      "  esac\n"
      "  [[ -n $words ]] && COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
      "}\n"
      "complete -o bashdefault -o default -F _stepstore stepstore\n";
  return text;
}

std::string zsh_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_script(const CLI::App& app) {
  std::string text =
      "#compdef stepstore\n"
      "_stepstore() {\n"
      "  local -a commands\n"
      "  commands=(\n";
  for (const CLI::App* command : commands_of(app)) {
    text += "    " +
            shell_word(command->get_name() + ":" + zsh_escaped(command->get_description())) + "\n";
  }
  text +=
      "  )\n"
      "  if (( CURRENT == 2 )); then\n"
      "    _describe command commands\n"
      "    return\n"
      "  fi\n"
      "  case $words[2] in\n";
  for (const CLI::App* command : commands_of(app)) {
    text += "    " + command->get_name() + ")\n      _arguments";
    for (const CLI::Option* option : options_of(*command)) {
      Words names;
      for (const std::string& name : option->get_snames()) names.push_back("-" + name);
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
      for (const std::string& name : names) {
        std::string spec = "*" + name + "[" + zsh_escaped(option->get_description()) + "]";
        const Words values = values_of(app, name);
        if (takes_value(*option)) {
          spec += values.empty() ? ":value:_files" : ":value:(" + joined(values) + ")";
        }
        text += " \\\n        " + shell_word(spec);
      }
    }
    const Words values = values_of(app, command->get_name());
    text +=
        " \\\n        " +
        shell_word(values.empty() ? "*:argument:_files" : "*:argument:(" + joined(values) + ")") +
        "\n      ;;\n";
  }
  text +=
      "  esac\n"
      "}\n"
      "if [[ $funcstack[1] == _stepstore ]]; then _stepstore \"$@\"; "
      "else compdef _stepstore stepstore; fi\n";
  return text;
}

std::string fish_script(const CLI::App& app) {
  std::string text = "# fish completion of stepstore\n";
  for (const CLI::App* command : commands_of(app)) {
    const std::string& name = command->get_name();
    text += "complete -c stepstore -n __fish_use_subcommand -f -a " + name + " -d " +
            shell_word(command->get_description()) + "\n";
    const std::string when = " -n '__fish_seen_subcommand_from " + name + "'";
    const Words values = values_of(app, name);
    if (!values.empty()) {
      text += "complete -c stepstore" + when + " -f -a " + shell_word(joined(values)) + "\n";
    }
    for (const CLI::Option* option : options_of(*command)) {
      text += "complete -c stepstore" + when;
      for (const std::string& flag : option->get_snames()) text += " -s " + flag;
      for (const std::string& flag : option->get_lnames()) {
        text += " -l " + flag;
        const Words words = values_of(app, "--" + flag);
        if (!words.empty()) text += " -f -a " + shell_word(joined(words));
      }
      text += (takes_value(*option) ? " -r -d " : " -d ") + shell_word(option->get_description()) +
              "\n";
    }
  }
  return text;
}

}  // namespace

std::string completion_script(const CLI::App& app, const std::string& shell) {
  if (shell == "bash") return bash_script(app);
  if (shell == "zsh") return zsh_script(app);
  if (shell == "fish") return fish_script(app);
  throw UsageError("there is no completion for " + shell, "Use bash, zsh or fish.");
}

}  // namespace stepstore::cli
