// How an S3 store is reached: from the URI, then the options, then the environment, then the
// profile, then the default.
#pragma once

#include <memory>
#include <string>

#include "http/transport.h"
#include "open/s3_network.h"
#include "open/uri.h"
#include "s3/client.h"
#include "s3/credentials.h"
#include "stepstore/options.h"

namespace stepstore {

struct S3Settings {
  s3::ClientOptions client{};
  std::string prefix{};
  S3Network network{};
  std::shared_ptr<s3::CredentialsSource> credentials{};

  // "s3://bucket/prefix?endpoint=...&region=...": enough to open the same store, without secrets.
  std::string location() const;
};

// Throws ConfigError for values that cannot be.
S3Settings s3_settings(const StoreUri& uri, const Options& options, const s3::Lookup& lookup);

}  // namespace stepstore
