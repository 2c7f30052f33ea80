#include "http/message.h"

#include <algorithm>

namespace stepstore::http {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

}  // namespace

const std::string* find_header(const Headers& headers, std::string_view name) noexcept {
  const auto found = std::ranges::find_if(
      headers, [name](const auto& each) { return same_name(each.first, name); });
  return found == headers.end() ? nullptr : &found->second;
}

std::uint64_t Request::body_bytes() const noexcept {
  std::uint64_t bytes = 0;
  for (const BytesView piece : body) bytes += piece.size();
  return bytes;
}

}  // namespace stepstore::http
