// CRC-64/NVME: the checksum in manifests, the one that S3 verifies as x-amz-checksum-crc64nvme.
// Check value: crc64("123456789") == 0xae8b14860a799888.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "stepstore/bytes.h"

namespace stepstore {

// The CRC of `previous`'s bytes followed by `bytes`; start with 0. Picks the fastest code that this
// processor has.
std::uint64_t crc64(BytesView bytes, std::uint64_t previous = 0) noexcept;

// 16 lower-case hexadecimal digits, as in manifests.
std::string crc64_text(std::uint64_t crc);
std::optional<std::uint64_t> parse_crc64(std::string_view text) noexcept;

}  // namespace stepstore
