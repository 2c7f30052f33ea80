// The JSON documents in which keys are handed over.
#pragma once

#include <string_view>

#include "s3/credentials.h"

namespace stepstore::s3 {

enum class KeysDocument : std::uint8_t {
  process,   // Version 1, SessionToken
  metadata,  // of containers and instances: Token, and perhaps a Code that is Success
};

// Throws Unauthenticated with what is wrong with the document of `source`. No message repeats
// anything of it but a Code.
Credentials parse_keys(std::string_view text, KeysDocument kind, std::string_view source);

}  // namespace stepstore::s3
