// How far a call may go: its time and the ways to stop it.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>

namespace stepstore {
inline namespace v1 {

// UTC, in milliseconds.
using Timestamp = std::chrono::sys_time<std::chrono::milliseconds>;

// Given with every public call. A call that is stopped leaves the step whole or absent.
struct Call {
  std::chrono::milliseconds timeout{
      60'000};             // for the whole call, retries included; Timeout when it is over
  std::stop_token stop{};  // request_stop() from any thread ends the call with Cancelled
  // Asked now and then on the calling thread only, at once when a signal interrupts a wait; true
  // ends the call with Cancelled. This is how ctrl-C reaches a call that Python's main thread is
  // in. Empty: never asked.
  std::function<bool()> interrupted{};
};

}  // namespace v1
}  // namespace stepstore
