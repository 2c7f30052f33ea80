// What the ways to credentials need of the world outside.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "http/transport.h"
#include "s3/credentials.h"

namespace stepstore::s3 {

struct CredentialsMeans {
  Lookup lookup;
  Clock& clock;
  Random& random;
  std::shared_ptr<http::Transport> transport{};  // to STS
  // To addresses of this machine and its network, which no proxy can reach.
  std::shared_ptr<http::Transport> direct{};
  // The environment of programs that are run, asked each time; null: none.
  std::function<char* const*()> environment{};
  // The store is AWS's. Elsewhere nobody asks the machine for its role: where there is no metadata
  // service, each look would cost a second.
  bool on_aws = true;
  // Roles may be assumed over plain HTTP at another machine.
  bool allow_http = false;
};

// The variable; one that is set to nothing is not set, as for AWS's tools.
std::optional<std::string> find_variable(const Lookup& lookup, std::string_view variable);

// A StorageManagerError about credentials that cannot be had. `advice` empty: to set some.
[[noreturn]] void no_credentials(std::string message, std::string_view advice = {});

}  // namespace stepstore::s3
