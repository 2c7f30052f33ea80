// Files with a token that somebody replaces from time to time.
#pragma once

#include <string>
#include <string_view>

namespace stepstore::s3 {

// The file's text without the blanks around it. Throws Unauthenticated: it cannot be read, is empty
// or holds what no header may.
std::string read_token(const std::string& path, std::string_view source);

}  // namespace stepstore::s3
