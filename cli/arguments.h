// Keeps ids from being taken for something else by the parser.
//
// CLI11 reads an argument that has the name of a command ("put"), is in brackets ("[1,2]") or is
// "++" in its own way, wherever it stands. A session may be called that. So each positional
// argument gets a mark in front before the parser sees it, and loses it before the value is used.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): it is not ours to name
class App;
class Option;
}  // namespace CLI

namespace stepstore::cli {

// The arguments of a command line in the order that App::parse takes them (the last one first),
// with what is no option marked; "--" is taken away, and all that follows it is no option.
// Throws UsageError for a command that there is not.
std::vector<std::string> marked_arguments(const CLI::App& app, int argc, const char* const* argv);
std::string unmarked(const std::string& argument);

// Positional arguments, whose values lose their mark.
CLI::Option* positional(CLI::App& app, const std::string& name, std::string& value,
                        const std::string& description);
CLI::Option* positional(CLI::App& app, const std::string& name, std::optional<std::string>& value,
                        const std::string& description);
CLI::Option* positional(CLI::App& app, const std::string& name, std::vector<std::string>& values,
                        const std::string& description);
// An option with a text, which may be empty: that is not the same as absent.
CLI::Option* text_option(CLI::App& app, const std::string& name, std::optional<std::string>& value,
                         const std::string& description);

}  // namespace stepstore::cli
