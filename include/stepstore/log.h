// Where stepstore's log lines go. Silent by default; STEPSTORE_LOG=debug prints them to standard
// error.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace stepstore {
inline namespace v1 {

enum class LogLevel : std::uint8_t { trace, debug, info, warning, error, off };

struct LogRecord {
  LogLevel level;
  std::string message;  // one line, no secrets
};

// Receives every record of at least the level. Called from any thread, one call at a time; must not
// call stepstore.
using LogHandler = std::function<void(const LogRecord&)>;

// Replaces the handler of the whole process; an empty one means silence. Thread-safe.
void set_log_handler(LogHandler handler, LogLevel level = LogLevel::warning);
// Prints to standard error as "stepstore: warning: ...".
void log_to_stderr(LogLevel level);
// "debug" and so on; throws InvalidArgument for another word.
LogLevel parse_log_level(std::string_view word);

}  // namespace v1
}  // namespace stepstore
