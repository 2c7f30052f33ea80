#include "http/proxy_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>

namespace stepstore::http {
namespace {

constexpr int kPatienceMs = 20'000;

// A connection to a port of this machine.
class Upstream {
 public:
  explicit Upstream(std::uint16_t port)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fine_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;
  ~Upstream() { ::close(socket_); }

  bool fine() const { return fine_; }
  int socket() const { return socket_; }

 private:
  const int socket_;
  bool fine_ = false;
};

// The number behind the last colon; 80 without one.
std::uint16_t port_in(const std::string& authority) {
  const std::size_t colon = authority.rfind(':');
  std::uint16_t port = 80;
  if (colon != std::string::npos) {
    std::from_chars(authority.data() + colon + 1, authority.data() + authority.size(), port);
  }
  return port;
}

// Bytes both ways until one side ends.
void join(int one, int other) {
  std::array<char, 65'536> buffer;
  std::array<pollfd, 2> ends{pollfd{one, POLLIN, 0}, pollfd{other, POLLIN, 0}};
  while (::poll(ends.data(), ends.size(), kPatienceMs) > 0) {
    for (const pollfd& end : ends) {
      if (end.revents == 0) continue;
      const ssize_t got = ::recv(end.fd, buffer.data(), buffer.size(), 0);
      if (got <= 0) return;
      Peer(end.fd == one ? other : one).send({buffer.data(), static_cast<std::size_t>(got)});
    }
  }
}

}  // namespace

TestProxy::TestProxy(std::string authorization)
    : authorization_(std::move(authorization)), server_([this](Peer& peer, int) { serve(peer); }) {}

std::string TestProxy::url(const std::string& who) const {
  return "http://" + (who.empty() ? who : who + '@') + "127.0.0.1:" + std::to_string(port());
}

Proxies TestProxy::proxies(const std::string& who, std::string_view except) const {
  const ProxyUrl both{.url = url(who), .named_by = "the test"};
  return {both, both, except};
}

std::vector<std::string> TestProxy::heads() const {
  const std::lock_guard lock(mutex_);
  return heads_;
}

bool TestProxy::note(Peer& peer, const std::string& head) {
  {
    const std::lock_guard lock(mutex_);
    heads_.push_back(head);
  }
  if (authorization_.empty() ||
      head.find("\r\nProxy-Authorization: " + authorization_ + "\r\n") != std::string::npos) {
    return true;
  }
  peer.send(answer("<h1>Who asks?</h1>" + head, "407 Proxy Authentication Required"));
  return false;
}

void TestProxy::serve(Peer& peer) {
  while (auto request = peer.read_request()) {
    std::string& head = request->head;
    if (!note(peer, head)) continue;
    const std::size_t begin = head.find(' ') + 1;
    const std::string target = head.substr(begin, head.find(' ', begin) - begin);
    if (head.starts_with("CONNECT ")) {
      const Upstream upstream(port_in(target));
      if (!upstream.fine()) return peer.send(answer("", "502 Bad Gateway"));
      peer.send("HTTP/1.0 200 Connection established\r\nContent-Length: 7\r\n\r\n");
      return join(peer.socket(), upstream.socket());
    }
    constexpr std::string_view kScheme = "http://";
    const std::size_t slash = target.find('/', kScheme.size());
    if (!target.starts_with(kScheme) || slash == std::string::npos) {
      return peer.send(answer("", "400 Bad Request"));
    }
    const Upstream upstream(port_in(target.substr(0, slash)));
    if (!upstream.fine()) return peer.send(answer("", "502 Bad Gateway"));
    head.erase(begin, slash);
    Peer server(upstream.socket());
    server.send(head + request->body);
    // An answer is put together as a request is.
    const auto said = server.read_request();
    if (!said) return;
    peer.send(said->head + said->body);
  }
}

}  // namespace stepstore::http
