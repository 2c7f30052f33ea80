// How the servers of an S3 store are reached: time limits, certificates to trust, proxies, tries.
#pragma once

#include "http/client.h"
#include "open/sources.h"

namespace stepstore {

struct S3Network {
  http::ClientOptions http{};
  int attempts_max = 0;     // tries of a request, the first included
  bool allow_http = false;  // without TLS to another machine
};

// Throws ConfigError for values that cannot be. `attempts_usual`: where nothing is set.
S3Network s3_network(const Sources& from, const Options& options, int attempts_usual);

// The way to the endpoint: null for a direct one. Throws ConfigError when the proxy that would be
// used has a URL that is none.
const http::Proxy* way_to(const http::Endpoint& endpoint, const S3Network& network);

}  // namespace stepstore
