// Words of others in messages: never with a secret, in whatever spelling.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace stepstore::s3 {

// At most 300 printable characters of `text`; all of it is left out when it holds one of the
// secrets as it is, URL-encoded or in base64.
std::string told_by_others(std::string_view text, std::initializer_list<std::string_view> secrets);

}  // namespace stepstore::s3
