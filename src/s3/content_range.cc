#include "s3/content_range.h"

#include <charconv>
#include <limits>
#include <string_view>

namespace stepstore::s3 {
namespace {

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<ContentRange> content_range_in(const http::Headers& headers) {
  const std::string* const value = http::find_header(headers, "Content-Range");
  if (value == nullptr || !value->starts_with("bytes ")) return std::nullopt;
  const std::string_view text = std::string_view(*value).substr(6);
  const std::size_t dash = text.find('-');
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || dash >= slash) return std::nullopt;
  const auto first = number(text.substr(0, dash));
  const auto last = number(text.substr(dash + 1, slash - dash - 1));
  const std::string_view whole = text.substr(slash + 1);
  const auto total = number(whole);
  if (!first || !last || *last < *first || (!total && whole != "*")) return std::nullopt;
  // So that size() does not wrap.
  if (*last == std::numeric_limits<std::uint64_t>::max()) return std::nullopt;
  if (total && *last >= *total) return std::nullopt;
  return ContentRange{.first = *first, .last = *last, .total = total};
}

}  // namespace stepstore::s3
