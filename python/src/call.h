// Runs a call of the library for Python: without the GIL, interruptible by ctrl-C, its errors as
// Python's exceptions, its log lines handed to Python's logging.
#pragma once

#include <chrono>
#include <optional>
#include <utility>

#include "convert.h"

namespace stepstore::python {

// Log lines that were written without the GIL wait in a bounded queue; drain() hands them to
// Python's logging.
void collect_log(const std::string& level);
void drain_log();

// Asks Python whether a signal has come, at most every 50 ms, since taking the GIL may mean to wait
// for another thread. Signal handlers run on Python's main thread; on others PyErr_CheckSignals
// does nothing.
class InterruptCheck {
 public:
  bool operator()() {
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < std::chrono::milliseconds(50)) return false;
    last_ = now;
    const nb::gil_scoped_acquire gil;
    return PyErr_CheckSignals() != 0;  // the exception stays set, for run() to raise
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

// `work` gets the call's bounds and must not touch Python.
template <class Work>
auto run(double timeout_seconds, Work&& work) {
  Call call;
  // Beyond a century it is forever; the conversion must not overflow.
  constexpr double kSecondsMax = 3.2e9;
  call.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(
      timeout_seconds < kSecondsMax ? timeout_seconds * 1000 : kSecondsMax * 1000));
  call.interrupted = InterruptCheck();
  using Value = decltype(work(call));
  std::optional<Value> value;
  std::optional<StorageManagerError> failure;
  {
    const nb::gil_scoped_release released;
    try {
      value = work(call);
    } catch (const StorageManagerError& error) {
      failure = error;
    }
  }
  if (PyErr_Occurred() != nullptr) throw nb::python_error();
  drain_log();
  if (failure) {
    const nb::object exception = to_exception(*failure);
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.ptr())), exception.ptr());
    throw nb::python_error();
  }
  return *std::move(value);
}

}  // namespace stepstore::python
