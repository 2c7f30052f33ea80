#include "base/crc64.h"

#include <array>
#include <bit>
#include <charconv>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace stepstore {
namespace {

// Everything is reflected: bit 0 of the first byte is the highest power of x.
constexpr std::uint64_t kPolynomial = 0x9a6c9329ac4bc9b5;  // 0xad93d23594c93659 reflected

using Tables = std::array<std::array<std::uint64_t, 256>, 8>;

constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint64_t byte = 0; byte < 256; ++byte) {
    std::uint64_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (std::size_t slice = 1; slice < 8; ++slice) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint64_t crc = tables[slice - 1][byte];
      tables[slice][byte] = (crc >> 8) ^ tables[0][crc & 0xff];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

std::uint64_t load64(const std::byte* from) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, from, sizeof word);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

// The state of the shift register after `size` more bytes; eight bytes a turn by eight tables.
std::uint64_t update_by_table(std::uint64_t state, const std::byte* data,
                              std::size_t size) noexcept {
  for (; size >= 8; data += 8, size -= 8) {
    const std::uint64_t word = state ^ load64(data);
    state = 0;
    for (std::size_t i = 0; i < 8; ++i) state ^= kTables[7 - i][(word >> (8 * i)) & 0xff];
  }
  for (; size > 0; ++data, --size) {
    state = (state >> 8) ^ kTables[0][(state ^ std::to_integer<std::uint64_t>(*data)) & 0xff];
  }
  return state;
}

#if defined(__x86_64__)
// x^power modulo the polynomial.
constexpr std::uint64_t power_of_x(unsigned power) {
  std::uint64_t value = std::uint64_t{1} << 63;  // x^0
  for (unsigned i = 0; i < power; ++i) value = (value >> 1) ^ ((value & 1) != 0 ? kPolynomial : 0);
  return value;
}

// Factors that move a 128-bit lane `bits` further along the message. A carry-less product of
// reflected numbers comes out one bit short, hence the powers that are one smaller. The lane's
// first eight bytes are its high half.
struct FoldFactors {
  std::uint64_t first_half, second_half;
};
constexpr FoldFactors fold_factors(unsigned bits) {
  return {power_of_x(bits + 63), power_of_x(bits - 1)};
}

__attribute__((target("pclmul,sse4.1"))) inline __m128i fold(__m128i lane, __m128i factors,
                                                             __m128i next) noexcept {
  return _mm_xor_si128(next, _mm_xor_si128(_mm_clmulepi64_si128(lane, factors, 0x00),
                                           _mm_clmulepi64_si128(lane, factors, 0x11)));
}

// Eight lanes of 128 bits. Needs at least 128 bytes.
__attribute__((target("pclmul,sse4.1"))) std::uint64_t update_by_pclmul(std::uint64_t state,
                                                                        const std::byte* data,
                                                                        std::size_t size) noexcept {
  constexpr FoldFactors kStride = fold_factors(1024);
  const __m128i factors = _mm_set_epi64x(static_cast<long long>(kStride.second_half),
                                         static_cast<long long>(kStride.first_half));
  const auto load = [](const std::byte* from) __attribute__((target("pclmul,sse4.1"))) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  };
  __m128i lanes[8];
  for (int i = 0; i < 8; ++i) lanes[i] = load(data + 16 * i);
  lanes[0] = _mm_xor_si128(lanes[0], _mm_set_epi64x(0, static_cast<long long>(state)));
  data += 128;
  size -= 128;
  for (; size >= 128; data += 128, size -= 128) {
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) lanes[i] = fold(lanes[i], factors, load(data + 16 * i));
  }
  alignas(16) std::byte rest[128];
  for (int i = 0; i < 8; ++i) _mm_store_si128(reinterpret_cast<__m128i*>(rest + 16 * i), lanes[i]);
  return update_by_table(update_by_table(0, rest, sizeof rest), data, size);
}

// Sixteen lanes of 128 bits, four to a register. Needs at least 256 bytes.
__attribute__((target("avx512f,avx512vl,vpclmulqdq"))) std::uint64_t update_by_vpclmul(
    std::uint64_t state, const std::byte* data, std::size_t size) noexcept {
  constexpr FoldFactors kStride = fold_factors(2048);
  const __m512i factors = _mm512_set4_epi64(
      static_cast<long long>(kStride.second_half), static_cast<long long>(kStride.first_half),
      static_cast<long long>(kStride.second_half), static_cast<long long>(kStride.first_half));
  __m512i lanes[4];
  for (int i = 0; i < 4; ++i) lanes[i] = _mm512_loadu_si512(data + 64 * i);
  lanes[0] = _mm512_xor_si512(
      lanes[0], _mm512_zextsi128_si512(_mm_set_epi64x(0, static_cast<long long>(state))));
  data += 256;
  size -= 256;
  for (; size >= 256; data += 256, size -= 256) {
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      const __m512i moved = _mm512_xor_si512(_mm512_clmulepi64_epi128(lanes[i], factors, 0x00),
                                             _mm512_clmulepi64_epi128(lanes[i], factors, 0x11));
      lanes[i] = _mm512_xor_si512(moved, _mm512_loadu_si512(data + 64 * i));
    }
  }
  alignas(64) std::byte rest[256];
  for (int i = 0; i < 4; ++i) _mm512_store_si512(rest + 64 * i, lanes[i]);
  return update_by_table(update_by_pclmul(0, rest, sizeof rest), data, size);
}
#endif

using Update = std::uint64_t (*)(std::uint64_t, const std::byte*, std::size_t) noexcept;

struct Choice {
  Update update = update_by_table;
  std::size_t bytes_min = 0;  // below, the table is used
};

Choice choose() noexcept {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("vpclmulqdq") && __builtin_cpu_supports("pclmul")) {
    return {update_by_vpclmul, 1024};
  }
  if (__builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1")) {
    return {update_by_pclmul, 256};
  }
#endif
  return {};
}

}  // namespace

namespace crc64_detail {

// Each way of computing, for the test that compares them; null where this processor lacks it.
std::array<Update, 3> all_updates() noexcept {
  std::array<Update, 3> updates{update_by_table, nullptr, nullptr};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("pclmul")) updates[1] = update_by_pclmul;
  if (__builtin_cpu_supports("vpclmulqdq") && __builtin_cpu_supports("avx512vl")) {
    updates[2] = update_by_vpclmul;
  }
#endif
  return updates;
}

}  // namespace crc64_detail

std::uint64_t crc64(BytesView bytes, std::uint64_t previous) noexcept {
  static const Choice choice = choose();
  const Update update = bytes.size() < choice.bytes_min ? update_by_table : choice.update;
  return ~update(~previous, bytes.data(), bytes.size());
}

std::string crc64_text(std::uint64_t crc) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text(16, '0');
  for (std::size_t i = 16; i-- > 0; crc >>= 4) text[i] = kDigits[crc & 0xf];
  return text;
}

std::optional<std::uint64_t> parse_crc64(std::string_view text) noexcept {
  std::uint64_t crc = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, crc, 16);
  if (text.size() != 16 || error != std::errc{} || stop != end) return std::nullopt;
  return crc;
}

}  // namespace stepstore
