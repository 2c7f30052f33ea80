// STORE: where a store lies, as people write it.
#pragma once

#include <string>
#include <string_view>

namespace stepstore {

struct StoreUri {
  enum class Scheme : std::uint8_t { local, memory, s3 };
  Scheme scheme = Scheme::local;
  std::string
      path;  // local: the directory; memory: the name, empty for a private one; s3: bucket/prefix
};

// A path, "file:///path", "memory:", "memory:name", "s3://bucket/prefix". Throws ConfigError for
// everything else, unknown parameters and secrets in the URI included; no message repeats a secret.
StoreUri parse_store_uri(std::string_view uri);

}  // namespace stepstore
