// ServerSocket: the server's end of one connection, plain or over TLS. It blocks, but no wait
// outlives the server.
#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "stepstore/bytes.h"

namespace stepstore::http {

// Not thread-safe.
class ServerSocket {
 public:
  using Milliseconds = std::chrono::milliseconds;

  // Takes both over. `ssl`: null for a plain one. `stop`: readable once the server stops.
  ServerSocket(int fd, SSL* ssl, int stop, Milliseconds idle_max);
  ServerSocket(const ServerSocket&) = delete;
  ServerSocket& operator=(const ServerSocket&) = delete;
  ~ServerSocket();

  std::string peer() const;  // "127.0.0.1:1234"
  bool shake_hands() const;
  std::size_t read(std::span<std::byte> out) const;  // 0: the end, or an error
  // `more`: something follows at once.
  bool write(BytesView bytes, bool more) const;
  // Lets the time pass. False: the server stops.
  bool pause(Milliseconds time) const;
  // Silence, until the peer closes the connection or the server stops.
  void stay_silent(Milliseconds at_most) const;
  // For an answer that came before the request was read: says that nothing follows, leaves the peer
  // a moment in which it finds the answer, and then takes what it may still be sending. Closing at
  // once would reset the connection, and the answer be lost.
  void end_early() const;
  // From now on closing resets the connection.
  void reset_at_end() const;

 private:
  bool wait(short events, Milliseconds at_most) const;  // false: the server stops, or no time left

  struct FreeSsl {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  const int fd_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  const int stop_;
  const Milliseconds idle_max_;
};

}  // namespace stepstore::http
