// One small request to a service that gives credentials.
#pragma once

#include <chrono>
#include <string>

#include "base/clock.h"
#include "http/transport.h"

namespace stepstore::s3 {

struct SmallExchange {
  std::string what{};  // "STS", for messages
  http::Endpoint endpoint{};
  http::Request request{};
  std::chrono::milliseconds timeout{};  // of each try
  int tries = 3;                        // 429, 5xx and lost connections go again; silence does not
};

// An answer of any status. Throws Unavailable, Timeout or what the transport has told when there is
// none, and Cancelled or Timeout when the limits end it.
http::Response send_small(http::Transport& transport, const SmallExchange& exchange, Clock& clock,
                          const CallLimits& limits);

}  // namespace stepstore::s3
