#include "http/http_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

namespace stepstore::http {
namespace {

constexpr int kPatienceMs = 20'000;

bool readable(int socket) {
  pollfd wanted{socket, POLLIN, 0};
  return ::poll(&wanted, 1, kPatienceMs) == 1;
}

int listen_on_loopback(int receive_buffer, std::uint16_t* port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (receive_buffer > 0)
    ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (socket < 0 || ::bind(socket, generic, size) != 0 || ::listen(socket, 512) != 0 ||
      ::getsockname(socket, generic, &size) != 0)
    std::abort();
  *port = ntohs(address.sin_port);
  return socket;
}

std::size_t content_length(std::string_view head) {
  constexpr std::string_view kName = "content-length:";
  std::string lower(head);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  const std::size_t at = lower.find(kName);
  if (at == std::string::npos) return 0;
  const std::size_t from = lower.find_first_not_of(' ', at + kName.size());
  std::size_t value = 0;
  std::from_chars(lower.data() + from, lower.data() + lower.size(), value);
  return value;
}

}  // namespace

bool Peer::receive_more() {
  if (!readable(socket_)) return false;
  std::array<char, 65'536> buffer;
  const ssize_t got = ::recv(socket_, buffer.data(), buffer.size(), 0);
  if (got <= 0) return false;
  received_.append(buffer.data(), static_cast<std::size_t>(got));
  return true;
}

std::string Peer::read_head() {
  std::size_t end = 0;
  while ((end = received_.find("\r\n\r\n")) == std::string::npos)
    if (!receive_more()) return {};
  std::string head = received_.substr(0, end + 4);
  received_.erase(0, end + 4);
  return head;
}

std::optional<RawRequest> Peer::read_request() {
  RawRequest request{.head = read_head()};
  if (request.head.empty()) return std::nullopt;
  const std::size_t size = content_length(request.head);
  while (received_.size() < size)
    if (!receive_more()) return std::nullopt;
  request.body = received_.substr(0, size);
  received_.erase(0, size);
  return request;
}

void Peer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // the client has gone; the test sees that at its own end
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool Peer::client_closes() {
  std::array<char, 65'536> buffer;
  while (readable(socket_))
    if (::recv(socket_, buffer.data(), buffer.size(), 0) <= 0) return true;
  return false;
}

void Peer::close() {
  ::shutdown(socket_, SHUT_WR);
  client_closes();
}

void Peer::reset() {
  // Closing with unread bytes would do too, but only if there are some.
  const linger at_once{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  // The number stays taken until serve() closes it, since the destructor may still shut it down.
  const sockaddr nobody{};
  [[maybe_unused]] const int done =
      ::connect(socket_, &nobody,
                sizeof nobody);  // AF_UNSPEC: disconnects, with RST under SO_LINGER
}

ScriptedServer::ScriptedServer(Script script, int receive_buffer)
    : script_(std::move(script)), listener_(listen_on_loopback(receive_buffer, &port_)) {
  acceptor_ = std::jthread([this] { accept_all(); });
}

ScriptedServer::~ScriptedServer() {
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int socket : open_) ::shutdown(socket, SHUT_RDWR);
  }
  threads_.clear();
  ::close(listener_);
}

void ScriptedServer::accept_all() {
  for (;;) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    const std::lock_guard lock(mutex_);
    open_.push_back(socket);
    const int connection = connections_++;
    threads_.emplace_back([this, socket, connection] { serve(socket, connection); });
  }
}

void ScriptedServer::serve(int socket, int connection) {
  Peer peer(socket);
  script_(peer, connection);
  const std::lock_guard lock(mutex_);
  std::erase(open_, socket);
  ::close(socket);
}

std::uint16_t unused_port() {
  // Bound but not listening refuses connections, and nobody else can take it.
  static const std::uint16_t port = [] {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(socket, generic, size) != 0 || ::getsockname(socket, generic, &size) != 0)
      std::abort();
    return ntohs(address.sin_port);
  }();
  return port;
}

std::string answer(std::string_view body, std::string_view status) {
  std::string out = "HTTP/1.1 ";
  out.append(status);
  out.append("\r\nContent-Length: ").append(std::to_string(body.size())).append("\r\n\r\n");
  return out.append(body);
}

ScriptedServer::Script always(const std::string& body) {
  return [text = answer(body)](Peer& peer, int) {
    while (peer.read_request()) peer.send(text);
  };
}

Sending get(std::string target) {
  Sending sending;
  sending.request.target = std::move(target);
  sending.request.headers = {{"Host", "test"}};
  return sending;
}

Sending put(std::string target, BytesView body) {
  Sending sending = get(std::move(target));
  sending.request.method = "PUT";
  sending.request.body = {body};
  return sending;
}

Outcome one(Transport& client, const Endpoint& endpoint, const Sending& request,
            const CallLimits& limits) {
  auto outcomes = client.exchange(endpoint, {&request, 1}, limits);
  return std::move(outcomes.at(0));
}

CallLimits within(std::chrono::milliseconds time) {
  return {.deadline = std::chrono::steady_clock::now() + time};
}

std::string told(const Outcome& outcome) {
  if (outcome.response.ok()) return std::to_string(outcome.response->status);
  return outcome.response.error().what();
}

}  // namespace stepstore::http
