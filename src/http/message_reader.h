// Put messages together from the bytes that arrive. A body whose size is known is received straight
// into its place.
#pragma once

#include <memory>
#include <span>

#include "http/message.h"

namespace stepstore::http {

// The space in which heads are read; part of a connection, since allocating it anew costs. What of
// a body comes with its head is copied from here, so it is no larger than it must be.
inline constexpr std::size_t kScratchBytes = std::size_t{16} << 10U;

template <bool IsRequest>
class ReaderState;

// For one message. Not thread-safe. Its methods throw Io for what is no HTTP, TooLarge for a body
// beyond the limit.
template <bool IsRequest>
class MessageReader {
 public:
  MessageReader(bool to_head, std::uint64_t body_bytes_max, std::span<std::byte> scratch);
  MessageReader(const MessageReader&) = delete;
  MessageReader& operator=(const MessageReader&) = delete;
  ~MessageReader();

  std::span<std::byte> room();       // where the next bytes go; never empty while !done()
  void received(std::size_t bytes);  // so many came into room()
  void ended();                      // the connection was closed
  bool begun() const noexcept;       // a byte has come
  bool done() const noexcept;
  // The connection can serve again: the peer says so, and nothing came behind the message.
  bool reusable() const noexcept;
  bool has_more() const noexcept;  // something came behind it

 protected:
  std::unique_ptr<ReaderState<IsRequest>> state;
};

class ResponseReader final : public MessageReader<false> {
 public:
  // `to_head`: the request was a HEAD, so the answer has no body whatever it says.
  ResponseReader(bool to_head, std::uint64_t body_bytes_max, std::span<std::byte> scratch)
      : MessageReader(to_head, body_bytes_max, scratch) {}
  Response take();
  // What came of a body of known size that did not come whole; null: no byte of one.
  std::shared_ptr<Partial> take_partial();
};

// A request as it arrived, for servers.
struct Received;

class RequestReader final : public MessageReader<true> {
 public:
  RequestReader(std::uint64_t body_bytes_max, std::span<std::byte> scratch)
      : MessageReader(false, body_bytes_max, scratch) {}
  // The head is whole, and the peer waits for a "100 Continue" before it sends the body.
  bool wants_continue() const noexcept;
  bool has_head() const noexcept;
  Received head() const;                      // without the body; once has_head()
  std::uint64_t body_bytes() const noexcept;  // of the body, so far
  Received take();
};

}  // namespace stepstore::http
