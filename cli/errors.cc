#include "errors.h"

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
  if (!has_key) line = error.key + ": " + line;
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
