#include "base/crc32c.h"

#include <array>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <sys/auxv.h>
#endif

namespace stepstore {
namespace {

// Reflected: bit 0 of the first byte is the highest power of x.
constexpr std::uint32_t kPolynomial = 0x82f63b78;  // 0x1edc6f41 reflected

using Table = std::array<std::uint32_t, 256>;

constexpr Table make_table() {
  Table table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    table[byte] = crc;
  }
  return table;
}

constexpr Table kTable = make_table();

// For processors without the instruction; they are few, and so is what goes this way.
std::uint32_t update_by_table(std::uint32_t state, const std::byte* data,
                              std::size_t size) noexcept {
  for (; size > 0; ++data, --size) {
    state = (state >> 8) ^ kTable[(state ^ std::to_integer<std::uint32_t>(*data)) & 0xff];
  }
  return state;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t update_by_instruction(std::uint32_t state,
                                                                      const std::byte* data,
                                                                      std::size_t size) noexcept {
  std::uint64_t wide = state;
  for (; size >= 8; data += 8, size -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, data, sizeof word);
    wide = _mm_crc32_u64(wide, word);
  }
  return update_by_table(static_cast<std::uint32_t>(wide), data, size);
}

bool has_instruction() noexcept { return __builtin_cpu_supports("sse4.2") != 0; }
#elif defined(__aarch64__)
__attribute__((target("+crc"))) std::uint32_t update_by_instruction(std::uint32_t state,
                                                                    const std::byte* data,
                                                                    std::size_t size) noexcept {
  for (; size >= 8; data += 8, size -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, data, sizeof word);
    state = __crc32cd(state, word);
  }
  return update_by_table(state, data, size);
}

bool has_instruction() noexcept {
  constexpr unsigned long kCrc32 = 1UL << 7U;  // HWCAP_CRC32 of <asm/hwcap.h>
  return (::getauxval(AT_HWCAP) & kCrc32) != 0;
}
#else
bool has_instruction() noexcept { return false; }
constexpr auto* update_by_instruction = update_by_table;
#endif

using Update = std::uint32_t (*)(std::uint32_t, const std::byte*, std::size_t) noexcept;

}  // namespace

namespace crc32c_detail {

// Each way of computing, for the test that compares them; null where this processor lacks it.
std::array<Update, 2> all_updates() noexcept {
  return {update_by_table, has_instruction() ? update_by_instruction : nullptr};
}

}  // namespace crc32c_detail

std::uint32_t crc32c(BytesView bytes, std::uint32_t previous) noexcept {
  static const Update update = has_instruction() ? update_by_instruction : update_by_table;
  return ~update(~previous, bytes.data(), bytes.size());
}

}  // namespace stepstore
