// How names become the bytes of a request. What these functions return is both signed and sent: a
// second encoding anywhere else would break the signature.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stepstore::s3 {

enum class AddressStyle : std::uint8_t { path, virtual_host };

// Plain names and values.
using Query = std::vector<std::pair<std::string, std::string>>;

// All bytes but A-Z a-z 0-9 - . _ ~ as %XX (RFC 3986, upper case).
std::string uri_encode(std::string_view text);
// The same, with '/' kept.
std::string uri_encode_path(std::string_view text);
// "a=1&b=", sorted by encoded name, then value, as signatures want it.
std::string encode_query(const Query& query);

// Undoes the encoding of keys in answers: %XX, and '+' is a space. None: a '%' without two digits.
std::optional<std::string> url_decode(std::string_view text);

// `& < > " '` and what XML 1.0 parsers would change (CR, LF, tab) as references.
std::string xml_escape(std::string_view text);

// Encoded.
struct Target {
  std::string path{};
  std::string query{};

  std::string text() const { return query.empty() ? path : path + '?' + query; }
};
// With AddressStyle::virtual_host the bucket is in the host's name and not in the path. An empty
// key means the bucket.
Target target_of(std::string_view bucket, AddressStyle style, std::string_view key,
                 const Query& query);

}  // namespace stepstore::s3
