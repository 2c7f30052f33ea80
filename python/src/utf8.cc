#include "utf8.h"

#include <algorithm>
#include <cstring>

namespace stepstore::python {
namespace {

// So many at once, by loops of a fixed length that the compiler makes one of wide registers of.
constexpr std::size_t kBlock = 32;
constexpr std::size_t kLongest = 4;  // bytes of a character

template <class Character>
bool block_is_ascii(const Character* text) {
  Character all = 0;
  for (std::size_t i = 0; i < kBlock; ++i) all = static_cast<Character>(all | text[i]);
  return all < 0x80;
}

template <class From, class To>
void copy_block(const From* from, To* to) {
  for (std::size_t i = 0; i < kBlock; ++i) to[i] = static_cast<To>(from[i]);
}

char* put(std::uint32_t one, char* out, bool& mended) {
  const auto last = [one](int shift) { return static_cast<char>(0x80 | (one >> shift & 0x3F)); };
  if (one < 0x80) {
    *out++ = static_cast<char>(one);
  } else if (one < 0x800) {
    *out++ = static_cast<char>(0xC0 | one >> 6);
    *out++ = last(0);
  } else if (one >> 11 == 0x1B) {
    *out++ = '?';
    mended = true;
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

// The character at `at`, which is moved behind it; 0x110000: that is none.
constexpr std::uint32_t kNone = 0x110000;
std::uint32_t take(const unsigned char*& at, const unsigned char* end) {
  const std::uint32_t lead = *at++;
  if (lead < 0x80) return lead;
  const int more = lead < 0xC2 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : lead < 0xF5 ? 3 : 0;
  if (more == 0 || end - at < more) return kNone;
  std::uint32_t one = lead & (0x3FU >> more);
  for (int i = 0; i < more; ++i) {
    if ((*at & 0xC0U) != 0x80) return kNone;
    one = one << 6U | (*at++ & 0x3FU);
  }
  constexpr std::uint32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
  const bool surrogate = one >> 11U == 0x1B;
  return one < kLeast[more] || one > 0x10FFFF || surrogate ? kNone : one;
}

const unsigned char* begin_of(BytesView bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace

template <class Character>
Utf8 encode_utf8(const Character* text, std::size_t length) {
  const Character* const end = text + length;
  // Enough for nearly all pages; what takes more moves once, into what suffices for any text.
  std::size_t room = length + length / 16 + kBlock * kLongest;
  Utf8 made{.bytes = std::make_unique_for_overwrite<char[]>(room)};
  char* out = made.bytes.get();
  while (text != end) {
    const std::size_t left = static_cast<std::size_t>(end - text);
    const std::size_t size = static_cast<std::size_t>(out - made.bytes.get());
    if (room - size < kBlock * kLongest) {
      room = size + (left + kBlock) * kLongest;
      auto larger = std::make_unique_for_overwrite<char[]>(room);
      std::memcpy(larger.get(), made.bytes.get(), size);
      made.bytes = std::move(larger);
      out = made.bytes.get() + size;
    }
    if (left >= kBlock && block_is_ascii(text)) {
      copy_block(text, out);
      text += kBlock;
      out += kBlock;
      continue;
    }
    const Character* const next = text + std::min(kBlock, left);
    while (text != next) out = put(*text++, out, made.mended);
  }
  made.size = static_cast<std::size_t>(out - made.bytes.get());
  return made;
}

Utf8Shape shape_of_utf8(BytesView bytes) noexcept {
  const unsigned char* at = begin_of(bytes);
  const unsigned char* const end = at + bytes.size();
  std::size_t continued = 0;
  unsigned char highest = 0;
  while (at != end) {
    // Counts within a block fit into a byte.
    const std::size_t block = std::min<std::size_t>(128, static_cast<std::size_t>(end - at));
    unsigned char count = 0;
    for (std::size_t i = 0; i < block; ++i) {
      count = static_cast<unsigned char>(count + ((at[i] & 0xC0U) == 0x80 ? 1 : 0));
      highest = std::max(highest, at[i]);
    }
    continued += count;
    at += block;
  }
  const std::uint32_t largest = highest < 0x80   ? 0x7F
                                : highest < 0xC4 ? 0xFF
                                : highest < 0xF0 ? 0xFFFF
                                                 : 0x10FFFF;
  return {.characters = bytes.size() - continued, .largest = largest};
}

template <class Character>
bool decode_utf8(BytesView bytes, Character* out, std::size_t characters) noexcept {
  const unsigned char* at = begin_of(bytes);
  const unsigned char* const end = at + bytes.size();
  const Character* const out_end = out + characters;
  while (at != end) {
    const auto left = static_cast<std::size_t>(end - at);
    const auto room = static_cast<std::size_t>(out_end - out);
    if (left >= kBlock && room >= kBlock && block_is_ascii(at)) {
      copy_block(at, out);
      at += kBlock;
      out += kBlock;
      continue;
    }
    const unsigned char* const next = at + std::min(kBlock, left);
    while (at < next) {
      const std::uint32_t one = take(at, end);
      if (one == kNone || out == out_end) return false;
      *out++ = static_cast<Character>(one);
    }
  }
  return out == out_end;
}

template Utf8 encode_utf8(const std::uint8_t*, std::size_t);
template Utf8 encode_utf8(const std::uint16_t*, std::size_t);
template Utf8 encode_utf8(const std::uint32_t*, std::size_t);
template bool decode_utf8(BytesView, std::uint8_t*, std::size_t) noexcept;
template bool decode_utf8(BytesView, std::uint16_t*, std::size_t) noexcept;
template bool decode_utf8(BytesView, std::uint32_t*, std::size_t) noexcept;

}  // namespace stepstore::python
