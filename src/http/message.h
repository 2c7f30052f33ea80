// What goes over the wire and comes back: HTTP/1.1 requests and answers as values.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stepstore/bytes.h"

namespace stepstore::http {

// In the order in which they are sent. Names compare without regard to case.
using Headers = std::vector<std::pair<std::string, std::string>>;

// The value of the first header of this name; null: there is none.
const std::string* find_header(const Headers& headers, std::string_view name) noexcept;

struct Request {
  std::string method = "GET";
  std::string target = "/";  // as it is sent: encoded path, and query after '?'
  Headers headers{};  // all but Content-Length, which the sender adds (also for an empty body
                      // of PUT and POST)
  std::vector<BytesView> body{};  // sent in this order; borrowed until the call returns

  std::uint64_t body_bytes() const noexcept;
};

struct Response {
  int status = 0;
  Headers headers{};
  Bytes body{};  // without transfer coding; empty for HEAD
};

// An answer whose connection ended, or fell silent, in the middle of a body of known size.
struct Partial {
  int status = 0;
  Headers headers{};
  std::shared_ptr<std::byte[]> block{};  // has room for the whole
  std::size_t size = 0;
  std::size_t got = 0;  // bytes of it that came
};

}  // namespace stepstore::http
