// A str of Python's that becomes UTF-8 where it is stored, and not on the thread that hands it
// over: for a long page that is most of what a call costs its caller, who may be an event loop.
#pragma once

#include <nanobind/nanobind.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "stepstore/bytes.h"
#include "utf8.h"

namespace stepstore::python {

namespace nb = nanobind;

class Text {
 public:
  // Looks at no character. Throws TypeError for what is no str.
  explicit Text(const nb::object& str);

  // Bytes, as Python holds it.
  std::size_t held() const noexcept { return length_ * static_cast<std::size_t>(width_); }
  // True once UTF-8 was made of it and it held lone surrogates, which have none: each has become
  // '?'.
  bool was_mended() const noexcept { return mended_; }

  // The rest needs no GIL: the characters of a str never change, and this keeps it.

  // True when it is stored as UTF-8 already, as ASCII; then view() gives it.
  bool is_utf8() const noexcept { return is_ascii_; }
  BytesView view() const noexcept { return {static_cast<const std::byte*>(characters_), length_}; }
  Utf8 to_utf8() const;

 private:
  nb::object str_;
  const void* characters_ = nullptr;
  std::size_t length_ = 0;
  int width_ = 1;  // bytes of a character: 1, 2 or 4
  bool is_ascii_ = false;
  mutable std::atomic<bool> mended_ = false;
};

// A str of these bytes, or None when they are no UTF-8. Needs the GIL.
nb::object str_of_utf8(BytesView utf8);

}  // namespace stepstore::python
