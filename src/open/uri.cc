#include "open/uri.h"

#include "base/errors.h"

namespace stepstore {
namespace {

[[noreturn]] void refuse(std::string message, std::string advice) {
  error(ErrorCode::ConfigError, "StorageManager", "", std::move(message), std::move(advice))
      .raise();
  __builtin_unreachable();
}

bool is_scheme(std::string_view word) {
  return word.size() > 1 &&
         word.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+") == std::string_view::npos;
}

}  // namespace

StoreUri parse_store_uri(std::string_view uri) {
  constexpr std::string_view kForms = "Use a path, file:///path, memory: or memory:name.";
  const std::size_t colon = uri.find(':');
  const std::string_view scheme = colon == std::string_view::npos ? "" : uri.substr(0, colon);
  if (!is_scheme(scheme)) {
    if (uri.empty()) refuse("the store's URI is empty", std::string(kForms));
    return {.scheme = StoreUri::Scheme::local, .path = std::string(uri)};
  }
  std::string_view rest = uri.substr(colon + 1);
  if (scheme == "memory") {
    if (rest.find_first_of("/?#@") != std::string_view::npos) {
      refuse("the name of a memory store holds '/', '?', '#' or '@'", "Use memory:name.");
    }
    return {.scheme = StoreUri::Scheme::memory, .path = std::string(rest)};
  }
  const std::size_t question = rest.find('?');
  if (scheme == "file") {
    if (question != std::string_view::npos) {
      refuse("a file: URI takes no parameters", "Leave out what follows the '?'.");
    }
    if (!rest.starts_with("///")) {
      refuse("a file: URI names no absolute path", "Write file:///absolute/path.");
    }
    return {.scheme = StoreUri::Scheme::local, .path = std::string(rest.substr(2))};
  }
  if (scheme == "s3") {
    if (rest.find('@') != std::string_view::npos) {
      refuse("the URI holds credentials", "Take them out; set them in the environment instead.");
    }
    return {.scheme = StoreUri::Scheme::s3, .path = std::string(rest)};
  }
  refuse("there is no store of the kind '" + std::string(scheme) + ":'", std::string(kForms));
}

}  // namespace stepstore
