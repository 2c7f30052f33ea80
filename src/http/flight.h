// Flight: one request on its way, as far as its connection lets it come without waiting.
#pragma once

#include <poll.h>

#include <optional>
#include <vector>

#include "http/client.h"
#include "http/message_reader.h"
#include "http/pool.h"
#include "http/proxies.h"
#include "http/resolver.h"
#include "http/stream.h"
#include "http/tunnel.h"

namespace stepstore::http {

// Of one that failed, in words.
std::string reason_of(const Progress& progress);

// What all flights of a call share.
struct Airport {
  const ClientOptions& options;
  Clock& clock;
  Pool& pool;
  Resolver& resolver;
  TlsContext* tls;  // null: the endpoint is plain
  const Endpoint& endpoint;
  const Proxy* proxy;                     // null: the way is direct
  const std::vector<Address>& addresses;  // of next()

  // Who is connected to.
  const Endpoint& next() const noexcept { return proxy != nullptr ? proxy->endpoint : endpoint; }
};

// Of an error on the way to the proxy: it names it, and what to do about it.
StorageManagerError told_of(const Proxy& proxy, const StorageManagerError& failed);

// Not thread-safe.
class Flight {
 public:
  Flight(Airport& airport, const Sending& sending);

  // Goes on until it has landed or must wait. `ready`: what it waited for has come.
  void advance(bool ready);
  // The call's limits have ended it.
  void abandon(const StorageManagerError& why);

  bool landed() const noexcept { return landed_; }
  // Adds what it waits for.
  void listen(std::vector<pollfd>& descriptors) const;
  std::chrono::steady_clock::time_point until() const noexcept { return until_; }
  Outcome take();

 private:
  enum class Phase : std::uint8_t { connecting, tunnelling, shaking_hands, sending, receiving };

  void begin(bool fresh);
  void run_out_of_time();
  bool step();  // false: must wait, or has landed
  void race();  // with the next address, too
  bool connect();
  bool tunnel();
  bool shake_hands();
  bool send();
  bool receive();
  bool read_some();  // false: nothing more now
  bool wait_for(short events, std::chrono::milliseconds at_most);
  bool waits(const Progress& progress, std::chrono::milliseconds at_most);
  void connection_failed(const Progress& progress);
  void lost(StorageManagerError why);  // lands, or begins again (sends_ tells)
  void answered();                     // the answer is whole
  void land(Result<Response> response);
  std::chrono::milliseconds silence_timeout() const;
  std::chrono::microseconds since_begun() const;
  std::chrono::milliseconds time_to_connect() const;
  void avoid(const Stream& stream);
  std::string make_head() const;
  StorageManagerError connect_error(const Progress& progress) const;

  Airport& airport_;
  const Sending& sending_;
  std::string head_;
  std::vector<iovec> pieces_{};  // of the request, what is left of them
  std::size_t next_piece_ = 0;
  std::unique_ptr<Connection> connection_{};
  std::optional<ResponseReader> reader_{};
  std::optional<Tunnel> tunnel_{};
  Phase phase_ = Phase::connecting;
  // Connects that are under way; the first one to succeed is taken. The addresses before address_
  // have been tried.
  std::vector<std::unique_ptr<Stream>> racing_{};
  std::size_t address_ = 0;
  std::chrono::steady_clock::time_point next_address_at_{};
  Progress connect_failure_{};
  bool fresh_ = false;        // the connection has not served before
  bool sent_any_ = false;     // over this connection
  bool send_failed_ = false;  // only an early answer can be had
  bool landed_ = false;
  short events_ = 0;
  std::chrono::steady_clock::time_point until_{};
  std::chrono::steady_clock::time_point connect_until_{};
  const std::chrono::steady_clock::time_point begun_;
  std::optional<Result<Response>> response_{};
  bool maybe_applied_ = false;
  int sends_ = 0;
  std::chrono::microseconds connect_{0}, first_byte_{0};
  std::uint64_t bytes_sent_ = 0, bytes_received_ = 0;
  std::string peer_{};
  std::shared_ptr<Partial> partial_{};
};

}  // namespace stepstore::http
