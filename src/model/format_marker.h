// format.json: which releases may read and write a store.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace stepstore {

inline constexpr std::uint32_t kFormatMajor = 1;

struct FormatMarker {
  std::uint32_t reader_min = kFormatMajor;  // the oldest format that a reader must know
  std::uint32_t writer_min = kFormatMajor;
};

std::string to_json(const FormatMarker& marker);
FormatMarker parse_format_marker(std::string_view json, std::string_view key);  // throws Corrupt

}  // namespace stepstore
