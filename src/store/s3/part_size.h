// How large the next part of an upload is.
#pragma once

#include <algorithm>
#include <cstdint>

namespace stepstore::bucket {

inline constexpr int kPartsMax = 10'000;

// Parts grow with what was sent before them, so that 10,000 hold the 5 TiB that S3 takes.
constexpr std::uint64_t part_bytes_after(std::uint64_t sent, std::uint64_t least) noexcept {
  constexpr std::uint64_t kPartBytesMax = std::uint64_t{5} << 30U;  // S3's own
  const std::uint64_t grown = (sent / 1'000 + least - 1) / least * least;
  return std::max(least, std::min(grown, kPartBytesMax / least * least));
}

}  // namespace stepstore::bucket
