#include "base/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <array>
#include <atomic>
#include <memory>
#include <mutex>

#include "base/errors.h"
#include "base/fork.h"

namespace stepstore {
namespace {

constexpr std::array<std::string_view, 6> kWords = {"trace",   "debug", "info",
                                                    "warning", "error", "off"};

// Hands records to the handler that the program has set. ForkMutex keeps the sink usable in a
// forked child.
class HandlerSink final : public spdlog::sinks::base_sink<ForkMutex> {
 public:
  explicit HandlerSink(LogHandler handler) : handler_(std::move(handler)) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    handler_({static_cast<LogLevel>(message.level),
              std::string(message.payload.data(), message.payload.size())});
  }
  void flush_() override {}

 private:
  LogHandler handler_;
};

struct LogState {
  std::atomic<LogLevel> level{LogLevel::off};
  ForkMutex mutex;
  std::shared_ptr<spdlog::logger> logger;  // guarded by mutex
};

LogState& state() {
  static auto* const log = new LogState;
  return *log;
}

void use(std::shared_ptr<spdlog::logger> logger, LogLevel level) {
  logger->set_level(static_cast<spdlog::level::level_enum>(level));
  LogState& log = state();
  // The one before goes after the lock: it has a ForkMutex of its own, which withdraws then.
  const std::lock_guard guard(log.mutex);
  log.logger.swap(logger);
  log.level = level;
}

}  // namespace

void v1::set_log_handler(LogHandler handler, LogLevel level) {
  if (!handler) level = LogLevel::off;
  use(std::make_shared<spdlog::logger>("stepstore",
                                       std::make_shared<HandlerSink>(std::move(handler))),
      level);
}

void v1::log_to_stderr(LogLevel level) {
  auto logger = std::make_shared<spdlog::logger>(
      "stepstore", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  logger->set_pattern("%n: %l: %v");
  use(std::move(logger), level);
}

LogLevel v1::parse_log_level(std::string_view word) {
  for (std::size_t i = 0; i < kWords.size(); ++i) {
    if (kWords[i] == word) return static_cast<LogLevel>(i);
  }
  error(ErrorCode::InvalidArgument, "parse_log_level", word, "there is no such log level",
        "Use trace, debug, info, warning, error or off.")
      .raise();
}

bool log_enabled(LogLevel level) noexcept {
  return level >= state().level.load(std::memory_order_relaxed);
}

void log_line(LogLevel level, std::string_view message) {
  LogState& log = state();
  std::shared_ptr<spdlog::logger> logger;
  {
    const std::lock_guard guard(log.mutex);
    logger = log.logger;
  }
  if (!logger) return;
  logger->log(static_cast<spdlog::level::level_enum>(level),
              spdlog::string_view_t(message.data(), message.size()));
}

}  // namespace stepstore
