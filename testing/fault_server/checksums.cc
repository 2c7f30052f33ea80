#include "testing/fault_server/checksums.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

#include "base/crc64.h"
#include "s3/digest.h"

namespace stepstore::fault {
namespace {

constexpr std::string_view kPrefix = "x-amz-checksum-";

using Table = std::array<std::uint32_t, 256>;

// Reflected, as all CRCs that S3 knows.
constexpr Table table_of(std::uint32_t polynomial) {
  Table table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value >> 1U) ^ ((value & 1U) != 0 ? polynomial : 0U);
    }
    table[i] = value;
  }
  return table;
}
constexpr Table kCrc32 = table_of(0xedb88320U);
constexpr Table kCrc32c = table_of(0x82f63b78U);

// A table is quick enough: clients of ours send crc64nvme.
std::uint32_t crc32_of(BytesView bytes, const Table& table) {
  std::uint32_t crc = ~0U;
  for (const std::byte each : bytes) {
    crc = (crc >> 8U) ^ table[(crc ^ std::to_integer<std::uint32_t>(each)) & 0xffU];
  }
  return ~crc;
}

std::string big_endian(std::uint32_t value) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 0xffU);
  return s3::base64(text);
}

template <std::size_t Size>
std::array<unsigned char, Size> digest(const char* algorithm, BytesView bytes) {
  std::array<unsigned char, Size> out{};
  if (EVP_Q_digest(nullptr, algorithm, nullptr, bytes.data(), bytes.size(), out.data(), nullptr) !=
      1) {
    throw std::runtime_error(std::string("OpenSSL cannot compute ") + algorithm);
  }
  return out;
}

std::string sum_of(BytesView body, std::string_view algorithm) {
  if (algorithm == "crc64nvme") return s3::crc64_base64(crc64(body));
  if (algorithm == "crc32") return big_endian(crc32_of(body, kCrc32));
  if (algorithm == "crc32c") return big_endian(crc32_of(body, kCrc32c));
  if (algorithm == "sha256") return s3::base64(s3::sha256(body));
  return s3::base64(digest<20>("SHA1", body));
}

constexpr std::array<std::string_view, 5> kAlgorithms{"crc64nvme", "crc32", "crc32c", "sha256",
                                                      "sha1"};

http::Response bad_chunks() {
  return error_answer(400, "IncompleteBody", "The chunks of the body are not as they say.");
}

// The line at the front, which is taken away; none: there is no whole line.
std::optional<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find("\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 2);
  return line;
}

// "x-amz-checksum-crc32:AAAAAA==" lines up to an empty one or the end.
void take_trailers(std::string_view text, http::Headers& headers) {
  while (const auto line = take_line(text)) {
    const std::size_t colon = line->find(':');
    if (colon == std::string_view::npos) return;
    headers.emplace_back(line->substr(0, colon), line->substr(colon + 1));
  }
}

}  // namespace

bool in_chunks(const Call& call) {
  const std::string* const hash = call.header("x-amz-content-sha256");
  return hash != nullptr && hash->starts_with("STREAMING-");
}

std::optional<http::Response> unpack_chunks(Call& call) {
  std::string plain;
  std::string_view rest = call.body.text();
  while (true) {
    // "400;chunk-signature=..."
    const auto line = take_line(rest);
    if (!line) return bad_chunks();
    std::size_t size = 0;
    const auto [end, failed] = std::from_chars(line->data(), line->data() + line->size(), size, 16);
    if (failed != std::errc{} || (end != line->data() + line->size() && *end != ';')) {
      return bad_chunks();
    }
    if (size == 0) break;
    if (rest.size() < size || !rest.substr(size).starts_with("\r\n")) return bad_chunks();
    plain += rest.substr(0, size);
    rest.remove_prefix(size + 2);
  }
  const std::string* const length = call.header("x-amz-decoded-content-length");
  if (length == nullptr || *length != std::to_string(plain.size())) return bad_chunks();
  take_trailers(rest, call.headers);
  call.body = Bytes::copy(plain);
  return std::nullopt;
}

std::optional<http::Response> broken_checksum(const Call& call) {
  const BytesView body = call.body.view();
  const auto bad = [&](std::string_view what) {
    return error_answer(
        400, "BadDigest",
        "The " + std::string(what) + " you specified did not match what we received.", call.key);
  };
  if (const auto* const sum = call.header("Content-MD5")) {
    if (sum->size() != 24) {
      return error_answer(400, "InvalidDigest", "The Content-MD5 you specified is not valid.",
                          call.key);
    }
    if (*sum != s3::md5_base64(body)) return bad("Content-MD5");
  }
  for (const std::string_view algorithm : kAlgorithms) {
    const std::string name = std::string(kPrefix).append(algorithm);
    const auto* const sum = call.header(name);
    if (sum != nullptr && *sum != sum_of(body, algorithm)) return bad(name);
  }
  return std::nullopt;
}

std::optional<http::Response> broken_payload_hash(const Call& call) {
  const std::string* const hash = call.header("x-amz-content-sha256");
  // Else it is UNSIGNED-PAYLOAD or one of the words for chunks.
  if (hash == nullptr || hash->size() != 64) return std::nullopt;
  if (*hash == s3::hex(s3::sha256(call.body.view()))) return std::nullopt;
  return error_answer(
      400, "XAmzContentSHA256Mismatch",
      "The provided 'x-amz-content-sha256' header does not match what was computed.", call.key);
}

bool is_checksum_header(std::string_view name) {
  return name.starts_with(kPrefix) &&
         std::ranges::find(kAlgorithms, name.substr(kPrefix.size())) != kAlgorithms.end();
}

bool has_checksum(const Call& call) {
  return call.header("Content-MD5") != nullptr ||
         std::ranges::any_of(kAlgorithms, [&](std::string_view algorithm) {
           return call.header(std::string(kPrefix).append(algorithm)) != nullptr;
         });
}

std::string md5_hex(BytesView bytes) { return s3::hex(digest<16>("MD5", bytes)); }

std::string md5_hex_of_sums(const std::vector<std::string>& hex_sums) {
  std::string sums;
  for (const std::string& hex : hex_sums) {
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
      unsigned value = 0;
      std::from_chars(hex.data() + i, hex.data() + i + 2, value, 16);
      sums += static_cast<char>(value);
    }
  }
  return md5_hex(sums);
}

}  // namespace stepstore::fault
