#include "http/message_reader.h"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <cstring>
#include <optional>

#include "base/blocks.h"
#include "base/errors.h"
#include "http/server.h"

namespace stepstore::http {
namespace {

namespace beast = boost::beast;
using boost::optional;

constexpr std::uint32_t kHeadBytesMax = kScratchBytes - 1024;

[[noreturn]] void not_http(const std::string& why) {
  error(ErrorCode::Io, "receive", "", "what was received is no HTTP/1.1: " + why,
        "Is the endpoint right, and its scheme (http or https)?")
      .raise();
  __builtin_unreachable();
}

// Beast reads the head and takes chunked bodies apart; what it finds is gathered here.
template <bool IsRequest>
class Parser final : public beast::http::basic_parser<IsRequest> {
 public:
  int status = 0;                  // of an answer
  std::string method{}, target{};  // of a request
  Headers headers{};
  std::string body{};  // of a body whose size is not known ahead

 private:
  using Code = beast::error_code;
  using View = beast::string_view;
  using Field = beast::http::field;

  void on_request_impl(beast::http::verb, View name, View wanted, int, Code&) override {
    method.assign(name.data(), name.size());
    target.assign(wanted.data(), wanted.size());
  }
  void on_response_impl(int code, View, int, Code&) override { status = code; }
  void on_field_impl(Field, View name, View value, Code&) override {
    headers.emplace_back(std::string(name.data(), name.size()),
                         std::string(value.data(), value.size()));
  }
  void on_header_impl(Code&) override {}
  void on_body_init_impl(const optional<std::uint64_t>&, Code&) override {}
  std::size_t on_body_impl(View bytes, Code&) override {
    body.append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t, View, Code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, View bytes, Code&) override {
    body.append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_finish_impl(Code&) override {}
};

}  // namespace

template <bool IsRequest>
class ReaderState {
 public:
  ReaderState(bool head, std::uint64_t bytes_max, std::span<std::byte> space)
      : to_head(head), body_bytes_max(bytes_max), scratch(space) {
    begin();
  }

  void begin() {
    parser.emplace();
    parser->header_limit(kHeadBytesMax);
    parser->body_limit(boost::none);
    parser->skip(to_head);
    parser->eager(false);
  }

  // Lets the parser have what is in the scratch space.
  void parse() {
    while (begin_ < end_ && !finished) {
      beast::error_code failed;
      const std::size_t used =
          parser->put(boost::asio::const_buffer(scratch.data() + begin_, end_ - begin_), failed);
      begin_ += used;
      const bool more = failed == beast::http::error::need_more;
      if (failed && !more) not_http(failed.message());
      if (parser->is_header_done() && !head_done) on_head();
      if (!direct && parser->body.size() > body_bytes_max) too_large();
      if (more || direct || (parser && parser->is_done())) break;
      if (used == 0 && head_done) break;
    }
    compact();
    if (!direct && head_done && parser->is_done()) finished = true;
  }

  void on_head() {
    if constexpr (!IsRequest) {
      if (parser->status < 200) {  // 100 Continue: the answer itself is still to come
        begin();
        return;
      }
      finished = to_head || parser->status == 204 || parser->status == 304;
    }
    head_done = true;
    if (finished) return;
    if (const auto size = parser->content_length(); size && !parser->chunked()) {
      if (*size > body_bytes_max) too_large();
      direct = true;
      block = make_block(*size);
      body_size = *size;
      const std::size_t there = std::min<std::uint64_t>(end_ - begin_, body_size);
      if (there > 0) std::memcpy(block.get(), scratch.data() + begin_, there);
      begin_ += there;
      filled = there;
      finished = filled == body_size;
      return;
    }
    parser->eager(true);
  }

  void compact() {
    if (begin_ == 0) return;
    std::memmove(scratch.data(), scratch.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }

  // The size is the peer's word: what no memory holds is its error, not ours.
  static std::shared_ptr<std::byte[]> make_block(std::uint64_t size) {
    try {
      return take_block(size);
    } catch (const std::bad_alloc&) {
      error(ErrorCode::TooLarge, "receive", "",
            "there is no memory for a body of " + std::to_string(size) + " bytes",
            "Ask for a smaller part of it.")
          .raise();
      __builtin_unreachable();
    }
  }

  [[noreturn]] void too_large() const {
    error(ErrorCode::TooLarge, "receive", "",
          "the answer is larger than " + std::to_string(body_bytes_max) + " bytes",
          "Ask for a smaller part of it.")
        .raise();
    __builtin_unreachable();
  }

  Bytes take_body() {
    if (direct) {
      const BytesView view(block.get(), static_cast<std::size_t>(body_size));
      return Bytes::adopt(view, std::move(block));
    }
    if (parser->body.empty()) return {};
    auto keep = std::make_shared<const std::string>(std::move(parser->body));
    const BytesView view(*keep);
    return Bytes::adopt(view, std::move(keep));
  }

  const bool to_head;
  const std::uint64_t body_bytes_max;
  const std::span<std::byte> scratch;
  std::size_t begin_ = 0, end_ = 0;  // what of the scratch space is not parsed
  std::optional<Parser<IsRequest>> parser;
  bool any = false, head_done = false, finished = false;
  bool direct = false;  // the body has a known size, and goes into the block
  std::shared_ptr<std::byte[]> block;
  std::uint64_t body_size = 0, filled = 0;
};

template <bool IsRequest>
MessageReader<IsRequest>::MessageReader(bool to_head, std::uint64_t body_bytes_max,
                                        std::span<std::byte> scratch)
    : state(std::make_unique<ReaderState<IsRequest>>(to_head, body_bytes_max, scratch)) {}
template <bool IsRequest>
MessageReader<IsRequest>::~MessageReader() = default;

template <bool IsRequest>
std::span<std::byte> MessageReader<IsRequest>::room() {
  auto& s = *state;
  if (s.direct) return {s.block.get() + s.filled, static_cast<std::size_t>(s.body_size - s.filled)};
  if (s.end_ == s.scratch.size()) not_http("its head is too long");
  return s.scratch.subspan(s.end_);
}

template <bool IsRequest>
void MessageReader<IsRequest>::received(std::size_t bytes) {
  auto& s = *state;
  s.any = true;
  if (s.direct) {
    s.filled += bytes;
    s.finished = s.filled == s.body_size;
    return;
  }
  s.end_ += bytes;
  s.parse();
}

template <bool IsRequest>
void MessageReader<IsRequest>::ended() {
  auto& s = *state;
  const auto cut_off = [] {
    error(ErrorCode::Io, "receive", "", "the connection ended in the middle of a message",
          "Call again.")
        .raise();
  };
  if (s.direct || !s.head_done) cut_off();
  beast::error_code failed;
  s.parser->put_eof(failed);
  if (failed || !s.parser->is_done()) cut_off();
  s.finished = true;
}

template <bool IsRequest>
bool MessageReader<IsRequest>::begun() const noexcept {
  return state->any;
}
template <bool IsRequest>
bool MessageReader<IsRequest>::done() const noexcept {
  return state->finished;
}
template <bool IsRequest>
bool MessageReader<IsRequest>::reusable() const noexcept {
  return state->finished && state->parser->keep_alive() && !has_more();
}
template <bool IsRequest>
bool MessageReader<IsRequest>::has_more() const noexcept {
  return state->begin_ != state->end_;
}

template class MessageReader<false>;
template class MessageReader<true>;

Response ResponseReader::take() {
  return {.status = state->parser->status,
          .headers = std::move(state->parser->headers),
          .body = state->take_body()};
}

std::shared_ptr<Partial> ResponseReader::take_partial() {
  auto& s = *state;
  if (!s.direct || s.finished || s.filled == 0) return nullptr;
  return std::make_shared<Partial>(Partial{.status = s.parser->status,
                                           .headers = std::move(s.parser->headers),
                                           .block = std::move(s.block),
                                           .size = static_cast<std::size_t>(s.body_size),
                                           .got = static_cast<std::size_t>(s.filled)});
}

bool RequestReader::wants_continue() const noexcept {
  if (!state->head_done || state->finished) return false;
  const std::string* const expect = find_header(state->parser->headers, "Expect");
  return expect != nullptr && expect->starts_with("100");
}

bool RequestReader::has_head() const noexcept { return state->head_done; }

Received RequestReader::head() const {
  return {.method = state->parser->method,
          .target = state->parser->target,
          .headers = state->parser->headers,
          .keep_alive = state->parser->keep_alive()};
}

std::uint64_t RequestReader::body_bytes() const noexcept {
  return state->direct ? state->filled : state->parser->body.size();
}

Received RequestReader::take() {
  const bool keep_alive = state->parser->keep_alive();
  return {.method = std::move(state->parser->method),
          .target = std::move(state->parser->target),
          .headers = std::move(state->parser->headers),
          .body = state->take_body(),
          .keep_alive = keep_alive};
}

}  // namespace stepstore::http
