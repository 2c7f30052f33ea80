#include "http/tunnel.h"

#include <cerrno>

#include "base/errors.h"

namespace stepstore::http {
namespace {

using State = Progress::State;

// With the port, whatever it is: a proxy knows no scheme here.
std::string with_port(const Endpoint& server) {
  const std::string host =
      server.host.find(':') == std::string::npos ? server.host : '[' + server.host + ']';
  return host + ':' + std::to_string(server.port);
}

std::string request(const Proxy& proxy, const Endpoint& server) {
  const std::string to = with_port(server);
  std::string head = "CONNECT " + to + " HTTP/1.1\r\nHost: " + to + "\r\n";
  if (!proxy.authorization.empty()) {
    head += "Proxy-Authorization: " + proxy.authorization + "\r\n";
  }
  return head + "\r\n";
}

}  // namespace

StorageManagerError refused_by(const Proxy& proxy, const Endpoint& server, int status) {
  const std::string where = proxy.text();
  if (status == 407) {
    const bool told = !proxy.authorization.empty();
    return error(ErrorCode::ConfigError, "connect", server.text(),
                 where + (told ? " does not take the user and password of its URL (407)"
                               : " wants a user and password (407)"),
                 told ? "Mend them in the proxy's URL, percent-encoded; only Basic is spoken."
                      : "Write them into the proxy's URL, http://user:password@host:port, "
                        "percent-encoded.");
  }
  const std::string message =
      where + " leads to no " + with_port(server) + ": it answered " + std::to_string(status);
  // It could not reach the server just now, or has too much to do.
  if (status == 408 || status == 429 || (status >= 500 && status != 501 && status != 505)) {
    return error(ErrorCode::Unavailable, "connect", server.text(), message,
                 "Is the endpoint right, and does the proxy reach it? A host that is reached "
                 "without the proxy goes into NO_PROXY.");
  }
  return error(ErrorCode::ConfigError, "connect", server.text(), message,
               "Let the proxy allow CONNECT to that host and port; or name the host in NO_PROXY, "
               "if it can be reached without.");
}

Tunnel::Tunnel(const Proxy& proxy, const Endpoint& server, std::span<std::byte> scratch)
    : proxy_(proxy),
      server_(server),
      ask_(request(proxy, server)),
      reader_(true, 0, scratch) {}  // as for HEAD: what follows a 200 is the server's

Progress Tunnel::advance(Stream& stream) {
  while (sent_ < ask_.size()) {
    const iovec rest{.iov_base = ask_.data() + sent_, .iov_len = ask_.size() - sent_};
    const Progress progress = stream.write({&rest, 1});
    if (progress.state != State::done) return progress;
    sent_ += progress.bytes;
  }
  while (!reader_.done()) {
    const Progress progress = stream.read(reader_.room());
    if (progress.state == State::ended) return {.state = State::failed, .error = ECONNRESET};
    if (progress.state != State::done) return progress;
    try {
      reader_.received(progress.bytes);
    } catch (const StorageManagerError&) {
      error(ErrorCode::ConfigError, "connect", server_.text(),
            "what answers at " + proxy_.text() + " is no HTTP proxy",
            "Mend the proxy's URL: it is spoken to by plain HTTP.")
          .raise();
    }
  }
  const bool more = reader_.has_more();
  const int status = reader_.take().status;
  if (status < 200 || status >= 300) refused_by(proxy_, server_, status).raise();
  if (more) {  // before anything was asked there: not from the server
    error(ErrorCode::ConfigError, "connect", server_.text(),
          proxy_.text() + " sent more than an answer to CONNECT",
          "Mend the proxy, or name another one.")
        .raise();
  }
  return {};
}

}  // namespace stepstore::http
