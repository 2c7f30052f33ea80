// The checksum is CRC-64/NVME, and every way of computing it agrees with the plainest one.
#include "base/crc64.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>

namespace stepstore {

namespace crc64_detail {
using Update = std::uint64_t (*)(std::uint64_t, const std::byte*, std::size_t) noexcept;
std::array<Update, 3> all_updates() noexcept;
}  // namespace crc64_detail

namespace {

// One bit at a time, straight from the definition.
std::uint64_t plain(std::uint64_t state, const std::byte* data, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) {
    state ^= std::to_integer<std::uint64_t>(data[i]);
    for (int bit = 0; bit < 8; ++bit) {
      state = (state >> 1) ^ ((state & 1) != 0 ? 0x9a6c9329ac4bc9b5 : 0);
    }
  }
  return state;
}

std::string random_text(std::size_t size, std::uint32_t seed) {
  std::mt19937 engine(seed);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(engine());
  return text;
}

TEST(Crc64, HasTheCheckValueOfTheCatalogue) {
  EXPECT_EQ(crc64("123456789"), 0xae8b14860a799888U);
  EXPECT_EQ(crc64(""), 0U);
}

// Goal: lengths around every block size, at odd addresses, with every implementation that this
// processor has.
TEST(Crc64, EveryImplementationAgreesWithTheDefinition) {
  const std::string text = random_text(5000, 7);
  for (const auto update : crc64_detail::all_updates()) {
    if (update == nullptr) continue;
    for (std::size_t size = 256; size < 1600; ++size) {
      const std::size_t offset = size % 17;
      const auto* data = reinterpret_cast<const std::byte*>(text.data()) + offset;
      ASSERT_EQ(update(0x1234567890abcdefU, data, size), plain(0x1234567890abcdefU, data, size))
          << "size " << size;
    }
  }
}

TEST(Crc64, ContinuesWhereItStopped) {
  const std::string text = random_text(100'000, 8);
  const std::uint64_t whole = crc64(text);
  for (std::size_t cut = 0; cut < text.size(); cut += 997) {
    EXPECT_EQ(
        crc64(std::string_view(text).substr(cut), crc64(std::string_view(text).substr(0, cut))),
        whole);
  }
}

TEST(Crc64, IsWrittenWithSixteenDigits) {
  EXPECT_EQ(crc64_text(0xae8b14860a799888U), "ae8b14860a799888");
  EXPECT_EQ(crc64_text(5), "0000000000000005");
  EXPECT_EQ(parse_crc64("0000000000000005"), 5U);
  for (const char* bad : {"", "5", "000000000000000g", "00000000000000005", "-000000000000005"}) {
    EXPECT_FALSE(parse_crc64(bad)) << bad;
  }
}

}  // namespace
}  // namespace stepstore
