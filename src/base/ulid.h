// ULIDs: 26 characters that sort by time and never repeat (https://github.com/ulid/spec). They name
// commits and every object that is written under a name of its own.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"

namespace stepstore {

// 48 bits of milliseconds since 1970 and 80 random bits, in Crockford's base 32.
std::string make_ulid(Clock& clock, Random& random);

// The next one in their order: for who needs one that comes later than another of the same moment.
std::string ulid_after(std::string_view ulid);
// When it was made. Of a text that is_ulid().
Timestamp ulid_time(std::string_view ulid);

// True when the text has the form of a ULID.
bool is_ulid(std::string_view text) noexcept;

}  // namespace stepstore
