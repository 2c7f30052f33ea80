#include "errors.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "json_out.h"

namespace stepstore::cli {
namespace {

ExitCode exit_code_of_errno(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR:
      return ExitCode::not_found;
    case EEXIST:
      return ExitCode::already_exists;
    case EACCES:
    case EPERM:
    case EROFS:
      return ExitCode::permission;
    case ENOSPC:
    case EDQUOT:
      return ExitCode::no_space;
    default:
      return ExitCode::io;
  }
}

// What keeps a whole store from being used. Then a key of stepstore's own, which only happened to
// be asked for first, tells nothing. Keys of steps never begin with a dot.
bool concerns_the_store(const Told& error) {
  constexpr std::array kKinds{ErrorCode::ConfigError, ErrorCode::Unauthenticated,
                              ErrorCode::Unavailable, ErrorCode::Throttled, ErrorCode::Timeout};
  return error.key.starts_with('.') && std::ranges::any_of(kKinds, [&](ErrorCode code) {
           return error.kind == stepstore::name_of(code);
         });
}

}  // namespace

CliError file_error(int number, const std::string& action, const std::string& path) {
  return {exit_code_of_errno(number),
          "cannot " + action + " " + path + ": " + std::strerror(number)};
}

Told told(const StorageManagerError& error) {
  return {.code = exit_code_of(error.code()),
          .kind = std::string(stepstore::name_of(error.code())),
          .message = std::string(error.message()),
          .key = std::string(error.key()),
          .advice = std::string(error.advice()),
          .retryable = error.retryable(),
          .outcome_unknown = error.outcome_unknown()};
}

Told told(const CliError& error) {
  return {.code = error.code(),
          .kind = std::string(name_of(error.code())),
          .message = error.what(),
          .advice = error.advice()};
}

std::string line_of(const Told& error) {
  std::string line = error.message;
  const bool has_key = error.key.empty() || line.find(error.key) != std::string::npos;
  if (!has_key && !concerns_the_store(error)) line = error.key + ": " + line;
  if (error.outcome_unknown) line += "; it may have been written all the same";
  return line;
}

std::string json_of(const Told& error) {
  Json body = {
      {"code", error.kind}, {"exit", static_cast<int>(error.code)}, {"message", error.message}};
  if (!error.key.empty()) body["key"] = error.key;
  if (!error.advice.empty()) body["advice"] = error.advice;
  body["retryable"] = error.retryable;
  if (error.outcome_unknown) body["outcome_unknown"] = true;
  return json_line({{"error", std::move(body)}});
}

}  // namespace stepstore::cli
