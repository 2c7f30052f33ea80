// Where JSON text goes wrong.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "errors.h"

namespace stepstore::cli {

// "line 3, column 5 (byte 41)" of the first mistake; nothing when the text is valid JSON.
std::optional<std::string> json_mistake(std::string_view text);

// When `text` is not valid JSON, `error` is told as one of `file`, with the place in it.
void explain_json(Told& error, const std::optional<std::string>& file,
                  const std::optional<std::string_view>& text);

}  // namespace stepstore::cli
