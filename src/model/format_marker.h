// format.json: which releases may read and write a store, and what its bucket was found to enforce.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stepstore/call.h"

namespace stepstore {

inline constexpr std::uint32_t kFormatMajor = 1;

// What a bucket does, found by trying (src/store/s3/probe.h). Servers differ, and none says so.
struct BucketProbe {
  enum class Versioning : std::uint8_t { unknown, off, enabled, suspended };
  Timestamp probed_at{};
  Versioning versioning = Versioning::unknown;  // at that time; it changes what conditions do
  bool create_if_absent = true;                 // If-None-Match: * is enforced, also in a race
  bool swap_if_unchanged = true;                // If-Match is enforced, also in a race
  bool bare_etags = false;                      // If-Match is understood without quotes only
  bool create_over_delete_marker = true;        // false: a deleted key cannot be created again
  bool complete_if_absent = true;               // multipart uploads honour If-None-Match
  bool remove_if_unchanged = false;             // DELETE honours If-Match; nothing relies on it

  friend bool operator==(const BucketProbe&, const BucketProbe&) = default;
};

// The weaker promises that follow, for people.
std::vector<std::string> notes_of(const BucketProbe& probe);

struct FormatMarker {
  std::uint32_t reader_min = kFormatMajor;  // the oldest format that a reader must know
  std::uint32_t writer_min = kFormatMajor;
  std::optional<BucketProbe> probe{};  // none: never probed, or not a bucket
};

std::string to_json(const FormatMarker& marker);
FormatMarker parse_format_marker(std::string_view json, std::string_view key);  // throws Corrupt
// The same document with this probe in it; members that this release does not know stay.
std::string with_probe(std::string_view json, const BucketProbe& probe, std::string_view key);

}  // namespace stepstore
