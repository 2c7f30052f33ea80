#include "s3/credentials/process.h"

#include <system_error>

#include "base/child_process.h"
#include "base/errors.h"
#include "s3/credentials/json_keys.h"

namespace stepstore::s3 {
namespace {

// Some of them open a browser and wait for a person.
constexpr std::chrono::seconds kTimeout{60};

// Reads one word from the front of `text`. False: a quote is not closed.
bool take_word(std::string_view& text, std::string& word) {
  char quote = '\0';
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    const bool more = i + 1 < text.size();
    if (quote == '\0' && (c == ' ' || c == '\t')) break;
    if (c == quote) {
      quote = '\0';
    } else if (quote == '\0' && (c == '"' || c == '\'')) {
      quote = c;
    } else if (c == '\\' && more &&
               (quote == '\0' || (quote == '"' && (text[i + 1] == '"' || text[i + 1] == '\\')))) {
      word += text[++i];
    } else {
      word += c;
    }
  }
  text.remove_prefix(i);
  return quote == '\0';
}

std::string end_of(const ChildOutcome& outcome) {
  using End = ChildOutcome::End;
  switch (outcome.end) {
    case End::exited:
      return "has ended with status " + std::to_string(outcome.status);
    case End::killed:
      return "was ended by signal " + std::to_string(outcome.status);
    case End::not_started:
      return "cannot be started: " + std::generic_category().message(outcome.status);
    case End::too_long:
      return "took longer than a minute";
    case End::too_much:
      return "printed more than 64 KiB";
  }
  return "has failed";
}

}  // namespace

std::optional<std::vector<std::string>> split_command(std::string_view command) {
  std::vector<std::string> words;
  while (true) {
    const std::size_t first = command.find_first_not_of(" \t");
    if (first == std::string_view::npos) return words;
    command.remove_prefix(first);
    if (!take_word(command, words.emplace_back())) return std::nullopt;
  }
}

Credentials run_process(const CredentialsMeans& means, const Way& way, const CallLimits& limits) {
  const auto words = split_command(way.command);
  if (!words || words->empty()) {
    no_credentials(way.source + " has a quote that is not closed, or names no program",
                   "Mend the profile. No shell looks at the command.");
  }
  const ChildProcess child{.arguments = *words,
                           .environment = means.environment ? means.environment() : nullptr,
                           .timeout = kTimeout};
  const ChildOutcome outcome = run_child(child, limits, means.clock);
  // The call may have had less time than the program.
  if (outcome.end == ChildOutcome::End::too_long) check_limits(limits, means.clock, "credentials");
  if (outcome.end != ChildOutcome::End::exited || outcome.status != 0) {
    // Only the program: arguments may hold a secret.
    no_credentials(way.source + ": " + words->front() + ' ' + end_of(outcome),
                   "Run the command of the profile by hand to see why.");
  }
  return parse_keys(outcome.output, KeysDocument::process, way.source);
}

}  // namespace stepstore::s3
