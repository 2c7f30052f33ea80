#include "s3/checksum.h"

#include <array>

#include "base/crc32c.h"
#include "base/crc64.h"
#include "base/log.h"
#include "s3/digest.h"

namespace stepstore::s3 {
namespace {

struct Row {
  std::string_view name, header, algorithm;
};
// By the value of Checksum.
constexpr std::array<Row, 4> kRows{{{"crc64nvme", "x-amz-checksum-crc64nvme", "CRC64NVME"},
                                    {"crc32c", "x-amz-checksum-crc32c", "CRC32C"},
                                    {"md5", "Content-MD5", ""},
                                    {"none", "", ""}}};

const Row& row(Checksum checksum) noexcept { return kRows[static_cast<std::size_t>(checksum)]; }

}  // namespace

std::string_view name_of(Checksum checksum) noexcept { return row(checksum).name; }
std::string_view header_of(Checksum checksum) noexcept { return row(checksum).header; }
std::string_view algorithm_of(Checksum checksum) noexcept { return row(checksum).algorithm; }

std::optional<Checksum> bound(Checksum announced) noexcept {
  if (algorithm_of(announced).empty()) return std::nullopt;
  return announced;
}

std::optional<Checksum> checksum_named(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (kRows[i].name == name) return static_cast<Checksum>(i);
  }
  return std::nullopt;
}

std::string value_of(Checksum checksum, std::span<const BytesView> body,
                     std::optional<std::uint64_t> known) {
  switch (checksum) {
    case Checksum::crc64nvme: {
      std::uint64_t crc = known.value_or(0);
      if (!known) {
        for (const BytesView piece : body) crc = crc64(piece, crc);
      }
      return crc64_base64(crc);
    }
    case Checksum::crc32c: {
      std::uint32_t crc = 0;
      for (const BytesView piece : body) crc = crc32c(piece, crc);
      return crc32c_base64(crc);
    }
    case Checksum::md5:
      return md5_base64(body);
    case Checksum::none:
      break;
  }
  return {};
}

std::optional<Checksum> ChecksumChoice::instead_of(Checksum refused) const noexcept {
  if (!automatic_ || refused == Checksum::none) return std::nullopt;
  return static_cast<Checksum>(static_cast<std::uint8_t>(refused) + 1);
}

void ChecksumChoice::learn(Checksum taken) noexcept {
  Checksum before = current_.load();
  while (automatic_ && before < taken) {
    if (!current_.compare_exchange_weak(before, taken)) continue;
    log_info("s3: the server refuses checksums as {}; what is written goes with {}",
             name_of(before), taken == Checksum::none ? "none" : header_of(taken));
    return;
  }
}

}  // namespace stepstore::s3
