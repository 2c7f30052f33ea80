// Who signs: access key, secret and session token, and where they come from.
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
};

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

// How variables are looked up; src/open hands in the environment.
using Lookup = std::function<std::optional<std::string>(std::string_view variable)>;

// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN; then the profile (AWS_PROFILE, else
// "default") of AWS_SHARED_CREDENTIALS_FILE (else ~/.aws/credentials) and AWS_CONFIG_FILE (else
// ~/.aws/config). A profile that is named here is used even where the variables are set. Files are
// read at first use, and again when they change. A variable that is set to nothing is not set.
std::shared_ptr<CredentialsSource> default_credentials(Lookup lookup,
                                                       const std::string& profile = {});

// One value of a profile in the shared files, e.g. "region", "endpoint_url" or, of a nested block,
// "s3.addressing_style"; none: not set. An empty profile: AWS_PROFILE, else "default". Throws
// ConfigError when a file cannot be read.
std::optional<std::string> profile_value(const Lookup& lookup, std::string_view profile,
                                         std::string_view name);

}  // namespace stepstore::s3
