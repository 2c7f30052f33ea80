// Which way leads to credentials here, in the order of AWS's tools.
#pragma once

#include <string>

#include "s3/credentials/means.h"
#include "s3/credentials/shared_files.h"
#include "s3/credentials/way.h"

namespace stepstore::s3 {

// The variables with keys; the profile's role, or its web identity; the variables' web identity;
// the profile's keys, or its program; the container's endpoint; the instance's role. With `named`
// the profile was named in code: variables with credentials then don't count. Asks nobody. Throws
// Unauthenticated with what is missing, or what this library does not do.
Way find_way(const CredentialsMeans& means, SharedFiles& files, const std::string& profile,
             bool named);

}  // namespace stepstore::s3
