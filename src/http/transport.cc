#include "http/transport.h"

namespace stepstore::http {

std::string Endpoint::authority() const {
  std::string text = host.find(':') == std::string::npos ? host : '[' + host + ']';
  if (port != (tls ? 443 : 80)) text += ':' + std::to_string(port);
  return text;
}

std::string Endpoint::text() const { return (tls ? "https://" : "http://") + authority(); }

bool Endpoint::loopback() const noexcept {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

}  // namespace stepstore::http
