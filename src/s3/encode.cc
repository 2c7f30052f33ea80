#include "s3/encode.h"

#include <algorithm>
#include <array>

namespace stepstore::s3 {
namespace {

constexpr std::string_view kDigits = "0123456789ABCDEF";

constexpr std::array<bool, 256> unreserved_bytes() {
  std::array<bool, 256> table{};
  for (unsigned c = 0; c < 256; ++c) {
    table[c] = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '.' || c == '_' || c == '~';
  }
  return table;
}
constexpr std::array<bool, 256> kUnreserved = unreserved_bytes();

void append_encoded(std::string& out, std::string_view text, bool keep_slash) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (kUnreserved[byte] || (keep_slash && c == '/')) {
      out += c;
    } else {
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
}

int digit_of(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::string uri_encode(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 16);
  append_encoded(out, text, false);
  return out;
}

std::string uri_encode_path(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 16);
  append_encoded(out, text, true);
  return out;
}

std::string encode_query(const Query& query) {
  if (query.empty()) return {};
  std::vector<std::pair<std::string, std::string>> pairs;
  pairs.reserve(query.size());
  for (const auto& [name, value] : query) pairs.emplace_back(uri_encode(name), uri_encode(value));
  std::ranges::sort(pairs);
  std::string out;
  for (const auto& [name, value] : pairs) {
    if (!out.empty()) out += '&';
    out.append(name).append(1, '=').append(value);
  }
  return out;
}

std::optional<std::string> url_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
      continue;
    }
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = digit_of(text[i + 1]);
    const int low = digit_of(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::string xml_escape(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 16);
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&apos;";
        break;
      case '\r':
        out += "&#13;";
        break;
      case '\n':
        out += "&#10;";
        break;
      case '\t':
        out += "&#9;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

Target target_of(std::string_view bucket, AddressStyle style, std::string_view key,
                 const Query& query) {
  Target target;
  target.path.reserve(bucket.size() + key.size() + 16);
  if (style == AddressStyle::path) {
    target.path += '/';
    append_encoded(target.path, bucket, false);
  }
  if (!key.empty() || target.path.empty()) target.path += '/';
  append_encoded(target.path, key, true);
  target.query = encode_query(query);
  return target;
}

}  // namespace stepstore::s3
