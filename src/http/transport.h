// Transport: sends requests to a server and gathers the answers. The layers above know no socket;
// tests put their own transport here.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "http/message.h"
#include "stepstore/object_store.h"

namespace stepstore::http {

// Where requests go.
struct Endpoint {
  bool tls = true;
  std::string host{};  // name or address, IPv6 without brackets
  std::uint16_t port = 443;

  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
  // For Host headers and messages: the port only when it is not the scheme's own.
  std::string authority() const;
  std::string text() const;        // "https://host:port"
  bool loopback() const noexcept;  // 127.0.0.0/8, ::1, localhost
};

// How one request ended.
struct Outcome {
  Result<Response> response;  // an answer with any status; else Unavailable, Timeout, Cancelled,
                              // Io, TooLarge (body beyond the limit) or ConfigError (certificate)
  // True when the server may have acted on a send whose answer never came: the error is then
  // ambiguous, and so is an answer that followed a second send.
  bool maybe_applied = false;
  bool reused = false;    // the last send went over a connection that had served before
  int sends = 0;          // 2: a reset of a reused connection was answered by one more send
  std::string peer{};     // address and port, for attempt traces
  bool by_proxy = false;  // those are a proxy's
  std::shared_ptr<Partial> partial{};  // what came of an answer that is missing its end
  // Since the request's turn came; 0: it did not come so far. `connect` is of a fresh connection.
  std::chrono::microseconds connect{0};
  std::chrono::microseconds first_byte{0};
  std::chrono::microseconds took{0};
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
};

struct Sending {
  Request request;
  std::uint64_t response_bytes_max = 1ULL << 33;
  // Longer than the transport's own, for requests that a server may work on in silence.
  std::chrono::milliseconds first_byte_timeout{0};
};

// Thread-safe, usable after fork() in the child.
class Transport {
 public:
  virtual ~Transport() = default;

  // Sends all requests at once (at most the transport's limit at the same time), then returns their
  // outcomes in order. Never throws for one request. When the limits end the call, what is still
  // under way gets Timeout or Cancelled.
  virtual std::vector<Outcome> exchange(const Endpoint& endpoint, std::span<const Sending> requests,
                                        const CallLimits& limits) = 0;
};

}  // namespace stepstore::http
