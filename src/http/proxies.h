// Proxies: which way the requests to a server take.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "http/transport.h"

namespace stepstore::http {

// An HTTP proxy, spoken to without TLS. Requests to https servers go through a tunnel, in which TLS
// is between us and the server; the proxy sees the name and the size of what passes.
struct Proxy {
  Endpoint endpoint{};
  std::string authorization{};  // the value of Proxy-Authorization; empty: none. Never in a message
  std::string named_by{};       // "HTTPS_PROXY", for messages

  std::string text() const;  // "the proxy http://host:port (HTTPS_PROXY)"
};

struct ProxyUrl {
  std::string url{};       // "http://user:password@host:port", "host:port"; empty: no proxy
  std::string named_by{};  // what to mend, for messages
};

// Thread-safe; copies share what they know. None by default: every way is direct.
class Proxies {
 public:
  Proxies() = default;
  // For servers that speak http, and https. `except`: hosts with a direct way, as NO_PROXY lists
  // them.
  Proxies(const ProxyUrl& for_http, const ProxyUrl& for_https, std::string_view except);

  // Null: directly. That is always so for this machine, and for the link's own addresses
  // (169.254.0.0/16, fe80::/10, fd00:ec2::/32), where services are that give secrets only to who is
  // on the spot. Throws ConfigError for a proxy whose URL is none, where it would be used.
  const Proxy* on_the_way_to(const Endpoint& server) const;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

}  // namespace stepstore::http
