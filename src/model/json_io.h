// Writing strings of JSON, and reading members of stored JSON: every mistake becomes a Corrupt
// error that names the object and the member.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/errors.h"

namespace stepstore {

[[noreturn]] inline void throw_corrupt(std::string_view key, std::string message) {
  error(ErrorCode::Corrupt, "parse", key, std::move(message)).raise();
  __builtin_unreachable();
}

// As a JSON string, in quotes. Throws nlohmann::json::type_error for what is not UTF-8.
std::string json_string(std::string_view text);

// Throws Unsupported when `format` ("major.minor") is newer than this release knows.
void check_format(const nlohmann::json& document, std::string_view key);

// The document as an object; throws Corrupt.
nlohmann::json parse_object(std::string_view text, std::string_view key);

// A member of the wanted type; throws Corrupt when it is missing or of another type.
template <class T>
T member(const nlohmann::json& object, const char* name, std::string_view key) {
  const auto found = object.find(name);
  if (found == object.end()) throw_corrupt(key, std::string("'") + name + "' is missing");
  if constexpr (std::is_same_v<T, std::string>) {
    if (!found->is_string()) throw_corrupt(key, std::string("'") + name + "' is not a string");
  } else if constexpr (std::is_unsigned_v<T> && !std::is_same_v<T, bool>) {
    if (!found->is_number_unsigned())
      throw_corrupt(key, std::string("'") + name + "' is not a count");
  }
  return found->template get<T>();
}

// The elements of an array member; empty when it is absent.
const nlohmann::json& array_member(const nlohmann::json& object, const char* name,
                                   std::string_view key);

}  // namespace stepstore
