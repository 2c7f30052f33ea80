// Resolver: host names to addresses, without waiting longer than a call may.
#pragma once

#include <map>
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
  // `fixed`: addresses of hosts for which the system is not asked.
  explicit Resolver(Clock& clock, std::map<std::string, std::vector<std::string>> fixed = {});
  ~Resolver();

  // The addresses of the endpoint, in the order to try them. A name is asked for again after 30 s.
  // Throws Unavailable (unknown host), Timeout, Cancelled.
  std::vector<Address> lookup(const Endpoint& endpoint, const CallLimits& limits);
  // Nobody answered there: the name is asked for again, and for a while this address comes last.
  void avoid(const Endpoint& endpoint, const Address& address);

 private:
  struct State;
  std::vector<Address> found(const Endpoint& endpoint, const CallLimits& limits);
  Clock& clock_;
  const std::map<std::string, std::vector<std::string>> fixed_;
  std::unique_ptr<State> state_;
};

}  // namespace stepstore::http
