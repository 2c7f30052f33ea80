// Stream: the bytes of one connection, plain or over TLS. Nothing here blocks: every act says how
// far it got and what it waits for.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "http/transport.h"

namespace stepstore::http {

class TlsContext;

struct Progress {
  enum class State : std::uint8_t {
    done,        // `bytes` were taken or given; for connect and handshake: finished
    want_read,   // go on when the socket is readable
    want_write,  // go on when it is writable
    ended,       // the peer closed in order
    failed,      // see `error`
  };
  State state = State::done;
  std::size_t bytes = 0;
  int error = 0;           // errno; 0: see `message`
  std::string message{};   // of a TLS failure
  bool untrusted = false;  // the certificate is the reason
  bool cut_off = false;    // ended, but without TLS's own farewell: anybody may have done that
};

// One resolved address.
struct Address {
  alignas(8) std::byte storage[128];  // struct sockaddr_storage
  unsigned size = 0;
  std::string text{};  // "127.0.0.1:9000", for messages
};

// Not thread-safe. Closing sends nothing over TLS, so that a forked child may close its parent's.
class Stream {
 public:
  // Begins to connect. `tls`: null for a plain one. Throws Io when no socket can be made.
  Stream(const Endpoint& endpoint, Address address, TlsContext* tls);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // What comes and goes from here on is TLS with that endpoint, of which nothing has come yet.
  void secure(const Endpoint& endpoint, TlsContext& tls);

  Progress connect();    // call until done
  Progress handshake();  // done at once for a plain one
  Progress read(std::span<std::byte> out);
  Progress write(std::span<const iovec> pieces);

  int descriptor() const noexcept { return fd_; }
  // Bytes lie ready that poll() does not know of.
  bool has_pending() const noexcept;
  // Nothing has come since the last answer, so that it can serve again.
  bool quiet() const noexcept;
  const std::string& peer() const noexcept { return address_.text; }
  const Address& address() const noexcept { return address_; }

 private:
  Progress tls_progress(int result);

  Address address_;
  int fd_ = -1;
  bool connected_ = false;
  struct Tls;
  std::unique_ptr<Tls> tls_;
};

}  // namespace stepstore::http
