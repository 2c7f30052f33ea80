// The credentials of whoever runs the program, found as AWS's tools find them.
#pragma once

#include <memory>
#include <string>

#include "s3/credentials/means.h"

namespace stepstore::s3 {

// In the order of find_way(). Variables and files are looked at for each call, so that their change
// counts at once; what a service or a program has given is kept until shortly before it expires. A
// profile that is named here is used even where variables with credentials are set.
std::shared_ptr<CredentialsSource> default_credentials(CredentialsMeans means,
                                                       const std::string& profile = {});

}  // namespace stepstore::s3
