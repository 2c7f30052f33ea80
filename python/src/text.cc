#include "text.h"

#include <algorithm>

namespace stepstore::python {
namespace {

// Characters that are looked at together: pages are mostly ASCII, also where not all of them is.
// Counts within a block fit into the narrowest character.
constexpr std::size_t kBlock = 64;

struct Measured {
  std::size_t size;
  bool surrogates;  // lone ones, each counted as the one byte of its replacement
};

template <class Character>
std::size_t count_surrogates(const Character* text, std::size_t length) {
  return static_cast<std::size_t>(
      std::count_if(text, text + length, [](Character one) { return one >> 11U == 0x1BU; }));
}

// In the character's own width throughout, so that the compiler can look at many at once.
template <class Character>
Measured measure(const Character* text, std::size_t length) {
  constexpr auto kHigh = static_cast<Character>(~0x7FFU);
  std::size_t size = length;
  bool surrogates = false;
  for (std::size_t at = 0; at < length; at += kBlock) {
    const std::size_t end = std::min(length, at + kBlock);
    Character longer = 0;
    Character odd = 0;
    for (std::size_t i = at; i < end; ++i) {
      const Character one = text[i];
      longer = static_cast<Character>(longer + static_cast<Character>(one > 0x7F));
      if constexpr (sizeof(Character) > 1) {
        longer = static_cast<Character>(longer + static_cast<Character>(one > 0x7FF));
        odd = static_cast<Character>(
            odd | static_cast<Character>(static_cast<Character>(one & kHigh) == 0xD800));
      }
      if constexpr (sizeof(Character) > 2) {
        longer = static_cast<Character>(longer + static_cast<Character>(one > 0xFFFF));
      }
    }
    size += longer;
    surrogates |= odd != 0;
  }
  if constexpr (sizeof(Character) > 1) {
    if (surrogates) size -= 2 * count_surrogates(text, length);
  }
  return {size, surrogates};
}

char* put(std::uint32_t one, char* out) {
  const auto last = [one](int shift) { return static_cast<char>(0x80 | (one >> shift & 0x3F)); };
  if (one < 0x80) {
    *out++ = static_cast<char>(one);
  } else if (one < 0x800) {
    *out++ = static_cast<char>(0xC0 | one >> 6);
    *out++ = last(0);
  } else if (one >> 11 == 0x1B) {
    *out++ = '?';
  } else if (one < 0x10000) {
    *out++ = static_cast<char>(0xE0 | one >> 12);
    *out++ = last(6);
    *out++ = last(0);
  } else {
    *out++ = static_cast<char>(0xF0 | one >> 18);
    *out++ = last(12);
    *out++ = last(6);
    *out++ = last(0);
  }
  return out;
}

template <class Character>
void write(const Character* text, std::size_t length, char* out) {
  const Character* const end = text + length;
  while (text != end) {
    const std::size_t block = std::min<std::size_t>(kBlock, static_cast<std::size_t>(end - text));
    Character all = 0;
    for (std::size_t i = 0; i < block; ++i) all |= text[i];
    if (all < 0x80) {
      for (std::size_t i = 0; i < block; ++i) out[i] = static_cast<char>(text[i]);
      out += block;
    } else {
      for (std::size_t i = 0; i < block; ++i) out = put(text[i], out);
    }
    text += block;
  }
}

template <class Character>
const Character* as(const void* characters) {
  return static_cast<const Character*>(characters);
}

}  // namespace

Text::Text(const nb::object& str) : str_(str) {
  PyObject* const object = str.ptr();
  if (!PyUnicode_Check(object)) throw nb::type_error("a Text is made of a str");
#if PY_VERSION_HEX < 0x030C0000
  if (PyUnicode_READY(object) != 0) throw nb::python_error();
#endif
  characters_ = PyUnicode_DATA(object);
  length_ = static_cast<std::size_t>(PyUnicode_GET_LENGTH(object));
  width_ = static_cast<int>(PyUnicode_KIND(object));
  is_ascii_ = PyUnicode_IS_ASCII(object);
}

Text::Utf8 Text::to_utf8() const {
  const auto encode = [this](const auto* text) {
    const Measured found = measure(text, length_);
    mended_ = found.surrogates;
    Utf8 made{std::make_unique_for_overwrite<char[]>(found.size), found.size};
    write(text, length_, made.bytes.get());
    return made;
  };
  if (width_ == 1) return encode(as<Py_UCS1>(characters_));
  if (width_ == 2) return encode(as<Py_UCS2>(characters_));
  return encode(as<Py_UCS4>(characters_));
}

}  // namespace stepstore::python
