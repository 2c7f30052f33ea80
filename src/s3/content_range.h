// Content-Range: which bytes of an object an answer has.
#pragma once

#include <cstdint>
#include <optional>

#include "http/message.h"

namespace stepstore::s3 {

// "bytes 5-9/10".
struct ContentRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;                // not before first; before total
  std::optional<std::uint64_t> total{};  // of the object; none: '*'

  std::uint64_t size() const noexcept { return last - first + 1; }

  friend bool operator==(const ContentRange&, const ContentRange&) = default;
};

// None: there is no such header, or it says what cannot be.
std::optional<ContentRange> content_range_in(const http::Headers& headers);

}  // namespace stepstore::s3
