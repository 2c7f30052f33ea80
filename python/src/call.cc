#include "call.h"

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <new>
#include <utility>

#include "port.h"

namespace stepstore::python {
namespace {

constexpr std::size_t kLinesMax = 1000;

// Never destroyed: threads of the library may log while the interpreter goes down.
struct Queue {
  std::mutex mutex;
  std::deque<LogRecord> lines;
  std::size_t dropped = 0;
};

std::atomic<Queue*> the_queue{new Queue};

Queue& queue() { return *the_queue.load(); }

// The calls that run now. Never destroyed, as the queue.
struct Running {
  std::mutex mutex;
  std::condition_variable none;
  std::size_t calls = 0;
  bool ended = false;
  std::atomic<bool> given_up{false};
  std::stop_source stop;
};

std::atomic<Running*> the_running{new Running};

Running& running() { return *the_running.load(); }

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
  const nb::object emit = nb::module_::import_("stepstore._log").attr("emit");
  for (const LogRecord& line : lines) emit(python_level(line.level), to_str(line.message));
  if (dropped > 0) {
    emit(python_level(LogLevel::warning),
         to_str(std::to_string(dropped) + " log lines were dropped"));
  }
}

StorageManagerError failure_of(std::string_view operation) noexcept {
  const auto unexpected = [&](std::string message) {
    return StorageManagerError({.code = ErrorCode::Io,
                                .message = std::move(message),
                                .operation = std::string(operation),
                                .advice = "Look at the message; a smaller batch needs less memory.",
                                .cause = std::current_exception()});
  };
  try {
    throw;
  } catch (const StorageManagerError& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return unexpected("there is not enough memory");
  } catch (const std::exception& error) {
    return unexpected(std::string("the call failed: ") + error.what());
  } catch (...) {
    return unexpected("the call failed with an unknown exception");
  }
}

Entry::Entry(std::string_view operation, bool late) : running_(&running()) {
  {
    Running& calls = running();
    const std::lock_guard guard(calls.mutex);
    if (late || !calls.ended) {
      ++calls.calls;
      return;
    }
  }
  raise(StorageManagerError({.code = ErrorCode::Closed,
                             .message = "the interpreter is exiting",
                             .operation = std::string(operation),
                             .advice = "End your threads before the program ends."}));
}

Entry::~Entry() {
  Running& calls = running();
  if (&calls != running_) return;  // of the parent process, whose mutex nobody may unlock here
  const std::lock_guard guard(calls.mutex);
  if (--calls.calls == 0) calls.none.notify_all();
}

void end_calls() {
  constexpr auto kPatience = std::chrono::seconds(5);
  // Daemon threads end with all that they hold, and so do calls that no event loop hears of any
  // more, which is no leak to warn of.
  PyThreadState* const first = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
  if (PyThreadState_Next(first) != nullptr || Op::count() > 0) nb::set_leak_warnings(false);
  const nb::gil_scoped_release released;
  Running& calls = running();
  std::unique_lock lock(calls.mutex);
  calls.ended = true;
  // Not under the lock: stopping runs the callbacks of the library.
  lock.unlock();
  calls.stop.request_stop();
  lock.lock();
  if (!calls.none.wait_for(lock, kPatience, [&] { return calls.calls == 0; })) {
    calls.given_up = true;
  }
}

std::stop_token stop_at_exit() { return running().stop.get_token(); }

bool exit_has_given_up() noexcept { return the_running.load()->given_up; }

void sleep_forever() noexcept {
  while (true) pause();
}

void start_afresh_after_fork() {
  // What the parent's threads held is locked for ever in the child, so it is left behind.
  pthread_atfork(nullptr, nullptr, [] {
    the_queue = new Queue;
    the_running = new Running;
  });
}

}  // namespace stepstore::python
