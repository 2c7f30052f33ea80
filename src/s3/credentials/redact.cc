#include "s3/credentials/redact.h"

#include <algorithm>

#include "s3/digest.h"
#include "s3/encode.h"

namespace stepstore::s3 {
namespace {

constexpr std::size_t kCharactersMax = 300;

bool holds(std::string_view text, std::string_view secret) {
  if (secret.empty()) return false;
  const auto has = [text](const std::string& part) { return text.find(part) != text.npos; };
  std::string encoded = base64(BytesView(secret));
  // What follows the secret may change its last characters.
  while (encoded.ends_with('=')) encoded.pop_back();
  if (encoded.size() > 4) encoded.pop_back();
  return has(std::string(secret)) || has(uri_encode(secret)) || has(encoded);
}

}  // namespace

std::string told_by_others(std::string_view text, std::initializer_list<std::string_view> secrets) {
  const bool told =
      std::ranges::any_of(secrets, [text](std::string_view secret) { return holds(text, secret); });
  if (told) return "(its words are left out, since they hold a secret)";
  std::string out;
  for (const char c : text.substr(0, kCharactersMax)) out += c >= ' ' && c < 0x7f ? c : ' ';
  return out;
}

}  // namespace stepstore::s3
