// Server: a small HTTP/1.1 server with a thread per connection, for the fault server and the
// viewer. Not meant for the open internet.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
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
  drop,      // nothing of it, or what Reply::until says; the connection is closed
  reset,     // the same; the connection is reset (RST)
  truncate,  // head and half of the body, then closed
  stall,     // nothing of it, or what Reply::until says; then silence, until the peer or the server
             // closes the connection, or for Reply::stall_max
};

// How the end of a body is told.
enum class Framing : std::uint8_t { sized, chunked, until_closed };

// A byte of an answer: of its head, or of all that follows the head.
struct AnswerByte {
  std::uint64_t number = 0;
  bool in_head = false;
};

struct Reply {
  Response response{};
  Delivery delivery = Delivery::send;
  std::chrono::milliseconds delay{0};  // before the answer
  bool close = false;                  // after the answer
  // What follows is for tests.
  std::optional<AnswerByte> until{};  // drop, reset, stall: what stands before this byte goes out
  std::chrono::milliseconds stall_max{std::chrono::hours(24)};
  Framing framing = Framing::sized;
  // Blanks after the head, one each `space_every`: how S3 keeps a connection alive while it works.
  std::size_t spaces = 0;
  std::chrono::milliseconds space_every{0};
  // At most so many bytes leave each `drip_every`; 0: as fast as they go.
  std::size_t drip_bytes = 0;
  std::chrono::milliseconds drip_every{0};
};

// What happens to a request of which only the beginning is read, for tests: when so many bytes of
// its body have come (or all, if it has fewer), this is the answer, and the connection ends.
struct Early {
  std::uint64_t body_bytes = 0;
  Reply reply{};
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

// The handlers are called from many threads at once. They may not throw.
class Server {
 public:
  using Handler = std::function<Reply(const Received&)>;
  // Asked when a request's head is there, which is all that it is handed. None: the request is read
  // to its end and goes to the Handler.
  using HeadHandler = std::function<std::optional<Early>(const Received& head)>;

  // Listens; throws Io, ConfigError.
  Server(ServerOptions options, Handler handler, HeadHandler on_head = {});
  ~Server();  // stop()

  std::uint16_t port() const noexcept;
  std::size_t connections() const;  // open now
  // Waits until no connection is open. False: some still were when the time was over.
  bool wait_until_idle(std::chrono::milliseconds at_most) const;
  // Ends all connections and threads. Idempotent.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace stepstore::http
