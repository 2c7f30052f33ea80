#include "s3/credentials/redact.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "s3/digest.h"
#include "s3/encode.h"

namespace stepstore::s3 {
namespace {

constexpr std::size_t kCharactersMax = 300;
// The spellings of a shorter one, as tests and toys have them, would be found everywhere.
constexpr std::size_t kEncodedFrom = 8;

// "%2F" as "%2f".
std::string with_small_hex(std::string encoded) {
  for (std::size_t at = encoded.find('%'); at != std::string::npos;
       at = encoded.find('%', at + 1)) {
    for (std::size_t i = at + 1; i < std::min(at + 3, encoded.size()); ++i) {
      encoded[i] = static_cast<char>(std::tolower(static_cast<unsigned char>(encoded[i])));
    }
  }
  return encoded;
}

// What base64 makes of the secret after so many other bytes, less the characters in which it meets
// its neighbours.
std::string inside_base64(std::string_view secret, std::size_t after) {
  const std::string bytes = std::string(after, 'x') + std::string(secret);
  std::string encoded = base64(BytesView(bytes));
  encoded.resize(bytes.size() * 8 / 6);
  return encoded.substr((after * 8 + 5) / 6);
}

std::string url_safe(std::string encoded) {
  std::ranges::replace(encoded, '+', '-');
  std::ranges::replace(encoded, '/', '_');
  return encoded;
}

void add_spellings(std::string_view secret, std::vector<std::string>& all) {
  if (secret.empty()) return;
  all.emplace_back(secret);
  if (secret.size() < kEncodedFrom) return;
  // A form has its values URL-encoded, and may be encoded as a whole when it is repeated.
  const std::string encoded = uri_encode(secret);
  for (const std::string& sent : {std::string(secret), encoded, with_small_hex(encoded)}) {
    all.push_back(uri_encode(sent));
    all.push_back(with_small_hex(all.back()));
    for (const std::size_t after : {0U, 1U, 2U}) {
      all.push_back(inside_base64(sent, after));
      all.push_back(url_safe(all.back()));
    }
  }
}

}  // namespace

std::string without_secrets(std::string text, std::initializer_list<std::string_view> secrets) {
  constexpr std::string_view kHidden = "***";
  std::vector<std::string> spellings;
  for (const std::string_view secret : secrets) add_spellings(secret, spellings);
  // Longest first: what is part of another one must not break it.
  std::ranges::stable_sort(spellings, std::ranges::greater{}, &std::string::size);
  for (const std::string& spelling : spellings) {
    for (std::size_t at = text.find(spelling); at != std::string::npos;
         at = text.find(spelling, at + kHidden.size())) {
      text.replace(at, spelling.size(), kHidden);
    }
  }
  return text;
}

std::string told_by_others(std::string_view text, std::initializer_list<std::string_view> secrets) {
  if (without_secrets(std::string(text), secrets) != text) {
    return "(its words are left out, since they hold a secret)";
  }
  std::string out;
  for (const char c : text.substr(0, kCharactersMax)) out += c >= ' ' && c < 0x7f ? c : ' ';
  return out;
}

}  // namespace stepstore::s3
