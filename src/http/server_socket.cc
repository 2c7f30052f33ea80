#include "http/server_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace stepstore::http {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

}  // namespace

ServerSocket::ServerSocket(int fd, SSL* ssl, int stop, Milliseconds idle_max)
    : fd_(fd), ssl_(ssl), stop_(stop), idle_max_(idle_max) {}

ServerSocket::~ServerSocket() {
  ssl_.reset();
  ::close(fd_);
}

std::string ServerSocket::peer() const {
  sockaddr_in from{};
  socklen_t size = sizeof from;
  char text[INET_ADDRSTRLEN] = {};
  if (::getpeername(fd_, reinterpret_cast<sockaddr*>(&from), &size) != 0 ||
      ::inet_ntop(AF_INET, &from.sin_addr, text, sizeof text) == nullptr) {
    return "?";
  }
  return std::string(text) + ':' + std::to_string(ntohs(from.sin_port));
}

bool ServerSocket::wait(short events, Milliseconds at_most) const {
  pollfd polls[2] = {{.fd = fd_, .events = events, .revents = 0},
                     {.fd = stop_, .events = POLLIN, .revents = 0}};
  const auto until = Clock::now() + at_most;
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(until - Clock::now());
    const int ready = ::poll(polls, 2, static_cast<int>(std::max<std::int64_t>(0, left.count())));
    if (ready < 0 && errno == EINTR) continue;
    return ready > 0 && polls[1].revents == 0;
  }
}

bool ServerSocket::shake_hands() const {
  while (ssl_) {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) break;
    const int wanted = SSL_get_error(ssl_.get(), result);
    if (wanted != SSL_ERROR_WANT_READ && wanted != SSL_ERROR_WANT_WRITE) return false;
    if (!wait(wanted == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, idle_max_)) return false;
  }
  return true;
}

std::size_t ServerSocket::read(std::span<std::byte> out) const {
  while (true) {
    short events = POLLIN;
    if (ssl_) {
      std::size_t got = 0;
      ERR_clear_error();
      const int result = SSL_read_ex(ssl_.get(), out.data(), out.size(), &got);
      if (result == 1) return got;
      const int wanted = SSL_get_error(ssl_.get(), result);
      if (wanted != SSL_ERROR_WANT_READ && wanted != SSL_ERROR_WANT_WRITE) return 0;
      if (wanted == SSL_ERROR_WANT_WRITE) events = POLLOUT;
    } else {
      const ssize_t got = ::recv(fd_, out.data(), out.size(), 0);
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EAGAIN && errno != EINTR) return 0;
    }
    if (!wait(events, idle_max_)) return 0;
  }
}

bool ServerSocket::write(BytesView bytes, bool more) const {
  while (!bytes.empty()) {
    std::size_t sent = 0;
    short events = POLLOUT;
    if (ssl_) {
      ERR_clear_error();
      const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &sent);
      if (result != 1) {
        const int wanted = SSL_get_error(ssl_.get(), result);
        if (wanted != SSL_ERROR_WANT_READ && wanted != SSL_ERROR_WANT_WRITE) return false;
        if (wanted == SSL_ERROR_WANT_READ) events = POLLIN;
      }
    } else {
      const ssize_t done =
          ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | (more ? MSG_MORE : 0));
      if (done < 0 && errno != EAGAIN && errno != EINTR) return false;
      sent = done < 0 ? 0 : static_cast<std::size_t>(done);
    }
    bytes = bytes.slice(sent, bytes.size() - sent);
    if (sent == 0 && !wait(events, idle_max_)) return false;
  }
  return true;
}

bool ServerSocket::pause(Milliseconds time) const {
  if (time.count() <= 0) return true;
  pollfd stop{.fd = stop_, .events = POLLIN, .revents = 0};
  return ::poll(&stop, 1, static_cast<int>(time.count())) <= 0;
}

void ServerSocket::stay_silent(Milliseconds at_most) const { (void)wait(POLLRDHUP, at_most); }

void ServerSocket::end_early() const {
  constexpr milliseconds kMoment(200);
  (void)::shutdown(fd_, SHUT_WR);
  (void)wait(POLLRDHUP, kMoment);
  std::array<std::byte, 4096> ignored;
  const auto until = Clock::now() + idle_max_;
  while (Clock::now() < until && wait(POLLIN, idle_max_)) {
    const ssize_t got = ::recv(fd_, ignored.data(), ignored.size(), 0);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return;
  }
}

void ServerSocket::reset_at_end() const {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  (void)::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace stepstore::http
