// Runs a call of the library for Python: without the GIL, interruptible by ctrl-C, its errors as
// Python's exceptions, its log lines handed to Python's logging, over when the interpreter exits.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <stop_token>
#include <string_view>
#include <utility>

#include "convert.h"

namespace stepstore::python {

// Log lines that were written without the GIL wait in a bounded queue; drain_log() hands them to
// Python's logging.
void collect_log(const std::string& level);
void drain_log();

// Python ends a daemon thread that asks for the GIL after the interpreter's end by unwinding its
// stack, which C++ answers with std::terminate. So the exit waits for calls: every function that
// waits in one has an Entry as its first local, made and destroyed with the GIL held; calls that
// run on the library's threads, which never ask for the GIL, have one too.
class Entry {
 public:
  // Throws Closed when the interpreter is exiting, unless `late` allows it.
  explicit Entry(std::string_view operation, bool late = false);
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;
  ~Entry();

 private:
  void* running_;
};

// Called once, by atexit: refuses new calls, asks running ones to stop and waits a few seconds.
void end_calls();
// Requested by end_calls().
std::stop_token stop_at_exit();
// True when end_calls() waits no longer: the GIL must not be taken any more.
bool exit_has_given_up() noexcept;
[[noreturn]] void sleep_forever() noexcept;
// A forked child starts without calls and log lines of its parent's threads. Called once.
void start_afresh_after_fork();

// Asks Python whether a signal has come, at most every 50 ms, since taking the GIL may mean to wait
// for another thread. Signal handlers run on Python's main thread; on others PyErr_CheckSignals
// does nothing.
class InterruptCheck {
 public:
  bool operator()() {
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < std::chrono::milliseconds(50)) return false;
    last_ = now;
    if (exit_has_given_up()) return false;
    const nb::gil_scoped_acquire gil;
    return PyErr_CheckSignals() != 0;  // the exception stays set, for run() to raise
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

// Whatever was thrown, as an error of the library. Call it in a handler.
StorageManagerError failure_of(std::string_view operation) noexcept;

// Beyond a century it is forever; the conversion must not overflow.
inline Call call_of(double timeout_seconds) {
  constexpr double kSecondsMax = 3.2e9;
  return {.timeout = std::chrono::milliseconds(
              static_cast<std::int64_t>(std::min(timeout_seconds, kSecondsMax) * 1000))};
}

// `work` gets the call's bounds and must not touch Python.
template <class Work>
auto run(std::string_view operation, double timeout_seconds, Work&& work) {
  Call call = call_of(timeout_seconds);
  call.stop = stop_at_exit();
  call.interrupted = InterruptCheck();
  using Value = decltype(work(call));
  std::optional<Value> value;
  std::optional<StorageManagerError> failure;
  {
    const nb::gil_scoped_release released;
    try {
      value = work(call);
    } catch (...) {
      failure = failure_of(operation);
    }
    if (exit_has_given_up()) sleep_forever();
  }
  if (PyErr_Occurred() != nullptr) throw nb::python_error();
  drain_log();
  if (failure) raise(*failure);
  return *std::move(value);
}

}  // namespace stepstore::python
