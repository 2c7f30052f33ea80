// Percent-encoding of ids and names: plain where the text is plain, and never a path.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace stepstore {

// Keeps A-Z a-z 0-9 . _ - and writes every other byte, and a leading dot, as %XX with upper-case
// digits.
std::string percent_encode(std::string_view text);
// The same with the first byte always written as %XX.
std::string percent_encode_first(std::string_view text);
// None when a '%' is not followed by two upper-case hexadecimal digits, or a byte should have been
// encoded.
std::optional<std::string> percent_decode(std::string_view text);

}  // namespace stepstore
