// What --json prints: one object a line, ASCII only, so that no stored text reaches a terminal raw.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "stepstore/stepstore.h"

namespace stepstore::cli {

using Json = nlohmann::ordered_json;

// One line, without its end. Text that is not UTF-8 (a file's name) gets replacement characters.
std::string json_line(const Json& value);

Json json_of(const Receipt& receipt);
Json json_of(const StepInfo& info);
Json json_of(const Finding& finding);

}  // namespace stepstore::cli
