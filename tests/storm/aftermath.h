// What a storm has left, looked at when nobody is busy any more.
#pragma once

#include <string>

#include "tests/storm/tally.h"

namespace stepstore::storm {

// Where `collect` is set, collects orphans once more and finds none left.
void look_at_what_is_left(const std::string& uri, bool collect, Tally& tally);

}  // namespace stepstore::storm
