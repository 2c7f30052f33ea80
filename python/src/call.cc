#include "call.h"

#include <deque>
#include <mutex>

namespace stepstore::python {
namespace {

constexpr std::size_t kLinesMax = 1000;

// Never destroyed: threads of the library may log while the interpreter goes down.
struct Queue {
  std::mutex mutex;
  std::deque<LogRecord> lines;
  std::size_t dropped = 0;
};

Queue& queue() {
  static auto* const lines = new Queue;
  return *lines;
}

// Python's numbers for its levels; trace has none, so it lies below debug.
int python_level(LogLevel level) {
  constexpr int kLevels[] = {5, 10, 20, 30, 40, 50};
  return kLevels[static_cast<std::size_t>(level)];
}

}  // namespace

void collect_log(const std::string& level) {
  set_log_handler(
      [](const LogRecord& record) {
        Queue& waiting = queue();
        const std::lock_guard guard(waiting.mutex);
        if (waiting.lines.size() == kLinesMax) {
          waiting.lines.pop_front();
          ++waiting.dropped;
        }
        waiting.lines.push_back(record);
      },
      parse_log_level(level));
}

void drain_log() {
  std::deque<LogRecord> lines;
  std::size_t dropped = 0;
  {
    Queue& waiting = queue();
    const std::lock_guard guard(waiting.mutex);
    lines.swap(waiting.lines);
    std::swap(dropped, waiting.dropped);
  }
  if (lines.empty()) return;
  const nb::object logger = nb::module_::import_("logging").attr("getLogger")("stepstore");
  for (const LogRecord& line : lines) {
    logger.attr("log")(python_level(line.level), "%s", line.message);
  }
  if (dropped > 0) logger.attr("warning")("%d log lines were dropped", dropped);
}

}  // namespace stepstore::python
