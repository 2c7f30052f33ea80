#include "open/uri.h"

#include <algorithm>
#include <array>

#include "base/errors.h"
#include "s3/encode.h"

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

constexpr std::array<std::string_view, 25> kParameters{"allow_http",
                                                       "anonymous",
                                                       "attempts_max",
                                                       "ca_file",
                                                       "checksum",
                                                       "connect_timeout",
                                                       "endpoint",
                                                       "expected_bucket_owner",
                                                       "first_byte_timeout",
                                                       "no_proxy",
                                                       "profile",
                                                       "proxy",
                                                       "region",
                                                       "require_sse",
                                                       "sign_payload",
                                                       "sse",
                                                       "sse_bucket_key",
                                                       "sse_c_key_file",
                                                       "sse_context",
                                                       "sse_kms_key_id",
                                                       "stall_timeout",
                                                       "storage_class",
                                                       "style",
                                                       "tags",
                                                       "total_timeout"};

std::string known_parameters() {
  std::string text;
  for (const std::string_view name : kParameters) {
    if (!text.empty()) text += name == kParameters.back() ? " and " : ", ";
    text += name;
  }
  return text;
}

// "a=1&b=2", each part percent-encoded where it must be.
std::map<std::string, std::string> parse_parameters(std::string_view text) {
  std::map<std::string, std::string> parameters;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t equals = pair.find('=');
    const std::string name(pair.substr(0, equals));
    if (std::ranges::find(kParameters, name) == kParameters.end()) {
      // Somebody may have put a secret there, so the value is not repeated.
      refuse("the URI has an unknown parameter '" + name + "'",
             "Known are " + known_parameters() +
                 ". Credentials and keys come from the environment, a file or a profile.");
    }
    const auto value =
        equals == std::string_view::npos ? std::nullopt : s3::url_decode(pair.substr(equals + 1));
    if (!value || value->empty()) refuse("the URI's parameter '" + name + "' has no value", "");
    if (!parameters.emplace(name, *value).second) {
      refuse("the URI has the parameter '" + name + "' twice", "Leave one of them out.");
    }
  }
  return parameters;
}

StoreUri parse_s3(std::string_view rest) {
  constexpr const char* kForm = "Write s3://bucket/prefix.";
  if (!rest.starts_with("//")) refuse("an s3: URI names no bucket", kForm);
  rest.remove_prefix(2);
  const std::size_t question = rest.find('?');
  const std::string_view place = rest.substr(0, question);
  if (place.find('@') != std::string_view::npos) {
    refuse("the URI holds credentials", "Take them out; set them in the environment instead.");
  }
  const std::size_t slash = place.find('/');
  StoreUri uri{.scheme = StoreUri::Scheme::s3, .bucket = std::string(place.substr(0, slash))};
  if (uri.bucket.empty()) refuse("an s3: URI names no bucket", kForm);
  if (slash != std::string_view::npos) {
    std::string_view prefix = place.substr(slash);
    while (prefix.starts_with('/')) prefix.remove_prefix(1);
    while (prefix.ends_with('/')) prefix.remove_suffix(1);
    uri.prefix = prefix;
  }
  if (question != std::string_view::npos) {
    uri.parameters = parse_parameters(rest.substr(question + 1));
  }
  return uri;
}

}  // namespace

StoreUri parse_store_uri(std::string_view uri) {
  constexpr std::string_view kForms =
      "Use a path, file:///path, s3://bucket/prefix, memory: or memory:name.";
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
  if (scheme == "s3") return parse_s3(rest);
  refuse("there is no store of the kind '" + std::string(scheme) + ":'", std::string(kForms));
}

}  // namespace stepstore
