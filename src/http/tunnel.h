// Tunnel: asks a proxy for a way to a server (CONNECT), on which TLS then begins as with any other.
#pragma once

#include <optional>
#include <string>

#include "http/message_reader.h"
#include "http/proxies.h"
#include "http/stream.h"

namespace stepstore::http {

// What a proxy that refuses its service says, as an error that tells what to mend; its page is not
// repeated, since it may hold what it was sent. `server`: where the way was to lead.
StorageManagerError refused_by(const Proxy& proxy, const Endpoint& server, int status);

// For one connection, whose stream is plain as yet. Not thread-safe.
class Tunnel {
 public:
  Tunnel(const Proxy& proxy, const Endpoint& server, std::span<std::byte> scratch);

  // Call it until it is done. Throws ConfigError and Unavailable when the proxy refuses, or is
  // none.
  Progress advance(Stream& stream);

 private:
  const Proxy& proxy_;
  const Endpoint& server_;
  std::string ask_;
  std::size_t sent_ = 0;
  ResponseReader reader_;
};

}  // namespace stepstore::http
