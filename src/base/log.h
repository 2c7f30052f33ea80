// Log lines of the library: log_warning("cleanup: {} left", n). Costs one load where nobody
// listens. Never pass a secret: what is logged is shown.
#pragma once

#include <spdlog/fmt/fmt.h>

#include "stepstore/log.h"

namespace stepstore {

bool log_enabled(LogLevel level) noexcept;
void log_line(LogLevel level, std::string_view message);

template <class... Args>
void log_at(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
  if (log_enabled(level)) log_line(level, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) {
  log_at(LogLevel::debug, format, std::forward<Args>(args)...);
}
template <class... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  log_at(LogLevel::info, format, std::forward<Args>(args)...);
}
template <class... Args>
void log_warning(fmt::format_string<Args...> format, Args&&... args) {
  log_at(LogLevel::warning, format, std::forward<Args>(args)...);
}

}  // namespace stepstore
