#include "http/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <list>
#include <mutex>
#include <thread>

#include "base/errors.h"
#include "http/message_reader.h"
#include "http/socket_bio.h"

namespace stepstore::http {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

std::string_view reason_of(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 409:
      return "Conflict";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 416:
      return "Range Not Satisfiable";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    default:
      return "Status";
  }
}

// One accepted connection, on a thread of its own.
class Peer {
 public:
  Peer(int fd, SSL* ssl, int stop, const ServerOptions& options, const Server::Handler& handler)
      : fd_(fd), ssl_(ssl), stop_(stop), options_(options), handler_(handler) {}
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() {
    ssl_.reset();
    ::close(fd_);
  }

  void serve() {
    peer_ = name();
    const auto scratch = std::make_unique_for_overwrite<std::byte[]>(kScratchBytes);
    if (ssl_ && !shake_hands()) return;
    while (serve_one({scratch.get(), kScratchBytes})) {
    }
  }

 private:
  std::string name() const {
    sockaddr_in from{};
    socklen_t size = sizeof from;
    char text[INET_ADDRSTRLEN] = {};
    if (::getpeername(fd_, reinterpret_cast<sockaddr*>(&from), &size) != 0 ||
        ::inet_ntop(AF_INET, &from.sin_addr, text, sizeof text) == nullptr) {
      return "?";
    }
    return std::string(text) + ':' + std::to_string(ntohs(from.sin_port));
  }

  // False: the server stops, or nothing has come in time.
  bool wait(short events, milliseconds at_most) const {
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

  bool shake_hands() const {
    while (true) {
      ERR_clear_error();
      const int result = SSL_do_handshake(ssl_.get());
      if (result == 1) return true;
      const int wanted = SSL_get_error(ssl_.get(), result);
      if (wanted != SSL_ERROR_WANT_READ && wanted != SSL_ERROR_WANT_WRITE) return false;
      if (!wait(wanted == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, options_.idle_max)) return false;
    }
  }

  // 0: the end, or an error.
  std::size_t read(std::span<std::byte> out) const {
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
      if (!wait(events, options_.idle_max)) return 0;
    }
  }

  bool write(BytesView bytes, bool more) const {
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
      if (sent == 0 && !wait(events, options_.idle_max)) return false;
    }
    return true;
  }

  // False: the connection is to be closed.
  bool serve_one(std::span<std::byte> scratch) const {
    RequestReader reader(options_.body_bytes_max, scratch);
    bool told_to_go_on = false;
    try {
      while (!reader.done()) {
        const std::size_t got = read(reader.room());
        if (got == 0) return false;
        reader.received(got);
        if (!told_to_go_on && reader.wants_continue()) {
          told_to_go_on = true;
          if (!write("HTTP/1.1 100 Continue\r\n\r\n", false)) return false;
        }
      }
    } catch (const StorageManagerError& bad) {
      const int status = bad.code() == ErrorCode::TooLarge ? 413 : 400;
      (void)send({.status = status}, "GET", true);
      return false;
    }
    const bool reusable = reader.reusable();
    Received received = reader.take();
    received.peer = peer_;
    const Reply reply = handler_(received);
    if (reply.delay.count() > 0) {
      pollfd stop{.fd = stop_, .events = POLLIN, .revents = 0};
      if (::poll(&stop, 1, static_cast<int>(reply.delay.count())) > 0) return false;
    }
    return deliver(reply, received.method, reusable);
  }

  bool deliver(const Reply& reply, const std::string& method, bool reusable) const {
    switch (reply.delivery) {
      case Delivery::send:
        return send(reply.response, method, reply.close || !reusable) && !reply.close && reusable;
      case Delivery::truncate: {
        Response half = reply.response;
        (void)write(head_of(half, method, true), true);
        (void)write(half.body.view().slice(0, half.body.size() / 2), false);
        return false;
      }
      case Delivery::reset: {
        const linger at_once{.l_onoff = 1, .l_linger = 0};
        (void)::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        return false;
      }
      case Delivery::stall:
        (void)wait(0, std::chrono::hours(24));
        return false;
      case Delivery::drop:
        break;
    }
    return false;
  }

  static std::string head_of(const Response& response, const std::string& method, bool close) {
    std::string head = "HTTP/1.1 " + std::to_string(response.status) + ' ' +
                       std::string(reason_of(response.status)) + "\r\n";
    for (const auto& [name, value] : response.headers) {
      head.append(name).append(": ").append(value).append("\r\n");
    }
    const bool bodiless = response.status == 204 || response.status == 304;
    const bool sized = find_header(response.headers, "Content-Length") != nullptr ||
                       find_header(response.headers, "Transfer-Encoding") != nullptr;
    // The answer to a HEAD says for itself how long the body would be.
    if (!bodiless && !sized && method != "HEAD") {
      head.append("Content-Length: ").append(std::to_string(response.body.size())).append("\r\n");
    }
    if (close) head.append("Connection: close\r\n");
    return head.append("\r\n");
  }

  bool send(const Response& response, const std::string& method, bool close) const {
    const bool body = method != "HEAD" && !response.body.empty();
    return write(head_of(response, method, close), body) &&
           (!body || write(response.body.view(), false));
  }

  const int fd_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  const int stop_;
  const ServerOptions& options_;
  const Server::Handler& handler_;
  std::string peer_{};
};

}  // namespace

struct Server::State {
  State(ServerOptions given, Handler serve)
      : options(std::move(given)), handler(std::move(serve)) {}

  void listen() {
    fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    stop_fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0 || stop_fd < 0) fail("socket");
    const int on = 1;
    (void)::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(options.port);
    if (::inet_pton(AF_INET, options.address.c_str(), &at.sin_addr) != 1) {
      error(ErrorCode::ConfigError, "listen", options.address, "this is no IPv4 address",
            "Listen on 127.0.0.1.")
          .raise();
    }
    socklen_t size = sizeof at;
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&at), size) != 0) fail("bind");
    if (::listen(fd, 512) != 0) fail("listen");
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) != 0) fail("getsockname");
    port = ntohs(at.sin_port);
  }

  [[noreturn]] void fail(const char* what) const {
    errno_error(errno, "listen", options.address + ':' + std::to_string(options.port), what)
        .raise();
    __builtin_unreachable();
  }

  void load_certificate() {
    if (options.certificate_file.empty()) return;
    tls.reset(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_set_min_proto_version(tls.get(), TLS1_2_VERSION);
    if (SSL_CTX_use_certificate_chain_file(tls.get(), options.certificate_file.c_str()) != 1 ||
        SSL_CTX_use_PrivateKey_file(tls.get(), options.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
      ERR_clear_error();
      error(ErrorCode::ConfigError, "listen", options.certificate_file,
            "the certificate and its key cannot be used",
            "Name two PEM files that belong together.")
          .raise();
    }
  }

  void accept_all() {
    while (true) {
      pollfd polls[2] = {{.fd = fd, .events = POLLIN, .revents = 0},
                         {.fd = stop_fd, .events = POLLIN, .revents = 0}};
      if (::poll(polls, 2, -1) < 0 && errno != EINTR) return;
      if (polls[1].revents != 0) return;
      const int peer = ::accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (peer >= 0) begin(peer);
    }
  }

  void begin(int peer) {
    const int on = 1;
    (void)::setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const std::lock_guard lock(mutex);
    if (peers >= options.connections_max) {
      ::close(peer);
      return;
    }
    ++peers;
    std::thread([this, peer] {
      serve(peer);
      const std::lock_guard done(mutex);
      --peers;
      gone.notify_all();
    }).detach();
  }

  void serve(int peer) {
    SSL* ssl = nullptr;
    if (tls) {
      ssl = SSL_new(tls.get());
      BIO* const bio = make_socket_bio(peer);
      SSL_set_bio(ssl, bio, bio);
      SSL_set_accept_state(ssl);
    }
    Peer(peer, ssl, stop_fd, options, handler).serve();
  }

  const ServerOptions options;
  const Handler handler;
  std::unique_ptr<SSL_CTX, FreeContext> tls;
  int fd = -1, stop_fd = -1;
  std::uint16_t port = 0;
  std::thread acceptor;
  std::mutex mutex;
  std::condition_variable gone;
  std::size_t peers = 0;
};

Server::Server(ServerOptions options, Handler handler)
    : state_(std::make_unique<State>(std::move(options), std::move(handler))) {
  try {
    state_->load_certificate();
    state_->listen();
  } catch (...) {
    if (state_->fd >= 0) ::close(state_->fd);
    if (state_->stop_fd >= 0) ::close(state_->stop_fd);
    throw;
  }
  state_->acceptor = std::thread([this] { state_->accept_all(); });
}

Server::~Server() { stop(); }

std::uint16_t Server::port() const noexcept { return state_->port; }

void Server::stop() {
  if (state_->fd < 0) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t told = ::write(state_->stop_fd, &one, sizeof one);
  state_->acceptor.join();
  std::unique_lock lock(state_->mutex);
  state_->gone.wait(lock, [this] { return state_->peers == 0; });
  ::close(state_->fd);
  ::close(state_->stop_fd);
  state_->fd = -1;
}

}  // namespace stepstore::http
