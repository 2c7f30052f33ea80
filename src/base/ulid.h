// ULIDs: 26 characters that sort by time and never repeat (https://github.com/ulid/spec). They name
// commits and every object that is written under a name of its own.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/random.h"

namespace stepstore {

// 48 bits of milliseconds since 1970 and 80 random bits, in Crockford's base 32.
std::string make_ulid(Clock& clock, Random& random);

// True when the text has the form of a ULID.
bool is_ulid(std::string_view text) noexcept;

}  // namespace stepstore
