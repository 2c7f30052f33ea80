// How a flight gets its connection: addresses, TCP, a proxy's tunnel, TLS, and what is said when
// there is none.
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
      // Through a proxy TLS begins later.
      TlsContext* const tls = airport_.proxy != nullptr ? nullptr : airport_.tls;
      racing_.push_back(std::make_unique<Stream>(airport_.next(), address, tls));
      return;
    } catch (const StorageManagerError&) {  // no IPv6 here, perhaps
      if (address_ < airport_.addresses.size()) continue;
      if (racing_.empty()) throw;
      return;
    }
  }
}

void Flight::avoid(const Stream& stream) {
  airport_.resolver.avoid(airport_.next(), stream.address());
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
        const bool tunnelled = airport_.proxy != nullptr && airport_.tls != nullptr;
        phase_ = tunnelled ? Phase::tunnelling : Phase::shaking_hands;
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

bool Flight::tunnel() {
  if (!tunnel_) tunnel_.emplace(*airport_.proxy, airport_.endpoint, connection_->space());
  const Progress progress = tunnel_->advance(*connection_->stream);
  if (waits(progress, time_to_connect())) return false;
  tunnel_.reset();
  if (progress.state != State::done) {
    connection_failed(progress);
    return !landed_;
  }
  connection_->stream->secure(airport_.endpoint, *airport_.tls);
  phase_ = Phase::shaking_hands;
  return true;
}

milliseconds Flight::time_to_connect() const {
  return std::chrono::ceil<milliseconds>(connect_until_ - airport_.clock.steady_now());
}

bool Flight::shake_hands() {
  const Progress progress = connection_->stream->handshake();
  if (waits(progress, time_to_connect())) return false;
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
  tunnel_.reset();
  if (phase_ != Phase::connecting) avoid(*connection_->stream);
  if (!progress.untrusted && address_ < airport_.addresses.size()) {
    phase_ = Phase::connecting;
    connection_->stream.reset();
    race();
    return;
  }
  land(connect_error(progress));
}

StorageManagerError told_of(const Proxy& proxy, const StorageManagerError& failed) {
  ErrorDetails details = failed.details();
  details.message = proxy.text() + ": " + details.message;
  details.advice =
      "Is the proxy running, and is its URL right? A host that is reached without it "
      "goes into NO_PROXY.";
  return StorageManagerError(std::move(details));
}

StorageManagerError Flight::connect_error(const Progress& progress) const {
  const std::string where = airport_.endpoint.text();
  const std::string by =
      airport_.proxy != nullptr ? " (through " + airport_.proxy->text() + ')' : "";
  if (progress.untrusted) {
    return error(
        ErrorCode::ConfigError, "connect", where,
        "the server's certificate is not trusted: " + progress.message + by,
        "Name its CA in a PEM file (ca_file, or AWS_CA_BUNDLE), and use the host name that "
        "the certificate is for.");
  }
  if (phase_ == Phase::shaking_hands && progress.error == 0) {
    return error(
        ErrorCode::ConfigError, "connect", where, "TLS was refused: " + progress.message + by,
        "Does the server speak https on this port? If it speaks http, write http:// in the "
        "endpoint.");
  }
  const bool late = progress.error == ETIMEDOUT;
  const std::string message = late ? "no connection within " +
                                         std::to_string(airport_.options.connect_timeout.count()) +
                                         " ms"
                                   : reason_of(progress);
  const ErrorCode code = late ? ErrorCode::Timeout : ErrorCode::Unavailable;
  // Once the tunnel is there, it is the server that does not answer.
  if (phase_ != Phase::shaking_hands && airport_.proxy != nullptr) {
    return told_of(*airport_.proxy, error(code, "connect", where, message));
  }
  return error(code, "connect", where, message + by,
               late ? "Is the endpoint right, and is the server reachable from here?"
                    : "Is the server running, and is the endpoint right?");
}

}  // namespace stepstore::http
