// What stepstore throws: one base class, one small class per code.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stepstore {
inline namespace v1 {

// What went wrong, by what the caller does next.
enum class ErrorCode : std::uint8_t {
  InvalidArgument,  // Mend the argument that the message names. Nothing was changed.
  NotFound,         // There is no such step, component or source file. Check the id; ids are
                    // case-sensitive.
  AlreadyExists,    // The step is there and if_exists=fail was asked for. Read it, or store under
                    // another id.
  Conflict,  // Somebody else changed the step first. Read it again, then decide whether to store.
  PermissionDenied,  // Mend the rights of this user on the path or bucket.
  Unauthenticated,   // The credentials are missing, wrong or expired. Mend them.
  Unavailable,       // The store cannot be reached. Call again later.
  Throttled,         // The store asks to slow down. Call again later, and less often.
  Timeout,           // The time given was not enough. Call again, or allow more.
  Io,                // The disk or the network failed. Read the cause; then call again.
  NoSpace,           // The disk or quota is full. Free some space; then call again.
  SpoolFull,         // The spool has reached its limit. Let it drain or raise the limit.
  TooLarge,          // One part is larger than the limit in the message. Split or shrink it.
  Corrupt,   // Stored bytes do not agree with their manifest. Run `stepstore check`; restore from a
             // copy.
  Archived,  // The bytes lie in cold storage. Restore them there first.
  Held,      // A hold protects the step or session. Release it first.
  Unsupported,     // The store or this version cannot do that. The message says what can.
  ConfigError,     // The URI, an option or a variable is wrong. Mend it; the message says which.
  PartialFailure,  // Some of it was done. The result says what is left; call again.
  Cancelled,       // The caller asked to stop. The step is whole or absent.
  Closed,          // The manager was closed. Open another.
};

// "NotFound" and so on, as in the class names.
std::string_view name_of(ErrorCode code) noexcept;

// One try of a request, for errors that tell what was attempted.
struct Attempt {
  std::string what;  // one line: what was tried, against what, how it ended, how long it took
  std::string request_id{};        // the server's; empty: it told none
  std::string peer{};              // address and port; empty: there was no connection
  bool reused_connection = false;  // it had served before; false: a fresh one, or none
  int http_status = 0;             // 0: no answer
  // Since the attempt began; 0: it did not come so far. `connect` is of a fresh connection, TLS
  // included, the look-up of the name not.
  std::chrono::microseconds connect{0};
  std::chrono::microseconds first_byte{0};
  std::chrono::microseconds total{0};
  std::uint64_t bytes_sent = 0;  // over HTTP, heads included
  std::uint64_t bytes_received = 0;
};

// Everything an error tells; made once, shared by its copies.
struct ErrorDetails {
  ErrorCode code = ErrorCode::Io;
  std::string message{};
  std::string operation{};  // the public method, or the store operation, that failed
  std::string key{};        // the object key, path or id concerned
  std::string advice{};     // one sentence: what to do next
  bool retryable = false;
  bool outcome_unknown = false;
  int http_status = 0;
  std::string request_id{};
  std::vector<Attempt> attempts{};
  std::exception_ptr cause{};
};

// The base of all that stepstore throws. Copying never throws. Immutable, so safe to hand to other
// threads.
class StorageManagerError : public std::exception {
 public:
  explicit StorageManagerError(ErrorDetails details);

  const char* what()
      const noexcept override;  // one line with code, message, key and advice; no secrets
  ErrorCode code() const noexcept { return details_->code; }
  std::string_view message() const noexcept { return details_->message; }
  std::string_view operation() const noexcept { return details_->operation; }
  std::string_view key() const noexcept { return details_->key; }
  std::string_view advice() const noexcept { return details_->advice; }
  // True when the same call may succeed later without any change by the caller.
  bool retryable() const noexcept { return details_->retryable; }
  // True when a write may or may not have happened: read back before deciding. Storing again is
  // always safe.
  bool outcome_unknown() const noexcept { return details_->outcome_unknown; }
  int http_status() const noexcept { return details_->http_status; }  // 0: no answer, or not HTTP
  std::string_view request_id() const noexcept { return details_->request_id; }
  std::span<const Attempt> attempts() const noexcept { return details_->attempts; }
  std::exception_ptr cause() const noexcept { return details_->cause; }  // null: none
  const ErrorDetails& details() const noexcept { return *details_; }

  // Throws this error as the class of its code, so that `catch (const NotFound&)` works.
  [[noreturn]] void raise() const;

 private:
  struct Content;  // the details, and what()'s line once it was asked for
  std::shared_ptr<const ErrorDetails> details_;
};

#define STEPSTORE_ERROR_CLASS(Name)                                                 \
  class Name : public StorageManagerError {                                         \
   public:                                                                          \
    explicit Name(const StorageManagerError& error) : StorageManagerError(error) {} \
  };
STEPSTORE_ERROR_CLASS(InvalidArgument)
STEPSTORE_ERROR_CLASS(NotFound)
STEPSTORE_ERROR_CLASS(AlreadyExists)
STEPSTORE_ERROR_CLASS(Conflict)
STEPSTORE_ERROR_CLASS(PermissionDenied)
STEPSTORE_ERROR_CLASS(Unauthenticated)
STEPSTORE_ERROR_CLASS(Unavailable)
STEPSTORE_ERROR_CLASS(Throttled)
STEPSTORE_ERROR_CLASS(Timeout)
STEPSTORE_ERROR_CLASS(Io)
STEPSTORE_ERROR_CLASS(NoSpace)
STEPSTORE_ERROR_CLASS(SpoolFull)
STEPSTORE_ERROR_CLASS(TooLarge)
STEPSTORE_ERROR_CLASS(Corrupt)
STEPSTORE_ERROR_CLASS(Archived)
STEPSTORE_ERROR_CLASS(Held)
STEPSTORE_ERROR_CLASS(Unsupported)
STEPSTORE_ERROR_CLASS(ConfigError)
STEPSTORE_ERROR_CLASS(PartialFailure)
STEPSTORE_ERROR_CLASS(Cancelled)
STEPSTORE_ERROR_CLASS(Closed)
#undef STEPSTORE_ERROR_CLASS

}  // namespace v1
}  // namespace stepstore
