#include "base/errors.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <new>
#include <system_error>
#include <utility>

namespace stepstore {
namespace {

struct CodeRow {
  std::string_view name;
  bool retryable;
  std::string_view advice;
};

// In the order of ErrorCode.
constexpr std::array<CodeRow, 21> kCodes = {{
    {"InvalidArgument", false, "Mend the argument; nothing was changed."},
    {"NotFound", false, "Check the ids; they are case-sensitive."},
    {"AlreadyExists", false, "Read it, or store under another id."},
    {"Conflict", false, "Read it again, then decide whether to store."},
    {"PermissionDenied", false, "Give this user the rights it needs there."},
    {"Unauthenticated", false, "Mend the credentials."},
    {"Unavailable", true, "Call again later."},
    {"Throttled", true, "Call again later, and less often."},
    {"Timeout", true, "Call again, or allow more time."},
    {"Io", true, "See the cause; then call again."},
    {"NoSpace", true, "Free some space; then call again."},
    {"SpoolFull", true, "Let the spool drain, or raise its limit."},
    {"TooLarge", false, "Split or shrink it."},
    {"Corrupt", false, "Run `stepstore check` and restore the step from a copy."},
    {"Archived", false, "Restore the object from cold storage first."},
    {"Held", false, "Release the hold first."},
    {"Unsupported", false, "See the message for what can be done instead."},
    {"ConfigError", false, "Mend the setting."},
    {"PartialFailure", true, "Call again for what is left."},
    {"Cancelled", true, "The caller asked to stop; call again to go on."},
    {"Closed", false, "Open another StorageManager."},
}};

const CodeRow& row_of(ErrorCode code) noexcept { return kCodes[static_cast<std::size_t>(code)]; }

ErrorCode code_of_errno(int number) noexcept {
  switch (number) {
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::NotFound;
    case EEXIST:
      return ErrorCode::AlreadyExists;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::PermissionDenied;
    case ENOSPC:
    case EDQUOT:
      return ErrorCode::NoSpace;
    case EFBIG:
      return ErrorCode::TooLarge;
    case ENAMETOOLONG:
    case EINVAL:
    case EISDIR:
      return ErrorCode::InvalidArgument;
    default:
      return ErrorCode::Io;
  }
}

std::string one_line(const ErrorDetails& details) {
  std::string line(name_of(details.code));
  if (!details.operation.empty()) line += " in " + details.operation;
  if (!details.key.empty()) line += " of '" + details.key + "'";
  line += ": " + details.message + ".";
  if (details.outcome_unknown) line += " It may have been written all the same.";
  if (!details.advice.empty()) line += " " + details.advice;
  return line;
}

}  // namespace

std::string_view v1::name_of(ErrorCode code) noexcept { return row_of(code).name; }

// Most errors are never read: that there is no session root is one, and is the rule. So the line is
// made by whoever asks first; should two do so at once, the second one's is dropped.
struct StorageManagerError::Content final : ErrorDetails {
  explicit Content(ErrorDetails details) : ErrorDetails(std::move(details)) {}
  Content(const Content&) = delete;
  Content& operator=(const Content&) = delete;
  ~Content() { delete line.load(std::memory_order_relaxed); }

  mutable std::atomic<const std::string*> line = nullptr;
};

StorageManagerError::StorageManagerError(ErrorDetails details)
    : details_(std::make_shared<const Content>(std::move(details))) {}

const char* StorageManagerError::what() const noexcept {
  auto& line = static_cast<const Content&>(*details_).line;
  const std::string* made = line.load(std::memory_order_acquire);
  if (made != nullptr) return made->c_str();
  try {
    auto fresh = std::make_unique<const std::string>(one_line(*details_));
    if (line.compare_exchange_strong(made, fresh.get(), std::memory_order_acq_rel)) {
      made = fresh.release();
    }
    return made->c_str();
  } catch (const std::bad_alloc&) {
    return "there is no memory to tell what went wrong";
  }
}

void StorageManagerError::raise() const {
  switch (code()) {
#define STEPSTORE_RAISE(Name) \
  case ErrorCode::Name:       \
    throw Name(*this);
    STEPSTORE_RAISE(InvalidArgument)
    STEPSTORE_RAISE(NotFound)
    STEPSTORE_RAISE(AlreadyExists)
    STEPSTORE_RAISE(Conflict)
    STEPSTORE_RAISE(PermissionDenied)
    STEPSTORE_RAISE(Unauthenticated)
    STEPSTORE_RAISE(Unavailable)
    STEPSTORE_RAISE(Throttled)
    STEPSTORE_RAISE(Timeout)
    STEPSTORE_RAISE(Io)
    STEPSTORE_RAISE(NoSpace)
    STEPSTORE_RAISE(SpoolFull)
    STEPSTORE_RAISE(TooLarge)
    STEPSTORE_RAISE(Corrupt)
    STEPSTORE_RAISE(Archived)
    STEPSTORE_RAISE(Held)
    STEPSTORE_RAISE(Unsupported)
    STEPSTORE_RAISE(ConfigError)
    STEPSTORE_RAISE(PartialFailure)
    STEPSTORE_RAISE(Cancelled)
    STEPSTORE_RAISE(Closed)
#undef STEPSTORE_RAISE
  }
  throw StorageManagerError(*this);
}

StorageManagerError error(ErrorCode code, std::string_view operation, std::string_view key,
                          std::string message, std::string advice) {
  const CodeRow& row = row_of(code);
  return StorageManagerError(
      {.code = code,
       .message = std::move(message),
       .operation = std::string(operation),
       .key = std::string(key),
       .advice = advice.empty() ? std::string(row.advice) : std::move(advice),
       .retryable = row.retryable});
}

StorageManagerError errno_error(int number, std::string_view operation, std::string_view key,
                                std::string_view what) {
  const ErrorCode code = code_of_errno(number);
  const std::error_code cause(number, std::generic_category());
  StorageManagerError plain =
      error(code, operation, key, std::string(what) + " failed: " + cause.message());
  ErrorDetails details = plain.details();
  details.cause = std::make_exception_ptr(std::system_error(cause, std::string(what)));
  return StorageManagerError(std::move(details));
}

StorageManagerError unknown_outcome(const StorageManagerError& from) {
  ErrorDetails details = from.details();
  details.outcome_unknown = true;
  return StorageManagerError(std::move(details));
}

StorageManagerError told_as(const StorageManagerError& from, std::string_view operation,
                            std::string_view key) {
  ErrorDetails details = from.details();
  details.operation = operation;
  details.key = key;
  return StorageManagerError(std::move(details));
}

void check_limits(const CallLimits& limits, Clock& clock, std::string_view operation) {
  if (limits.stop.stop_requested() || (limits.interrupted && limits.interrupted())) {
    error(ErrorCode::Cancelled, operation, "", "the caller asked to stop").raise();
  }
  if (limits.deadline != std::chrono::steady_clock::time_point::max() &&
      clock.steady_now() >= limits.deadline) {
    error(ErrorCode::Timeout, operation, "", "the time given for the call is over").raise();
  }
}

CallLimits begin(const Call& call, Clock& clock) {
  const auto now = clock.steady_now();
  // A timeout of years must not overflow the clock.
  constexpr auto kForever = std::chrono::hours{24 * 365 * 10};
  auto deadline = std::chrono::steady_clock::time_point::max();
  if (call.timeout < kForever) deadline = now + call.timeout;
  return {.deadline = deadline, .stop = call.stop, .interrupted = call.interrupted};
}

}  // namespace stepstore
