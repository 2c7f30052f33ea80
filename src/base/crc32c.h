// CRC-32C (Castagnoli): what S3 servers that do not know CRC-64/NVME verify as
// x-amz-checksum-crc32c. Check value: crc32c("123456789") == 0xe3069283.
#pragma once

#include <cstdint>

#include "stepstore/bytes.h"

namespace stepstore {

// The CRC of `previous`'s bytes followed by `bytes`; start with 0. Uses the processor's instruction
// for it where there is one.
std::uint32_t crc32c(BytesView bytes, std::uint32_t previous = 0) noexcept;

}  // namespace stepstore
