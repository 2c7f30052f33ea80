// ServerPeer: serves the requests of one connection, one after the other, on the calling thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "http/server.h"
#include "http/server_socket.h"

namespace stepstore::http {

class ServerPeer {
 public:
  // What it borrows must live until serve() returns.
  ServerPeer(const ServerSocket& socket, const ServerOptions& options,
             const Server::Handler& handler, const Server::HeadHandler& on_head)
      : socket_(socket), options_(options), handler_(handler), on_head_(on_head) {}

  void serve() const;

 private:
  // Both: false when the connection is to be closed.
  bool serve_one(const std::string& peer, std::span<std::byte> scratch) const;
  bool deliver(const Reply& reply, const std::string& method, bool reusable) const;
  void deliver_early(const Early& early, const std::string& method) const;

  const ServerSocket& socket_;
  const ServerOptions& options_;
  const Server::Handler& handler_;
  const Server::HeadHandler& on_head_;
};

}  // namespace stepstore::http
