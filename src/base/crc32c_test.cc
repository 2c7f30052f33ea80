// The checksum is CRC-32C, and both ways of computing it agree with the definition.
#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>

namespace stepstore {

namespace crc32c_detail {
using Update = std::uint32_t (*)(std::uint32_t, const std::byte*, std::size_t) noexcept;
std::array<Update, 2> all_updates() noexcept;
}  // namespace crc32c_detail

namespace {

// One bit at a time, straight from the definition.
std::uint32_t plain(std::uint32_t state, const std::byte* data, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) {
    state ^= std::to_integer<std::uint32_t>(data[i]);
    for (int bit = 0; bit < 8; ++bit) state = (state >> 1) ^ ((state & 1) != 0 ? 0x82f63b78U : 0U);
  }
  return state;
}

std::string random_text(std::size_t size, std::uint32_t seed) {
  std::mt19937 engine(seed);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(engine());
  return text;
}

TEST(Crc32c, HasTheValuesOfTheCatalogueAndOfRfc3720) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
  EXPECT_EQ(crc32c(""), 0U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
}

TEST(Crc32c, EveryImplementationAgreesWithTheDefinition) {
  const std::string text = random_text(500, 7);
  for (const auto update : crc32c_detail::all_updates()) {
    if (update == nullptr) continue;
    for (std::size_t size = 0; size < 300; ++size) {
      const auto* data = reinterpret_cast<const std::byte*>(text.data()) + size % 17;
      ASSERT_EQ(update(0x12345678U, data, size), plain(0x12345678U, data, size)) << size;
    }
  }
}

TEST(Crc32c, ContinuesWhereItStopped) {
  const std::string text = random_text(10'000, 8);
  for (std::size_t cut = 0; cut < text.size(); cut += 97) {
    const std::string_view all = text;
    EXPECT_EQ(crc32c(all.substr(cut), crc32c(all.substr(0, cut))), crc32c(all));
  }
}

}  // namespace
}  // namespace stepstore
