// Who signs: what the options say, else what variables, files and the machine have.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "open/s3_network.h"
#include "s3/credentials.h"
#include "stepstore/options.h"

namespace stepstore {

struct CredentialsWish {
  std::string profile{};            // as named in code; empty: none
  std::optional<bool> anonymous{};  // as the URI says
  bool on_aws = false;
  S3Network network{};
  s3::Lookup lookup;
};

// Throws ConfigError when the options contradict each other.
std::shared_ptr<s3::CredentialsSource> s3_credentials(const Options& options,
                                                      const CredentialsWish& wish);

}  // namespace stepstore
