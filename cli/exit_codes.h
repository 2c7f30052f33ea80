// The exit codes of the command: one per class of failure, so that a script can tell what to do.
#pragma once

#include <span>
#include <string_view>

#include "stepstore/error.h"

namespace stepstore::cli {

enum class ExitCode : int {
  ok = 0,
  unexpected = 1,
  usage = 2,
  not_found = 3,
  already_exists = 4,
  conflict = 5,
  held = 6,
  invalid_data = 7,
  no_space = 8,
  permission = 9,
  unavailable = 10,
  damaged = 11,
  partial = 12,
  io = 13,
  unsupported = 14,
  unfit = 15,
  interrupted = 130,
  reader_gone = 141,
  terminated = 143,
};

struct ExitCodeRow {
  ExitCode code;
  std::string_view name;     // as in the "exit" field of a JSON error
  std::string_view meaning;  // one line, for `stepstore help exit-codes` and the manual
};

// Every code, in order.
std::span<const ExitCodeRow> exit_code_table() noexcept;
std::string_view name_of(ExitCode code) noexcept;

// The exit code of an error of the library.
ExitCode exit_code_of(ErrorCode code) noexcept;

// The exit code of work on many steps: nothing failed, all failed alike, or some did.
class Outcomes {
 public:
  void succeeded() noexcept { some_done_ = true; }
  void failed(ExitCode code) noexcept;
  ExitCode exit_code() const noexcept;

 private:
  bool some_done_ = false;
  bool mixed_ = false;
  ExitCode failure_ = ExitCode::ok;
};

}  // namespace stepstore::cli
