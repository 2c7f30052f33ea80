// A str of Python's that becomes UTF-8 where it is stored, and not on the thread that hands it
// over: for a long page that is most of what a call costs its caller, who may be an event loop.
#pragma once

#include <nanobind/nanobind.h>

#include <cstddef>
#include <cstdint>

#include "stepstore/bytes.h"

namespace stepstore::python {

namespace nb = nanobind;

class Text {
 public:
  // Looks at every character once, to tell the size. Throws TypeError for what is no str.
  explicit Text(const nb::object& str);

  std::size_t size() const noexcept { return size_; }
  // False when it holds lone surrogates; then only size() may be asked for.
  bool has_encoding() const noexcept { return has_encoding_; }

  // The rest needs no GIL: the characters of a str never change, and this keeps it.

  // True when it is stored as UTF-8 already, as ASCII; then view() gives it.
  bool is_utf8() const noexcept { return is_ascii_; }
  BytesView view() const noexcept { return {static_cast<const std::byte*>(characters_), size_}; }
  // `out` takes size() bytes.
  void write_utf8(char* out) const noexcept;

 private:
  nb::object str_;
  const void* characters_ = nullptr;
  std::size_t length_ = 0;
  int width_ = 1;  // bytes of a character: 1, 2 or 4
  bool is_ascii_ = false;
  bool has_encoding_ = true;
  std::size_t size_ = 0;
};

}  // namespace stepstore::python
