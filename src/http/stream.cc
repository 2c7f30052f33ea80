#include "http/stream.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/errors.h"
#include "http/tls_context.h"

namespace stepstore::http {

using State = Progress::State;

struct Stream::Tls {
  explicit Tls(SSL* made) : ssl(made) {}
  Tls(const Tls&) = delete;
  Tls& operator=(const Tls&) = delete;
  ~Tls() { SSL_free(ssl); }
  SSL* ssl;
  bool ready = false;
};

namespace {

Progress by_errno(int number, State wait) {
  if (number == EAGAIN || number == EINTR) return {.state = wait};
  return {.state = State::failed, .error = number};
}

}  // namespace

Stream::Stream(const Endpoint& endpoint, Address address, TlsContext* tls)
    : address_(std::move(address)) {
  const auto* const to = reinterpret_cast<const sockaddr*>(address_.storage);
  fd_ = ::socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) errno_error(errno, "connect", endpoint.text(), "socket").raise();
  const int on = 1;
  (void)::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  (void)::setsockopt(fd_, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  try {
    if (tls != nullptr) tls_ = std::make_unique<Tls>(tls->make(endpoint, fd_));
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

Stream::~Stream() {
  tls_.reset();
  ::close(fd_);
}

void Stream::secure(const Endpoint& endpoint, TlsContext& tls) {
  tls_ = std::make_unique<Tls>(tls.make(endpoint, fd_));
}

Progress Stream::connect() {
  if (connected_) return {};
  const int result = ::connect(fd_, reinterpret_cast<const sockaddr*>(address_.storage),
                               static_cast<socklen_t>(address_.size));
  if (result == 0 || errno == EISCONN) {
    connected_ = true;
    return {};
  }
  if (errno == EINPROGRESS || errno == EALREADY || errno == EINTR) {
    return {.state = State::want_write};
  }
  return {.state = State::failed, .error = errno};
}

Progress Stream::handshake() {
  if (!tls_ || tls_->ready) return {};
  ERR_clear_error();
  const int result = SSL_do_handshake(tls_->ssl);
  if (result == 1) {
    tls_->ready = true;
    return {};
  }
  Progress progress = tls_progress(result);
  if (progress.state == State::ended) {
    return {.state = State::failed, .error = ECONNRESET};  // it may be too busy, not plain HTTP
  }
  if (progress.state == State::failed) {
    if (const long verdict = SSL_get_verify_result(tls_->ssl); verdict != X509_V_OK) {
      progress.untrusted = true;
      progress.message = X509_verify_cert_error_string(verdict);
    }
  }
  return progress;
}

Progress Stream::tls_progress(int result) {
  switch (SSL_get_error(tls_->ssl, result)) {
    case SSL_ERROR_WANT_READ:
      return {.state = State::want_read};
    case SSL_ERROR_WANT_WRITE:
      return {.state = State::want_write};
    case SSL_ERROR_ZERO_RETURN:
      return {.state = State::ended};
    case SSL_ERROR_SYSCALL:
      if (errno != 0) return {.state = State::failed, .error = errno};
      return {.state = State::ended, .cut_off = true};
    default: {
      const unsigned long code = ERR_get_error();
      ERR_clear_error();
      if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
        return {.state = State::ended, .cut_off = true};
      const char* const reason = ERR_reason_error_string(code);
      return {.state = State::failed, .message = reason != nullptr ? reason : "TLS failed"};
    }
  }
}

Progress Stream::read(std::span<std::byte> out) {
  if (!tls_) {
    const ssize_t got = ::recv(fd_, out.data(), out.size(), 0);
    if (got < 0) return by_errno(errno, State::want_read);
    if (got == 0) return {.state = State::ended};
    return {.bytes = static_cast<std::size_t>(got)};
  }
  ERR_clear_error();
  errno = 0;
  std::size_t got = 0;
  const int result = SSL_read_ex(tls_->ssl, out.data(), out.size(), &got);
  if (result == 1) return {.bytes = got};
  return tls_progress(result);
}

Progress Stream::write(std::span<const iovec> pieces) {
  if (!tls_) {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(pieces.data());
    message.msg_iovlen = pieces.size();
    const ssize_t sent = ::sendmsg(fd_, &message, MSG_NOSIGNAL);
    if (sent < 0) return by_errno(errno, State::want_write);
    return {.bytes = static_cast<std::size_t>(sent)};
  }
  // A short head goes into one record with the beginning of the body.
  std::array<char, 16'000> joined;
  const void* data = pieces[0].iov_base;
  std::size_t size = pieces[0].iov_len;
  if (pieces.size() > 1 && size < joined.size()) {
    std::size_t used = 0;
    for (const iovec& piece : pieces) {
      const std::size_t part = std::min(piece.iov_len, joined.size() - used);
      std::memcpy(joined.data() + used, piece.iov_base, part);
      used += part;
      if (used == joined.size()) break;
    }
    data = joined.data();
    size = used;
  }
  ERR_clear_error();
  errno = 0;
  std::size_t sent = 0;
  const int result = SSL_write_ex(tls_->ssl, data, size, &sent);
  if (result == 1) return {.bytes = sent};
  return tls_progress(result);
}

bool Stream::has_pending() const noexcept { return tls_ && SSL_pending(tls_->ssl) > 0; }

bool Stream::quiet() const noexcept {
  pollfd poll{.fd = fd_, .events = POLLIN, .revents = 0};
  if (tls_ && SSL_pending(tls_->ssl) > 0) return false;
  return ::poll(&poll, 1, 0) == 0;
}

}  // namespace stepstore::http
