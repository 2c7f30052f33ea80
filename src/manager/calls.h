// How a public method begins and ends: the manager is open, the call's time runs, errors leave with
// the method's name in them.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/errors.h"
#include "manager/manager_core.h"

namespace stepstore {

inline std::string step_name(std::string_view session_id, std::string_view step_id) {
  return std::string(session_id) + "/" + std::string(step_id);
}

// Runs one public call. `name`: what the error is about, where the error itself does not say.
template <class Work>
auto call(ManagerCore& core, std::string_view operation, const std::string& name,
          const Call& bounds, Work&& work) {
  try {
    if (core.closed) error(ErrorCode::Closed, "", "", "the StorageManager was closed").raise();
    const CallLimits limits = begin(bounds, core.clock);
    check_limits(limits, core.clock, operation);
    return work(limits);
  } catch (const StorageManagerError& failure) {
    told_as(failure, operation, failure.key().empty() ? name : failure.key()).raise();
  }
}

// One item of a batch: its error becomes its result.
template <class T, class Work>
Result<T> attempt(std::string_view operation, const std::string& name, Work&& work) {
  try {
    return work();
  } catch (const StorageManagerError& failure) {
    return told_as(failure, operation, failure.key().empty() ? name : failure.key());
  } catch (const std::exception& failure) {
    ErrorDetails details =
        error(ErrorCode::Io, operation, name, std::string("a source failed: ") + failure.what())
            .details();
    details.cause = std::current_exception();
    return StorageManagerError(std::move(details));
  }
}

}  // namespace stepstore
