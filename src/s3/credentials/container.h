// The credentials endpoint of ECS and EKS containers.
#pragma once

#include "s3/credentials/means.h"
#include "s3/credentials/way.h"

namespace stepstore::s3 {

// Plain HTTP only to this machine and the addresses that AWS uses there: the answer is a secret.
// Throws Unauthenticated when the endpoint says no or may not be asked, and what send_small()
// throws.
Credentials ask_container(const CredentialsMeans& means, const Way& way, const CallLimits& limits);

}  // namespace stepstore::s3
