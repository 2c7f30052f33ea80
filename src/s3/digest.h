// Hashes and their spelling. OpenSSL stays behind this header.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "stepstore/bytes.h"

namespace stepstore::s3 {

using Sha256 = std::array<std::byte, 32>;

Sha256 sha256(std::span<const BytesView> pieces);
Sha256 sha256(BytesView bytes);
Sha256 hmac_sha256(BytesView key, BytesView bytes);

std::string hex(BytesView bytes);  // lower case
std::string base64(BytesView bytes);
// None: it is no base64, padding included.
std::optional<std::string> from_base64(std::string_view text);

// As Content-MD5 wants it. Throws Unsupported where OpenSSL was built or set up without MD5.
std::string md5_base64(std::span<const BytesView> pieces);
std::string md5_base64(BytesView bytes);
// As x-amz-checksum-crc64nvme wants it: big-endian.
std::string crc64_base64(std::uint64_t crc);
// The same for x-amz-checksum-crc32c.
std::string crc32c_base64(std::uint32_t crc);

}  // namespace stepstore::s3
