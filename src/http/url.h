// URLs of servers: http://host:port/path and https://...
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/transport.h"

namespace stepstore::http {

struct Url {
  Endpoint endpoint{};
  std::string path{};   // as written, with its leading slash; empty: none
  std::string query{};  // as written, without '?'
};

// Throws ConfigError: no http(s) URL, a fragment, or a user name or password in it, which does not
// belong where it can be seen. No message repeats those.
Url parse_url(std::string_view text);

struct UserInfo {
  std::string user{};
  std::string password{};  // never in a message
};
// The same for the URL of a proxy, which is where people write who asks; decoded.
Url parse_url(std::string_view text, std::optional<UserInfo>& who);

}  // namespace stepstore::http
