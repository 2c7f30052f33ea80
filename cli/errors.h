// Failures that the command itself finds, beside those of the library.
#pragma once

#include <stdexcept>
#include <string>

#include "exit_codes.h"

namespace stepstore::cli {

// Carries its exit code and one sentence of advice (or nothing). Caught in main().
class CliError : public std::runtime_error {
 public:
  CliError(ExitCode code, const std::string& message, std::string advice = {})
      : std::runtime_error(message), code_(code), advice_(std::move(advice)) {}
  ExitCode code() const noexcept { return code_; }
  const std::string& advice() const noexcept { return advice_; }

 private:
  ExitCode code_;
  std::string advice_;
};

// The command line is wrong.
class UsageError : public CliError {
 public:
  explicit UsageError(const std::string& message, std::string advice = {})
      : CliError(ExitCode::usage, message, std::move(advice)) {}
};

// Whoever read our output has gone. Not told to anybody.
class ReaderGone : public std::exception {};

// A failed system call on a file of the user: "cannot create PATH: No space left on device".
CliError file_error(int number, const std::string& action, const std::string& path);

// An error in a line or two: what happened, and what to do about it.
struct Told {
  ExitCode code = ExitCode::unexpected;
  std::string kind{};     // "NotFound", or the name of the exit code
  std::string message{};  // raw; print it through shown()
  std::string key{};
  std::string advice{};
  bool retryable = false;
  bool outcome_unknown = false;
};
Told told(const StorageManagerError& error);
Told told(const CliError& error);
// The message with its key in front, for a line of text.
std::string line_of(const Told& error);
// One line of JSON.
std::string json_of(const Told& error);

}  // namespace stepstore::cli
