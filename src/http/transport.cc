#include "http/transport.h"

#include <arpa/inet.h>

namespace stepstore::http {

std::string Endpoint::authority() const {
  std::string text = host.find(':') == std::string::npos ? host : '[' + host + ']';
  if (port != (tls ? 443 : 80)) text += ':' + std::to_string(port);
  return text;
}

std::string Endpoint::text() const { return (tls ? "https://" : "http://") + authority(); }

bool Endpoint::loopback() const noexcept {
  // Only a whole address counts: 127.0.0.1.example.com is anybody's name.
  in_addr address{};
  return host == "localhost" || host == "::1" ||
         (host.starts_with("127.") && ::inet_pton(AF_INET, host.c_str(), &address) == 1);
}

}  // namespace stepstore::http
