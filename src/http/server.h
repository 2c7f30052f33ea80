// Server: a small HTTP/1.1 server with a thread per connection, for the fault server and the
// viewer. Not meant for the open internet.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "http/message.h"

namespace stepstore::http {

// A request as it arrived; the body lies in memory.
struct Received {
  std::string method{};
  std::string target{};
  Headers headers{};
  Bytes body{};
  bool keep_alive = true;
  std::string peer{};
};

// What happens with the answer. Everything but `send` is for tests.
enum class Delivery : std::uint8_t {
  send,      // the whole answer
  drop,      // nothing; the connection is closed
  reset,     // nothing; the connection is reset (RST)
  truncate,  // head and half of the body, then closed
  stall,     // nothing; the connection stays open until the peer or the server closes it
};

struct Reply {
  Response response{};
  Delivery delivery = Delivery::send;
  std::chrono::milliseconds delay{0};  // before the answer
  bool close = false;                  // after the answer
};

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;          // 0: a free one
  std::string certificate_file{};  // PEM with the chain; empty: plain HTTP
  std::string key_file{};
  std::uint64_t body_bytes_max = 1ULL << 33;
  std::chrono::milliseconds idle_max{60'000};
  std::size_t connections_max = 1'024;
};

// The handler is called from many threads at once. It may not throw.
class Server {
 public:
  using Handler = std::function<Reply(const Received&)>;

  Server(ServerOptions options, Handler handler);  // listens; throws Io, ConfigError
  ~Server();                                       // stop()

  std::uint16_t port() const noexcept;
  // Ends all connections and threads. Idempotent.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace stepstore::http
