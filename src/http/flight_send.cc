// How a flight sends its request: the head, to a server or to a proxy, and the pieces of the body.
#include <algorithm>

#include "http/flight.h"

namespace stepstore::http {
namespace {

using State = Progress::State;

constexpr std::size_t kPiecesMax = 64;  // handed to the kernel at once

}  // namespace

std::string Flight::make_head() const {
  const Request& request = sending_.request;
  std::string head;
  head.reserve(1'024);
  head.append(request.method).append(" ");
  // A proxy that passes on single requests is told the whole URL, and who asks.
  const Proxy* const proxy = airport_.endpoint.tls ? nullptr : airport_.proxy;
  if (proxy != nullptr) head.append(airport_.endpoint.text());
  head.append(request.target).append(" HTTP/1.1\r\n");
  if (proxy != nullptr && !proxy->authorization.empty()) {
    head.append("Proxy-Authorization: ").append(proxy->authorization).append("\r\n");
  }
  for (const auto& [name, value] : request.headers) {
    head.append(name).append(": ").append(value).append("\r\n");
  }
  const std::uint64_t size = request.body_bytes();
  if (size > 0 || request.method == "PUT" || request.method == "POST") {
    head.append("Content-Length: ").append(std::to_string(size)).append("\r\n");
  }
  return head.append("\r\n");
}

bool Flight::send() {
  while (next_piece_ < pieces_.size()) {
    const std::size_t count = std::min(pieces_.size() - next_piece_, kPiecesMax);
    const Progress progress = connection_->stream->write({pieces_.data() + next_piece_, count});
    if (progress.state == State::done) {
      sent_any_ = true;
      bytes_sent_ += progress.bytes;
      for (std::size_t bytes = progress.bytes; bytes > 0;) {
        iovec& piece = pieces_[next_piece_];
        const std::size_t part = std::min(bytes, piece.iov_len);
        piece.iov_base = static_cast<char*>(piece.iov_base) + part;
        piece.iov_len -= part;
        bytes -= part;
        if (piece.iov_len == 0) ++next_piece_;
      }
      continue;
    }
    if (progress.state == State::want_read || progress.state == State::want_write) {
      // The answer may come before all is sent: a refusal of a large body, for example.
      const int sends = sends_;
      while (sent_any_ && events_ != 0 && !landed_ && sends == sends_ && read_some()) {
      }
      if (landed_ || sends != sends_) return !landed_;
      return wait_for(POLLIN | (progress.state == State::want_write ? POLLOUT : 0),
                      silence_timeout());
    }
    send_failed_ = true;  // what the server said before is still there to be read
    break;
  }
  phase_ = Phase::receiving;
  // Nobody answers at once; look after the others have been sent.
  if (!send_failed_) return wait_for(POLLIN, silence_timeout());
  return true;
}

}  // namespace stepstore::http
