// credential_process: a program that prints keys.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "s3/credentials/means.h"
#include "s3/credentials/way.h"

namespace stepstore::s3 {

// The words of a command: blanks part them, '...' and "..." hold them together, a backslash takes
// the character after it as it is (not within '...'; within "..." only before '"' and '\'). None: a
// quote is not closed.
std::optional<std::vector<std::string>> split_command(std::string_view command);

// Throws Unauthenticated when the program fails, and never repeats what it printed.
Credentials run_process(const CredentialsMeans& means, const Way& way, const CallLimits& limits);

}  // namespace stepstore::s3
