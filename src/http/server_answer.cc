#include "http/server_answer.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace stepstore::http {
namespace {

constexpr auto kReasons = std::to_array<std::pair<int, std::string_view>>({
    {100, "Continue"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {499, "Client Closed Request"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
});

bool is_bodiless(int status) { return status == 204 || status == 304; }

std::string hexadecimal(std::uint64_t number) {
  std::string digits;
  do {
    digits.insert(digits.begin(), "0123456789abcdef"[number % 16]);
    number /= 16;
  } while (number > 0);
  return digits;
}

// How many bytes of the answer may leave.
std::uint64_t bytes_allowed(const Reply& reply, std::size_t head_bytes) {
  if (reply.delivery == Delivery::send) return std::numeric_limits<std::uint64_t>::max();
  if (reply.delivery == Delivery::truncate) return head_bytes + reply.response.body.size() / 2;
  if (!reply.until) return 0;
  return reply.until->in_head ? std::min<std::uint64_t>(reply.until->number, head_bytes)
                              : head_bytes + reply.until->number;
}

// Lets bytes through until there have been enough, and no faster than is wanted.
class Tap {
 public:
  Tap(const ServerSocket& socket, const Reply& reply, std::uint64_t bytes_max)
      : socket_(socket), reply_(reply), left_(bytes_max) {}

  // False: nothing more goes.
  bool send(BytesView bytes, bool more) {
    const bool cut = left_ <= bytes.size() && reply_.delivery != Delivery::send;
    if (cut) bytes = bytes.slice(0, static_cast<std::size_t>(left_));
    left_ -= bytes.size();
    if (reply_.drip_bytes == 0) return socket_.write(bytes, more && !cut) && !cut;
    while (!bytes.empty()) {
      if (!socket_.pause(reply_.drip_every)) return false;
      const std::size_t size = std::min(bytes.size(), reply_.drip_bytes);
      if (!socket_.write(bytes.slice(0, size), false)) return false;
      bytes = bytes.slice(size, bytes.size() - size);
    }
    return !cut;
  }

 private:
  const ServerSocket& socket_;
  const Reply& reply_;
  std::uint64_t left_;
};

}  // namespace

std::string_view reason_of(int status) noexcept {
  const auto found = std::ranges::find(kReasons, status, &std::pair<int, std::string_view>::first);
  return found == kReasons.end() ? "Status" : found->second;
}

std::string head_of(const Reply& reply, std::string_view method, bool close) {
  const Response& response = reply.response;
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + ' ' +
                     std::string(reason_of(response.status)) + "\r\n";
  for (const auto& [name, value] : response.headers) {
    head.append(name).append(": ").append(value).append("\r\n");
  }
  const bool framed = find_header(response.headers, "Content-Length") != nullptr ||
                      find_header(response.headers, "Transfer-Encoding") != nullptr;
  // The answer to a HEAD says for itself how long the body would be.
  if (!is_bodiless(response.status) && !framed && method != "HEAD") {
    if (reply.framing == Framing::sized) {
      const std::size_t size = response.body.size() + reply.spaces;
      head.append("Content-Length: ").append(std::to_string(size)).append("\r\n");
    } else if (reply.framing == Framing::chunked) {
      head.append("Transfer-Encoding: chunked\r\n");
    }
  }
  if (close) head.append("Connection: close\r\n");
  return head.append("\r\n");
}

bool send_answer(const ServerSocket& socket, const Reply& reply, std::string_view method,
                 bool close) {
  const Response& response = reply.response;
  const std::string head = head_of(reply, method, close);
  Tap tap(socket, reply, bytes_allowed(reply, head.size()));
  const bool bodiless = method == "HEAD" || is_bodiless(response.status);
  const bool chunked = reply.framing == Framing::chunked;
  const bool follows = !bodiless && (reply.spaces > 0 || !response.body.empty() || chunked);
  if (!tap.send(head, follows && reply.space_every.count() == 0)) return false;
  if (bodiless) return true;
  for (std::size_t i = 0; i < reply.spaces; ++i) {
    if (!socket.pause(reply.space_every)) return false;
    if (!tap.send(chunked ? "1\r\n \r\n" : " ", false)) return false;
  }
  if (!chunked) return response.body.empty() || tap.send(response.body.view(), false);
  if (!response.body.empty() && !(tap.send(hexadecimal(response.body.size()) + "\r\n", true) &&
                                  tap.send(response.body.view(), true) && tap.send("\r\n", true))) {
    return false;
  }
  return tap.send("0\r\n\r\n", false);
}

}  // namespace stepstore::http
