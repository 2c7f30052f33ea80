// What the tests of src/http share: a server that does, byte for byte, what a test tells it to, and
// short ways to make one exchange.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "http/client.h"

namespace stepstore::http {

// A request as it came over the wire.
struct RawRequest {
  std::string head{};  // with the empty line
  std::string body{};
};

// The server's end of one connection. Blocking; each wait ends after 20 s, so that a wrong client
// fails a test instead of hanging it.
class Peer {
 public:
  explicit Peer(int socket) noexcept : socket_(socket) {}

  // None: the client has closed the connection, or said nothing for 20 s.
  std::optional<RawRequest> read_request();
  std::string read_head();  // empty: closed
  void send(std::string_view bytes);
  // Reads until the client closes; false: it has not within 20 s.
  bool client_closes();
  void close();  // an orderly end (FIN), even when the client has sent what nobody read
  void reset();  // RST
  int socket() const noexcept { return socket_; }

 private:
  bool receive_more();  // false: end, error or silence
  int socket_;
  std::string received_{};  // what has come but belongs to no request yet
};

// Runs `script` on a thread of its own for each connection; at its end the connection is closed.
class ScriptedServer {
 public:
  using Script = std::function<void(Peer& peer, int connection)>;  // connections count from 0

  explicit ScriptedServer(Script script, int receive_buffer = 0);  // 0: the system's
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  Endpoint endpoint() const { return {.tls = false, .host = "127.0.0.1", .port = port_}; }
  int connections() const noexcept { return connections_; }

 private:
  void accept_all();
  void serve(int socket, int connection);

  const Script script_;
  std::uint16_t port_ = 0;  // set while listener_ is made
  int listener_;
  std::atomic<int> connections_ = 0;
  std::mutex mutex_;
  std::vector<int> open_{};
  std::vector<std::jthread> threads_{};
  std::jthread acceptor_;
};

// A port of 127.0.0.1 on which nobody listens.
std::uint16_t unused_port();

// An answer with a Content-Length.
std::string answer(std::string_view body, std::string_view status = "200 OK");
// Answers every request with `body`, for as long as the client likes.
ScriptedServer::Script always(const std::string& body);

Sending get(std::string target = "/");
Sending put(std::string target, BytesView body);  // the body must outlive the exchange

Outcome one(Transport& client, const Endpoint& endpoint, const Sending& request,
            const CallLimits& limits = {});
CallLimits within(std::chrono::milliseconds time);

// The status or the whole error, for assertions that show what happened.
std::string told(const Outcome& outcome);

}  // namespace stepstore::http
