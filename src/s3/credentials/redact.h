// Words of others in messages: never with a secret, in whatever spelling.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace stepstore::s3 {

// The text with *** in place of each secret, as it is, URL-encoded or somewhere in base64. To be
// called before a text is shortened: part of a secret would not be found.
std::string without_secrets(std::string text, std::initializer_list<std::string_view> secrets);

// At most 300 printable characters of `text`; all of it is left out when it holds one of the
// secrets in one of those spellings.
std::string told_by_others(std::string_view text, std::initializer_list<std::string_view> secrets);

}  // namespace stepstore::s3
