// Result<T>: a value or a StorageManagerError. Batches return one per item, so that one bad item
// spoils no other.
#pragma once

#include <utility>
#include <variant>

#include "stepstore/error.h"

namespace stepstore {
inline namespace v1 {

template <class T>
class [[nodiscard]] Result {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(StorageManagerError error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  // The value; throws the error, as the class of its code, when there is none.
  const T& value() const& {
    if (!ok()) error().raise();
    return std::get<0>(state_);
  }
  T value() && {
    if (!ok()) error().raise();
    return std::get<0>(std::move(state_));
  }
  const T& operator*() const& { return std::get<0>(state_); }
  T& operator*() & { return std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }

  // The error; only when !ok().
  const StorageManagerError& error() const { return std::get<1>(state_); }
  // True when there is an error with this code.
  bool is(ErrorCode code) const noexcept { return !ok() && error().code() == code; }

 private:
  std::variant<T, StorageManagerError> state_;
};

// The value of a Result whose success says nothing more.
using Done = std::monostate;

}  // namespace v1
}  // namespace stepstore
