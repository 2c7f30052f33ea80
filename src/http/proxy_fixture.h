// A proxy for tests: every name leads to this machine, so that servers may have names that are not
// its own.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "http/http_fixture.h"
#include "http/proxies.h"

namespace stepstore::http {

class TestProxy {
 public:
  // `authorization`: who lacks it gets 407; empty: everybody may ask.
  explicit TestProxy(std::string authorization = {});

  std::uint16_t port() const { return server_.endpoint().port; }
  std::string url(const std::string& who = {}) const;  // "http://who@127.0.0.1:port"
  // For all servers, but those of `except`.
  Proxies proxies(const std::string& who = {}, std::string_view except = {}) const;
  int connections() const { return server_.connections(); }
  // What it was asked: heads as they came, of requests in a tunnel only that of the tunnel.
  std::vector<std::string> heads() const;

 private:
  void serve(Peer& peer);
  // Of a request that it may pass on; false: it was refused.
  bool note(Peer& peer, const std::string& head);

  const std::string authorization_;
  mutable std::mutex mutex_;
  std::vector<std::string> heads_{};
  ScriptedServer server_;  // last: it uses the others
};

}  // namespace stepstore::http
