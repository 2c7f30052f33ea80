// TlsContext: certificates to trust, and sessions to resume. OpenSSL stays behind this header.
#pragma once

#include <memory>
#include <string>

#include "http/transport.h"

struct ssl_st;

namespace stepstore::http {

// Thread-safe.
class TlsContext {
 public:
  // `ca_file`: PEM, or a directory of hashed ones; empty: the system's. Throws ConfigError for one
  // that holds no certificate.
  TlsContext(const std::string& ca_file, bool verify);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // A client's side of a connection to the endpoint over the socket. Freed by the caller.
  ssl_st* make(const Endpoint& endpoint, int fd);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace stepstore::http
