// Who signs: access key, secret and session token. s3/credentials/ has the ways to find them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "stepstore/object_store.h"

namespace stepstore::s3 {

struct Credentials {
  std::string access_key{};
  std::string secret_key{};  // never in a message
  std::string session_token{};
  std::string source{};  // where they were found, for messages: "environment", "profile work"
  std::optional<Timestamp> expires_at{};  // none: not known, or never
  bool anonymous = false;                 // requests are not signed; there are no keys

  friend bool operator==(const Credentials&, const Credentials&) = default;
};

bool same_keys(const Credentials& a, const Credentials& b);

// Thread-safe.
class CredentialsSource {
 public:
  virtual ~CredentialsSource() = default;
  // The credentials to sign with now. Throws Unauthenticated with what to do.
  virtual std::shared_ptr<const Credentials> current(const CallLimits& limits) = 0;
  // The server said that these have expired: get new ones next time. True when that may help.
  virtual bool refresh(const Credentials& refused) = 0;
  virtual std::string describe() const = 0;  // for `info`; no secret
};

std::shared_ptr<CredentialsSource> fixed_credentials(Credentials credentials);
// Requests are sent without a signature, for buckets that anybody may read.
std::shared_ptr<CredentialsSource> anonymous_credentials();

// How variables are looked up; src/open hands in the environment.
using Lookup = std::function<std::optional<std::string>(std::string_view variable)>;

}  // namespace stepstore::s3
