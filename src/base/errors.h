// Making errors: every place that fails says code, operation, key and what to do in one expression.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "stepstore/error.h"
#include "stepstore/object_store.h"

namespace stepstore {

// error(ErrorCode::NotFound, "get", key, "there is no such object"). `advice` empty: the code's
// own.
StorageManagerError error(ErrorCode code, std::string_view operation, std::string_view key,
                          std::string message, std::string advice = {});

// The one place that maps errno. `what` names the call, e.g. "fsync". The cause is a
// std::system_error.
StorageManagerError errno_error(int number, std::string_view operation, std::string_view key,
                                std::string_view what);

// The same error with outcome_unknown() set.
StorageManagerError unknown_outcome(const StorageManagerError& from);
// The same error, told as one of `operation` on `key`.
StorageManagerError told_as(const StorageManagerError& from, std::string_view operation,
                            std::string_view key);

// Throws Cancelled or Timeout when the call must go no further. Call it before each piece of work
// that takes time.
void check_limits(const CallLimits& limits, Clock& clock, std::string_view operation);

// A public Call, begun now.
CallLimits begin(const Call& call, Clock& clock);

}  // namespace stepstore
