// Client: the transport over real connections. It keeps connections open between calls and drives
// all requests of one call from the calling thread.
#pragma once

#include <memory>

#include "base/clock.h"
#include "http/transport.h"

namespace stepstore::http {

struct ClientOptions {
  std::chrono::milliseconds connect_timeout{
      5'000};  // name, TCP and TLS together, per address tried
  // No byte either way for so long: Timeout for this request, unless it says otherwise. A third of
  // the time in which S3's requests are repeated, so that a silent connection leaves room for
  // others.
  std::chrono::milliseconds silence_timeout{10'000};
  // A connection that has been idle for longer is not used again. S3 closes them after about 5 s.
  std::chrono::milliseconds idle_max{4'000};
  std::size_t idle_connections_max = 64;  // kept open between calls
  std::size_t in_flight_max = 64;         // requests of one call at the same time
  std::string ca_file{};                  // PEM; empty: the system's certificates
  bool verify_certificates = true;
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
