// Resolver: host names to addresses, without waiting longer than a call may.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "http/stream.h"

namespace stepstore::http {

// Thread-safe; usable after fork() in the child. The system's resolver cannot be interrupted, so it
// runs on threads that all resolvers of the process share; they end when they have been idle.
class Resolver {
 public:
  explicit Resolver(Clock& clock);
  ~Resolver();

  // The addresses of the endpoint, in the order to try them. A name is asked for again after 30 s.
  // Throws Unavailable (unknown host), Timeout, Cancelled.
  std::vector<Address> lookup(const Endpoint& endpoint, const CallLimits& limits);

 private:
  struct State;
  Clock& clock_;
  std::unique_ptr<State> state_;
};

}  // namespace stepstore::http
