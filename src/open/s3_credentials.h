// Who signs: what the options say, else what variables, files and the machine have.
#pragma once

#include <memory>
#include <string>

#include "s3/credentials.h"
#include "stepstore/options.h"

namespace stepstore {

struct CredentialsWish {
  std::string profile{};  // as named in code; empty: none
  bool anonymous = false;
  bool on_aws = false;
  std::string ca_file{};
  s3::Lookup lookup;
};

// Throws ConfigError when the options contradict each other.
std::shared_ptr<s3::CredentialsSource> s3_credentials(const Options& options,
                                                      const CredentialsWish& wish);

}  // namespace stepstore
