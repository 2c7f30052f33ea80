// Client: the transport over real connections. It keeps connections open between calls and drives
// all requests of one call from the calling thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "http/proxies.h"
#include "http/transport.h"

namespace stepstore::http {

struct ClientOptions {
  // TCP and TLS together, whatever number of addresses is tried.
  std::chrono::milliseconds connect_timeout{5'000};
  // An address that has not answered for so long gets the next one beside it.
  std::chrono::milliseconds next_address_after{250};
  // From the end of the request to the first byte of the answer, unless the request says otherwise.
  // A third of the time in which S3's requests are repeated, so that a silent connection leaves
  // room for others.
  std::chrono::milliseconds first_byte_timeout{10'000};
  // No byte either way for so long, in the middle of a request or of an answer.
  std::chrono::milliseconds stall_timeout{10'000};
  // One request, from its turn to the end of its answer; 0: only the call's own limit.
  std::chrono::milliseconds total_timeout{0};
  // A connection that has been idle for longer is not used again. S3 closes them after about 5 s.
  std::chrono::milliseconds idle_max{4'000};
  std::size_t idle_connections_max = 64;  // kept open between calls
  std::size_t in_flight_max = 64;         // requests of one call at the same time
  // A PEM file, or a directory as `openssl rehash` makes it; empty: the system's certificates.
  std::string ca_file{};
  // Addresses of hosts, in place of what the system's resolver says.
  std::map<std::string, std::vector<std::string>> addresses{};
  bool verify_certificates = true;
  Proxies proxies{};
};

class Client final : public Transport {
 public:
  // No network before the first exchange().
  Client(ClientOptions options, Clock& clock);
  ~Client() override;

  std::vector<Outcome> exchange(const Endpoint& endpoint, std::span<const Sending> requests,
                                const CallLimits& limits) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace stepstore::http
