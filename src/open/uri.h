// STORE: where a store lies, as people write it.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace stepstore {

struct StoreUri {
  enum class Scheme : std::uint8_t { local, memory, s3 };
  Scheme scheme = Scheme::local;
  std::string path{};    // local: the directory; memory: the name, empty for a private one
  std::string bucket{};  // s3
  std::string prefix{};  // s3: without slashes at its ends; may be empty
  std::map<std::string, std::string> parameters{};  // s3: what follows the '?', decoded
};

// A path, "file:///path", "memory:", "memory:name", "s3://bucket/prefix?region=...&endpoint=...".
// Throws ConfigError for everything else, unknown parameters and secrets in the URI included; no
// message repeats a secret.
StoreUri parse_store_uri(std::string_view uri);

}  // namespace stepstore
