// Plans and journals as text.
#pragma once

#include <string>

#include "testing/fault_server/plan.h"

namespace stepstore::fault {

// One line of JSON without its end: {"ms": 12.345, "method": "PUT", "key": ..., "query": ...,
// "fate": "normal", "status": 200, "took_ms": 0.04}.
std::string to_json(const Entry& entry);

}  // namespace stepstore::fault
