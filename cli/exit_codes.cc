#include "exit_codes.h"

#include <array>

namespace stepstore::cli {
namespace {

constexpr std::array kTable = {
    ExitCodeRow{ExitCode::ok, "ok", "done"},
    ExitCodeRow{ExitCode::unexpected, "unexpected", "a failure that no other code describes"},
    ExitCodeRow{ExitCode::usage, "usage", "wrong command line, store URI or setting"},
    ExitCodeRow{ExitCode::not_found, "not-found", "no such session, step, component or file"},
    ExitCodeRow{ExitCode::already_exists, "already-exists",
                "the step or file is there already and was to be left alone"},
    ExitCodeRow{ExitCode::conflict, "conflict", "somebody else changed the step first"},
    ExitCodeRow{ExitCode::held, "held", "a hold protects the step or session"},
    ExitCodeRow{ExitCode::invalid_data, "invalid-data",
                "an id, a name, JSON text or a size that cannot be stored"},
    ExitCodeRow{ExitCode::no_space, "no-space", "the disk, quota or spool is full"},
    ExitCodeRow{ExitCode::permission, "permission",
                "this user or these credentials may not do that"},
    ExitCodeRow{ExitCode::unavailable, "unavailable",
                "the store did not answer, or not in time; try again later"},
    ExitCodeRow{ExitCode::damaged, "damaged", "stored bytes do not agree with their checksums"},
    ExitCodeRow{ExitCode::partial, "partial", "some was done and some failed; run it again"},
    ExitCodeRow{ExitCode::io, "io", "the disk, the network or an output failed"},
    ExitCodeRow{ExitCode::unsupported, "unsupported",
                "this store or release cannot do that, or the bytes are archived"},
    ExitCodeRow{ExitCode::unfit, "unfit",
                "the store does not do what stepstore's promises need (doctor)"},
    ExitCodeRow{ExitCode::interrupted, "interrupted", "stopped by ctrl-C (SIGINT)"},
    ExitCodeRow{ExitCode::reader_gone, "reader-gone",
                "the program that read the output went away (as with SIGPIPE)"},
    ExitCodeRow{ExitCode::terminated, "terminated", "stopped by SIGTERM"},
};

}  // namespace

std::span<const ExitCodeRow> exit_code_table() noexcept { return kTable; }

std::string_view name_of(ExitCode code) noexcept {
  for (const ExitCodeRow& row : kTable) {
    if (row.code == code) return row.name;
  }
  return "unexpected";
}

ExitCode exit_code_of(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::NotFound:
      return ExitCode::not_found;
    case ErrorCode::AlreadyExists:
      return ExitCode::already_exists;
    case ErrorCode::Conflict:
      return ExitCode::conflict;
    case ErrorCode::Held:
      return ExitCode::held;
    case ErrorCode::InvalidArgument:
    case ErrorCode::TooLarge:
      return ExitCode::invalid_data;
    case ErrorCode::NoSpace:
    case ErrorCode::SpoolFull:
      return ExitCode::no_space;
    case ErrorCode::PermissionDenied:
    case ErrorCode::Unauthenticated:
      return ExitCode::permission;
    case ErrorCode::Unavailable:
    case ErrorCode::Throttled:
    case ErrorCode::Timeout:
      return ExitCode::unavailable;
    case ErrorCode::Corrupt:
      return ExitCode::damaged;
    case ErrorCode::PartialFailure:
      return ExitCode::partial;
    case ErrorCode::Io:
      return ExitCode::io;
    case ErrorCode::Unsupported:
    case ErrorCode::Archived:
      return ExitCode::unsupported;
    case ErrorCode::ConfigError:
      return ExitCode::usage;
    case ErrorCode::Cancelled:
      return ExitCode::interrupted;
    case ErrorCode::Closed:
      return ExitCode::unexpected;
  }
  return ExitCode::unexpected;
}

void Outcomes::failed(ExitCode code) noexcept {
  mixed_ = mixed_ || (failure_ != ExitCode::ok && failure_ != code);
  failure_ = code;
}

ExitCode Outcomes::exit_code() const noexcept {
  const bool partly = failure_ != ExitCode::ok && (some_done_ || mixed_);
  return partly ? ExitCode::partial : failure_;
}

}  // namespace stepstore::cli
