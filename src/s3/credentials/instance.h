// The role of an EC2 instance, from its metadata service (IMDSv2).
#pragma once

#include "s3/credentials/means.h"
#include "s3/credentials/way.h"

namespace stepstore::s3 {

// Never by version 1, which needs no token: whoever can make a server fetch a URL could steal them.
// Throws Unauthenticated when there is no metadata service, or no role.
Credentials ask_instance(const CredentialsMeans& means, const Way& way, const CallLimits& limits);

}  // namespace stepstore::s3
