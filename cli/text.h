// Text for people: stored names made safe to print, sizes, times, columns.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "stepstore/call.h"

namespace stepstore::cli {

// The text with everything that could act on a terminal, or pass for other text, made visible:
// control characters as \x1b, bytes that are not UTF-8 as \xff, bidirectional overrides, line
// separators and invisible characters as \u202e. Printable text in any script stays as it is.
std::string shown(std::string_view text);
// The same for an id or name that stands alone: a backslash is doubled, so that two different ids
// never look the same.
std::string shown_id(std::string_view id);
// True when printing the bytes raw could act on a terminal: not UTF-8, or with control characters
// other than tab, carriage return and line feed.
bool acts_on_terminal(std::string_view bytes);

std::string shown_size(std::uint64_t bytes);  // "559.3 KB"; a KB has 1000 bytes
std::string shown_time(Timestamp time);       // "2026-11-23T12:51:55.123Z"
std::string shown_seconds(double seconds);    // "0.82 s", "4 min 10 s"
std::string shown_crc(std::uint64_t crc);     // 16 hexadecimal digits
std::string shown_count(std::uint64_t count, std::string_view one, std::string_view many);

// Filled up with blanks to a number of columns (one per code point); never cut.
std::string left(std::string text, std::size_t columns);
std::string right(std::string text, std::size_t columns);

}  // namespace stepstore::cli
