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

#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/errors.h"
#include "http/server_peer.h"
#include "http/server_socket.h"
#include "http/socket_bio.h"

namespace stepstore::http {
namespace {

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

}  // namespace

struct Server::State {
  State(ServerOptions given, Handler serve, HeadHandler ask)
      : options(std::move(given)), handler(std::move(serve)), on_head(std::move(ask)) {}

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
    const ServerSocket socket(peer, ssl, stop_fd, options.idle_max);
    ServerPeer(socket, options, handler, on_head).serve();
  }

  const ServerOptions options;
  const Handler handler;
  const HeadHandler on_head;
  std::unique_ptr<SSL_CTX, FreeContext> tls;
  int fd = -1, stop_fd = -1;
  std::uint16_t port = 0;
  std::thread acceptor;
  std::mutex mutex;
  std::condition_variable gone;
  std::size_t peers = 0;
};

Server::Server(ServerOptions options, Handler handler, HeadHandler on_head)
    : state_(std::make_unique<State>(std::move(options), std::move(handler), std::move(on_head))) {
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

std::size_t Server::connections() const {
  const std::lock_guard lock(state_->mutex);
  return state_->peers;
}

bool Server::wait_until_idle(std::chrono::milliseconds at_most) const {
  std::unique_lock lock(state_->mutex);
  return state_->gone.wait_for(lock, at_most, [this] { return state_->peers == 0; });
}

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
