// A program that is run for what it prints.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/clock.h"
#include "stepstore/object_store.h"

namespace stepstore {

struct ChildProcess {
  std::vector<std::string> arguments{};  // the program first, looked up in PATH; no shell
  // NAME=value, ended by null, as the process's own; null: none. It must stay until the call ends.
  char* const* environment = nullptr;
  std::chrono::milliseconds timeout{60'000};
  std::size_t output_bytes_max = 64U << 10;
};

struct ChildOutcome {
  enum class End : std::uint8_t {
    exited,       // with `status`
    killed,       // by the signal `status`
    not_started,  // `status` is an errno
    too_long,     // it took longer than its timeout, or than the limits allow
    too_much,     // it printed more than output_bytes_max
  };
  End end = End::exited;
  int status = 0;
  std::string output{};  // what it has printed to its standard output
};

// Runs it and waits. Its standard input is empty and its standard error goes nowhere. A program
// that is given up is killed with its children. Throws Cancelled when the caller asks to stop.
ChildOutcome run_child(const ChildProcess& child, const CallLimits& limits, Clock& clock);

}  // namespace stepstore
