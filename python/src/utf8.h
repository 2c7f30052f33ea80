// UTF-8 from and to the arrays that Python keeps text in: characters of 1, 2 or 4 bytes, lone
// surrogates among them. Pages are megabytes of mostly ASCII, so a block of it goes at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "stepstore/bytes.h"

namespace stepstore::python {

struct Utf8 {
  std::unique_ptr<char[]> bytes;
  std::size_t size = 0;
  bool mended = false;  // lone surrogates, which have no UTF-8, have become '?'
};

// Instantiated for characters of 1, 2 and 4 bytes.
template <class Character>
Utf8 encode_utf8(const Character* text, std::size_t length);

struct Utf8Shape {
  std::size_t characters = 0;
  std::uint32_t largest = 0;  // of their kind: 0x7F, 0xFF, 0xFFFF or 0x10FFFF
};

// Of bytes that are UTF-8; of others it means nothing.
Utf8Shape shape_of_utf8(BytesView bytes) noexcept;

// Into as many characters as the shape says, wide enough for its largest. False: the bytes are no
// UTF-8, by the rules of RFC 3629.
template <class Character>
bool decode_utf8(BytesView bytes, Character* out, std::size_t characters) noexcept;

}  // namespace stepstore::python
