#include "http/flight.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/errors.h"

namespace stepstore::http {
namespace {

using State = Progress::State;
using std::chrono::milliseconds;

constexpr const char* kNoAnswer =
    "Call again. If it never answers: is the scheme (http or https) right?";

bool passes(ErrorCode code) {
  return code == ErrorCode::Unavailable || code == ErrorCode::Timeout || code == ErrorCode::Io;
}

}  // namespace

std::string reason_of(const Progress& progress) {
  return progress.error != 0 ? std::generic_category().message(progress.error) : progress.message;
}

Flight::Flight(Airport& airport, const Sending& sending)
    : airport_(airport), sending_(sending), head_(make_head()), begun_(airport.clock.steady_now()) {
  begin(false);
}

milliseconds Flight::silence_timeout() const {
  const bool answering = reader_ && reader_->begun();
  if (phase_ != Phase::receiving || answering) return airport_.options.stall_timeout;
  return std::max(airport_.options.first_byte_timeout, sending_.first_byte_timeout);
}

std::chrono::microseconds Flight::since_begun() const {
  return std::chrono::duration_cast<std::chrono::microseconds>(airport_.clock.steady_now() -
                                                               begun_);
}

void Flight::begin(bool fresh) {
  pieces_.clear();
  next_piece_ = 0;
  pieces_.push_back({.iov_base = head_.data(), .iov_len = head_.size()});
  for (const BytesView piece : sending_.request.body) {
    if (piece.empty()) continue;
    pieces_.push_back({.iov_base = const_cast<std::byte*>(piece.data()), .iov_len = piece.size()});
  }
  sent_any_ = send_failed_ = false;
  events_ = 0;
  reader_.reset();
  tunnel_.reset();
  if (!fresh) connection_ = airport_.pool.take(airport_.endpoint);
  fresh_ = fresh || !connection_;
  phase_ = Phase::sending;
  if (fresh_) {
    phase_ = Phase::connecting;
    connect_until_ = airport_.clock.steady_now() + airport_.options.connect_timeout;
    connection_.reset();  // there may be no socket to be had; then there is no connection either
    racing_.clear();
    if (address_ >= airport_.addresses.size()) address_ = 0;
    race();
    connection_ = std::make_unique<Connection>();
    connection_->scratch = std::make_unique_for_overwrite<std::byte[]>(kScratchBytes);
  }
  ++sends_;
}

void Flight::advance(bool ready) {
  try {
    if (!ready && events_ != 0 && airport_.clock.steady_now() >= until_) run_out_of_time();
    while (!landed_ && step()) {
    }
  } catch (const StorageManagerError& failed) {
    lost(told_as(failed, "receive", airport_.endpoint.text()));
  }
}

void Flight::run_out_of_time() {
  const auto total = airport_.options.total_timeout;
  if (total.count() > 0 && since_begun() >= total) {
    racing_.clear();
    lost(error(ErrorCode::Timeout, "exchange", airport_.endpoint.text(),
               "the request was not answered within " + std::to_string(total.count()) + " ms"));
    return;
  }
  if (phase_ < Phase::sending) {
    if (airport_.clock.steady_now() < connect_until_) return;  // the next address's turn
    for (const auto& each : racing_) avoid(*each);
    racing_.clear();
    address_ = airport_.addresses.size();
    connection_failed({.state = State::failed, .error = ETIMEDOUT});
    return;
  }
  lost(
      error(ErrorCode::Timeout, "receive", airport_.endpoint.text(),
            "the server has been silent for " + std::to_string(silence_timeout().count()) + " ms"));
}

bool Flight::step() {
  switch (phase_) {
    case Phase::connecting:
      return connect();
    case Phase::tunnelling:
      return tunnel();
    case Phase::shaking_hands:
      return shake_hands();
    case Phase::sending:
      return send();
    case Phase::receiving:
      return receive();
  }
  return false;
}

bool Flight::wait_for(short events, milliseconds at_most) {
  events_ = events;
  until_ = airport_.clock.steady_now() + at_most;
  const auto total = airport_.options.total_timeout;
  if (total.count() > 0) until_ = std::min(until_, begun_ + total);
  return false;
}

void Flight::listen(std::vector<pollfd>& descriptors) const {
  if (phase_ != Phase::connecting) {
    descriptors.push_back(
        {.fd = connection_->stream->descriptor(), .events = events_, .revents = 0});
    return;
  }
  for (const auto& each : racing_) {
    descriptors.push_back({.fd = each->descriptor(), .events = POLLOUT, .revents = 0});
  }
}

bool Flight::waits(const Progress& progress, milliseconds at_most) {
  if (progress.state != State::want_read && progress.state != State::want_write) return false;
  wait_for(progress.state == State::want_read ? POLLIN : POLLOUT, at_most);
  return true;
}

bool Flight::receive() {
  const int sends = sends_;
  while (read_some()) {
  }
  return !landed_ && sends != sends_;
}

bool Flight::read_some() {
  if (!reader_) {
    reader_.emplace(sending_.request.method == "HEAD", sending_.response_bytes_max,
                    connection_->space());
  }
  const Progress progress = connection_->stream->read(reader_->room());
  switch (progress.state) {
    case State::done:
      if (!reader_->begun()) first_byte_ = since_begun();
      bytes_received_ += progress.bytes;
      reader_->received(progress.bytes);
      if (!reader_->done()) return true;
      answered();
      return false;
    case State::want_read:
    case State::want_write:
      if (send_failed_) {
        lost(error(ErrorCode::Unavailable, "send", airport_.endpoint.text(),
                   "the server closed the connection while the request was sent"));
      } else if (phase_ == Phase::receiving) {
        (void)waits(progress, silence_timeout());
      }
      return false;
    case State::ended:
      if (progress.cut_off && reader_->begun()) {
        lost(error(ErrorCode::Io, "receive", airport_.endpoint.text(),
                   "the connection was cut off in the middle of the answer", "Call again."));
      } else if (reader_->begun()) {
        reader_->ended();
        answered();
      } else {
        lost(error(ErrorCode::Unavailable, "receive", airport_.endpoint.text(),
                   "the server closed the connection without an answer", kNoAnswer));
      }
      return false;
    case State::failed:
      lost(error(ErrorCode::Unavailable, "receive", airport_.endpoint.text(), reason_of(progress),
                 kNoAnswer));
      return false;
  }
  return false;
}

// No answer will come over this connection. One that had served before may have been closed just
// when it was taken: then the request goes again, once, on a new one.
void Flight::lost(StorageManagerError why) {
  maybe_applied_ = maybe_applied_ || sent_any_;
  const bool again =
      !fresh_ && !(reader_ && reader_->begun()) && why.code() == ErrorCode::Unavailable;
  if (!again) {
    land(std::move(why));
    return;
  }
  begin(true);
}

void Flight::answered() {
  Response response = reader_->take();
  // No server says so; it is about the way there, and nothing was passed on.
  if (airport_.proxy != nullptr && !airport_.endpoint.tls && response.status == 407) {
    land(refused_by(*airport_.proxy, airport_.endpoint, response.status));
  } else {
    land(std::move(response));
  }
}

void Flight::abandon(const StorageManagerError& why) {
  maybe_applied_ = maybe_applied_ || sent_any_;
  land(told_as(why, "exchange", airport_.endpoint.text()));
}

void Flight::land(Result<Response> response) {
  landed_ = true;
  if (!response.ok() && reader_) partial_ = reader_->take_partial();
  const bool whole = next_piece_ == pieces_.size() && !send_failed_;
  if (response.ok() && whole && reader_->reusable()) {
    reader_.reset();
    peer_ = connection_->stream->peer();
    airport_.pool.give_back(airport_.endpoint, std::exchange(connection_, nullptr));
  } else if (connection_ && connection_->stream) {
    peer_ = connection_->stream->peer();
    // The next try goes to another address, if the name has one.
    if (!response.ok() && passes(response.error().code())) avoid(*connection_->stream);
    reader_.reset();
    connection_.reset();
  }
  racing_.clear();
  response_ = std::move(response);
}

Outcome Flight::take() {
  return {.response = *std::move(response_),
          .maybe_applied = maybe_applied_,
          .reused = !fresh_,
          .sends = sends_,
          .peer = std::move(peer_),
          .by_proxy = airport_.proxy != nullptr,
          .partial = std::move(partial_),
          .connect = connect_,
          .first_byte = first_byte_,
          .took = since_begun(),
          .bytes_sent = bytes_sent_,
          .bytes_received = bytes_received_};
}

}  // namespace stepstore::http
