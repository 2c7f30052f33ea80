// The two shared files of AWS's tools as one: profiles with settings and secrets.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "s3/credentials.h"
#include "s3/credentials/profile_file.h"

namespace stepstore::s3 {

// AWS_SHARED_CREDENTIALS_FILE (else ~/.aws/credentials) and AWS_CONFIG_FILE (else ~/.aws/config).
// Not thread-safe.
class SharedFiles {
 public:
  explicit SharedFiles(const Lookup& lookup);

  // Reads them when they have changed: once for many questions, since each look is a system call.
  // Throws ConfigError when a file is there and cannot be read.
  void look();
  bool has(std::string_view profile) const;
  // Of the file for credentials, else of the one for settings; empty: not set.
  std::string value(std::string_view profile, std::string_view name) const;
  // Where the profile says that a service is, "s3" or "sts": of its section [services NAME], else
  // of a nested block, else for all services; empty: it says nothing, or
  // ignore_configured_endpoint_urls.
  std::string endpoint(std::string_view profile, std::string_view service) const;
  // The access key, secret and token of one of the files; none: it has neither key nor secret.
  // Throws Unauthenticated when one of the two is missing.
  std::optional<Credentials> keys(std::string_view profile, ProfileFileKind in) const;
  void forget() noexcept;      // reads them at the next look, whatever their size and time
  std::string places() const;  // " in ... or ...", for messages

 private:
  ProfileFile secrets_;
  ProfileFile settings_;
};

// The given one, else AWS_PROFILE, AWS_DEFAULT_PROFILE, "default".
std::string profile_name(const Lookup& lookup, std::string_view given);

// One value of a profile in the shared files, e.g. "region", "endpoint_url" or, of a nested block,
// "s3.addressing_style"; none: not set. The file for settings goes first. Throws ConfigError when a
// file cannot be read.
std::optional<std::string> profile_value(const Lookup& lookup, std::string_view profile,
                                         std::string_view name);
// The same for where a service is; see SharedFiles::endpoint().
std::optional<std::string> profile_endpoint(const Lookup& lookup, std::string_view profile,
                                            std::string_view service);
// AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is true: neither variables nor profiles say where services
// are.
bool ignores_endpoints(const Lookup& lookup);

}  // namespace stepstore::s3
