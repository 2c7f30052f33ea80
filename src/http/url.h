// URLs of servers: http://host:port/path and https://...
#pragma once

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

}  // namespace stepstore::http
