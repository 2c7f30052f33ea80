// What a client says about the body of its request: checksums, Content-MD5, the payload's hash, and
// bodies in chunks with the checksum behind them.
#pragma once

#include <optional>

#include "testing/fault_server/call.h"

namespace stepstore::fault {

// Whether the body was sent in chunks of S3's own.
bool in_chunks(const Call& call);
// Such a body becomes what it stands for, and the checksums behind it become headers. Signatures of
// chunks are not checked. None: all is well.
std::optional<http::Response> unpack_chunks(Call& call);

// The answer to a body that does not fit Content-MD5 or a checksum: crc32, crc32c, crc64nvme, sha1,
// sha256. None: all that are named fit.
std::optional<http::Response> broken_checksum(const Call& call);
// The same of x-amz-content-sha256.
std::optional<http::Response> broken_payload_hash(const Call& call);

// Whether the name, in lower case, is that of a checksum's value: "x-amz-checksum-crc32".
bool is_checksum_header(std::string_view name);
// Whether the request says anything about its body, as DeleteObjects must.
bool has_checksum(const Call& call);

std::string md5_hex(BytesView bytes);
// As the ETag of an object that was uploaded in parts: of their sums, one after the other.
std::string md5_hex_of_sums(const std::vector<std::string>& hex_sums);

}  // namespace stepstore::fault
