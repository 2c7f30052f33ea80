// Checks of text that people hand in: UTF-8, JSON, content types, times.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "stepstore/call.h"

namespace stepstore {

// Well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text) noexcept;

// Why the text is no JSON document, in words for people, with the position; none when it is one.
// RFC 8259, valid UTF-8, nested at most kJsonDepthMax deep.
inline constexpr std::size_t kJsonDepthMax = 500;
std::optional<std::string> json_fault(std::string_view text);

// "type/subtype" with optional parameters, printable ASCII, at most 200 bytes.
bool is_content_type(std::string_view text) noexcept;

// "2026-11-23T09:30:00.125Z".
std::string time_text(Timestamp time);
std::optional<Timestamp> parse_time(std::string_view text) noexcept;

}  // namespace stepstore
