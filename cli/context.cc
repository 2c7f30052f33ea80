#include "context.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "text.h"

namespace stepstore::cli {
namespace {

std::string prefix(const Messages& messages) {
  return messages.coloured() ? "\x1b[1;31mstepstore:\x1b[0m " : "stepstore: ";
}

}  // namespace

Context::Context(Interrupt& interrupt_watch, Messages& message_lines,
                 const GlobalOptions& global_options)
    : options(global_options),
      interrupt(interrupt_watch),
      messages(message_lines),
      out(STDOUT_FILENO) {}

Call Context::call(std::chrono::milliseconds usual) const {
  Call limits{.timeout = usual, .stop = interrupt.token()};
  if (options.timeout_s) {
    const auto whole = std::chrono::duration<double>(*options.timeout_s);
    const auto left_s = whole - (std::chrono::steady_clock::now() - begun_);
    limits.timeout = std::max(std::chrono::milliseconds(0),
                              std::chrono::ceil<std::chrono::milliseconds>(left_s));
  }
  return limits;
}

void Context::note(std::string_view text) {
  if (!options.quiet) messages.line(prefix(messages) + shown(text));
}

void Context::problem(std::string_view text) { messages.line(prefix(messages) + shown(text)); }

void Context::tell(const Told& error) {
  if (options.json) {
    messages.line(json_of(error));
    return;
  }
  problem(line_of(error));
  if (!error.advice.empty()) messages.line(shown(error.advice));
}

void set_up_log(Messages& messages, int verbose) {
  LogLevel level = LogLevel::off;
  if (verbose == 1) level = LogLevel::info;
  if (verbose >= 2) level = LogLevel::debug;
  const char* wanted = std::getenv("STEPSTORE_LOG");
  if (wanted != nullptr && *wanted != '\0') {
    try {
      level = std::min(level, parse_log_level(wanted));
    } catch (const InvalidArgument& error) {
      throw UsageError("STEPSTORE_LOG=" + std::string(wanted) + " is not a log level",
                       std::string(error.advice()));
    }
  }
  // Else the library would print the lines by itself, with whatever is in them.
  ::unsetenv("STEPSTORE_LOG");
  if (level == LogLevel::off) return;
  constexpr std::string_view kWords[] = {"trace", "debug", "info", "warning", "error", "off"};
  set_log_handler(
      [&messages, kWords](const LogRecord& record) {
        messages.line("stepstore: " + std::string(kWords[static_cast<int>(record.level)]) + ": " +
                      shown(record.message));
      },
      level);
}

}  // namespace stepstore::cli
