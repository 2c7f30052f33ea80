// How a flight gets its connection: addresses, TCP, TLS, and what is said when there is none.
#include <algorithm>
#include <cerrno>

#include "base/errors.h"
#include "http/flight.h"

namespace stepstore::http {

using State = Progress::State;
using std::chrono::milliseconds;

void Flight::race() {
  next_address_at_ = airport_.clock.steady_now() + airport_.options.next_address_after;
  while (true) {
    const Address& address = airport_.addresses[address_++];
    try {
      racing_.push_back(std::make_unique<Stream>(airport_.endpoint, address, airport_.tls));
      return;
    } catch (const StorageManagerError&) {  // no IPv6 here, perhaps
      if (address_ < airport_.addresses.size()) continue;
      if (racing_.empty()) throw;
      return;
    }
  }
}

void Flight::avoid(const Stream& stream) {
  airport_.resolver.avoid(airport_.endpoint, stream.address());
}

// An address that does not answer must not use up the time: the next one is tried beside it, and
// the first connection counts.
bool Flight::connect() {
  while (true) {
    for (auto at = racing_.begin(); at != racing_.end();) {
      const Progress progress = (*at)->connect();
      if (progress.state == State::done) {
        connection_->stream = std::move(*at);
        racing_.erase(at);
        for (const auto& late : racing_) avoid(*late);
        racing_.clear();
        phase_ = Phase::shaking_hands;
        return true;
      }
      if (progress.state == State::failed) {
        connect_failure_ = progress;
        peer_ = (*at)->peer();
        avoid(**at);
        at = racing_.erase(at);
      } else {
        ++at;
      }
    }
    const bool more = address_ < airport_.addresses.size();
    if (racing_.empty() && !more) {
      connection_failed(connect_failure_);
      return !landed_;
    }
    if (!more || (!racing_.empty() && airport_.clock.steady_now() < next_address_at_)) {
      const auto end = more ? std::min(connect_until_, next_address_at_) : connect_until_;
      return wait_for(POLLOUT, std::chrono::ceil<milliseconds>(end - airport_.clock.steady_now()));
    }
    race();
  }
}

bool Flight::shake_hands() {
  const Progress progress = connection_->stream->handshake();
  const auto left = std::chrono::ceil<milliseconds>(connect_until_ - airport_.clock.steady_now());
  if (waits(progress, left)) return false;
  if (progress.state != State::done) {
    connection_failed(progress);
    return !landed_;
  }
  phase_ = Phase::sending;
  connect_ = since_begun();
  return true;
}

// The next address, if there is one that was not tried.
void Flight::connection_failed(const Progress& progress) {
  if (phase_ == Phase::shaking_hands) avoid(*connection_->stream);
  if (!progress.untrusted && address_ < airport_.addresses.size()) {
    phase_ = Phase::connecting;
    connection_->stream.reset();
    race();
    return;
  }
  land(connect_error(progress));
}

StorageManagerError Flight::connect_error(const Progress& progress) const {
  const std::string where = airport_.endpoint.text();
  if (progress.untrusted) {
    return error(
        ErrorCode::ConfigError, "connect", where,
        "the server's certificate is not trusted: " + progress.message,
        "Name its CA in a PEM file (ca_file, or AWS_CA_BUNDLE), and use the host name that "
        "the certificate is for.");
  }
  if (phase_ == Phase::shaking_hands && progress.error == 0) {
    return error(
        ErrorCode::ConfigError, "connect", where, "TLS was refused: " + progress.message,
        "Does the server speak https on this port? If it speaks http, write http:// in the "
        "endpoint.");
  }
  StorageManagerError failed =
      progress.error == ETIMEDOUT
          ? error(ErrorCode::Timeout, "connect", where,
                  "no connection within " +
                      std::to_string(airport_.options.connect_timeout.count()) + " ms",
                  "Is the endpoint right, and is the server reachable from here?")
          : error(ErrorCode::Unavailable, "connect", where, reason_of(progress),
                  "Is the server running, and is the endpoint right?");
  return failed;
}

}  // namespace stepstore::http
