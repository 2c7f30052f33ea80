// STS: a role for who has credentials of their own, or a token of another identity provider.
#pragma once

#include "s3/credentials/means.h"
#include "s3/credentials/way.h"

namespace stepstore::s3 {

// Both throw Unauthenticated when STS says no, and what send_small() throws.
Credentials assume_role(const CredentialsMeans& means, const Way& way, const Credentials& by,
                        const CallLimits& limits);
// The token's file is read anew each time: whoever issues it replaces it before it expires.
Credentials assume_with_web_identity(const CredentialsMeans& means, const Way& way,
                                     const CallLimits& limits);

}  // namespace stepstore::s3
