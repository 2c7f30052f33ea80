#include "bare_http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <system_error>

namespace bench {
namespace {

void require(bool done, const char* what) {
  if (!done) throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

BareHttp::BareHttp(const std::string& address, int port, std::size_t connections)
    : host_(address + ":" + std::to_string(port)), space_(std::size_t{4} << 20U) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  require(::inet_pton(AF_INET, address.c_str(), &to.sin_addr) == 1, "address");
  for (std::size_t i = 0; i < connections; ++i) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    require(fd >= 0, "socket");
    fds_.push_back(fd);
    const int on = 1;
    (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    require(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0, "connect");
  }
}

BareHttp::~BareHttp() {
  for (const int fd : fds_) ::close(fd);
}

void BareHttp::send(int fd, const std::string& head, std::string_view body) const {
  iovec pieces[2] = {{const_cast<char*>(head.data()), head.size()},
                     {const_cast<char*>(body.data()), body.size()}};
  msghdr message{};
  message.msg_iov = pieces;
  message.msg_iovlen = 2;
  std::size_t left = head.size() + body.size();
  while (left > 0) {
    ssize_t sent = ::sendmsg(fd, &message, MSG_NOSIGNAL);
    require(sent > 0, "send");
    left -= static_cast<std::size_t>(sent);
    for (iovec& piece : pieces) {
      const std::size_t part = std::min(static_cast<std::size_t>(sent), piece.iov_len);
      piece.iov_base = static_cast<char*>(piece.iov_base) + part;
      piece.iov_len -= part;
      sent -= static_cast<ssize_t>(part);
    }
  }
}

// The size of the body; 0 when the answer is 404.
std::size_t BareHttp::receive(int fd, bool may_be_missing) {
  std::size_t have = 0;
  std::size_t head = 0;
  std::size_t body = 0;
  bool missing = false;
  while (head == 0 || have < head + body) {
    const ssize_t got = ::recv(fd, space_.data() + have, space_.size() - have, 0);
    require(got > 0, "receive");
    have += static_cast<std::size_t>(got);
    if (head != 0) continue;
    const std::string_view text(space_.data(), have);
    const std::size_t end = text.find("\r\n\r\n");
    if (end == std::string_view::npos) continue;
    head = end + 4;
    const std::size_t length = text.find("Content-Length: ");
    if (length < end) body = std::strtoull(space_.data() + length + 16, nullptr, 10);
    missing = may_be_missing && text.starts_with("HTTP/1.1 404");
    if (!missing && !text.starts_with("HTTP/1.1 20")) {
      throw std::runtime_error("the server answers " + std::string(text.substr(0, 30)));
    }
  }
  return missing ? 0 : body;
}

void BareHttp::put(const std::vector<Put>& items, const std::string& look) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    send(fds_.at(i),
         "PUT " + items[i].path + " HTTP/1.1\r\nHost: " + host_ +
             "\r\nContent-Length: " + std::to_string(items[i].body.size()) + "\r\n\r\n",
         items[i].body);
  }
  if (!look.empty()) {
    send(fds_.at(items.size()), "GET " + look + " HTTP/1.1\r\nHost: " + host_ + "\r\n\r\n", {});
  }
  for (std::size_t i = 0; i < items.size(); ++i) (void)receive(fds_[i], false);
  if (!look.empty()) (void)receive(fds_[items.size()], true);
}

std::size_t BareHttp::get(const std::vector<std::string>& paths) {
  for (std::size_t i = 0; i < paths.size(); ++i) {
    send(fds_.at(i), "GET " + paths[i] + " HTTP/1.1\r\nHost: " + host_ + "\r\n\r\n", {});
  }
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < paths.size(); ++i) bytes += receive(fds_[i], true);
  return bytes;
}

}  // namespace bench
