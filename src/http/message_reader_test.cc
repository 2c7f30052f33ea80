// A message is the same however its bytes arrive, and one that is cut off is never taken for whole.
#include "http/message_reader.h"

#include <gtest/gtest.h>

#include <cstring>

#include "http/server.h"
#include "stepstore/error.h"

namespace stepstore::http {
namespace {

struct Feed {
  std::unique_ptr<std::byte[]> scratch = std::make_unique<std::byte[]>(kScratchBytes);

  // Gives the reader what it has room for, at most `step` bytes at a time; returns what it left.
  template <class Reader>
  static std::string_view give(Reader& reader, std::string_view bytes, std::size_t step) {
    while (!bytes.empty() && !reader.done()) {
      const std::span<std::byte> room = reader.room();
      const std::size_t part = std::min({bytes.size(), step, room.size()});
      std::memcpy(room.data(), bytes.data(), part);
      reader.received(part);
      bytes.remove_prefix(part);
    }
    return bytes;
  }
  std::span<std::byte> space() const { return {scratch.get(), kScratchBytes}; }
};

std::string chunked(std::size_t chunks, std::size_t each) {
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", each);
  std::string out = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (std::size_t i = 0; i < chunks; ++i)
    out.append(size).append(each, static_cast<char>('a' + i % 26)).append("\r\n");
  return out + "0\r\n\r\n";
}

const std::vector<std::string>& answers() {
  static const std::vector<std::string> all = {
      "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world",
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
      "HTTP/1.1 102 Wait\r\nA: b\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 No\r\n"
      "Content-Length: 1\r\n\r\nx",
      chunked(3, 7),
      "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nT: u\r\n\r\n",
  };
  return all;
}

std::string summary(const Response& response) {
  std::string out = std::to_string(response.status);
  for (const auto& [name, value] : response.headers) out += "|" + name + "=" + value;
  return out + "|" + std::string(response.body.text());
}

TEST(ResponseReader, MakesTheSameOfAnySplit) {
  for (const std::string& bytes : answers()) {
    SCOPED_TRACE(bytes);
    const Feed feed;
    ResponseReader whole(false, 1'000, feed.space());
    EXPECT_EQ(Feed::give(whole, bytes, bytes.size()), "");
    ASSERT_TRUE(whole.done());
    EXPECT_TRUE(whole.reusable());
    const std::string expected = summary(whole.take());
    for (std::size_t split = 1; split < bytes.size(); ++split) {
      ResponseReader reader(false, 1'000, feed.space());
      Feed::give(reader, std::string_view(bytes).substr(0, split), bytes.size());
      ASSERT_FALSE(reader.done()) << split;
      Feed::give(reader, std::string_view(bytes).substr(split), bytes.size());
      ASSERT_TRUE(reader.done()) << split;
      EXPECT_EQ(summary(reader.take()), expected) << split;
    }
    ResponseReader dripped(false, 1'000, feed.space());
    Feed::give(dripped, bytes, 1);
    ASSERT_TRUE(dripped.done());
    EXPECT_EQ(summary(dripped.take()), expected);
  }
}

TEST(ResponseReader, TakesNoPieceForTheWhole) {
  for (const std::string& bytes : answers()) {
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
      const Feed feed;
      ResponseReader reader(false, 1'000, feed.space());
      Feed::give(reader, std::string_view(bytes).substr(0, cut), 1);
      EXPECT_THROW(reader.ended(), Io) << "cut at " << cut << " of " << bytes;
      EXPECT_EQ(reader.begun(), cut > 0);
    }
  }
}

TEST(ResponseReader, DoesNotReuseAConnectionWithSomethingBehindTheAnswer) {
  for (const char* bytes : {"HTTP/1.1 204 No\r\n\r\nX",
                            "HTTP/1.1 200 OK\r\n"
                            "Content-Length: 1\r\n\r\nxX"}) {
    const Feed feed;
    ResponseReader reader(false, 1'000, feed.space());
    Feed::give(reader, bytes, 1'000);
    ASSERT_TRUE(reader.done());
    EXPECT_FALSE(reader.reusable()) << bytes;
  }
}

TEST(ResponseReader, TakesLargeBodiesOfBothKinds) {
  const std::string text(3'000'000, 'z');
  const std::string sized = "HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + text;
  for (const std::size_t step : {1'000UL, 65'536UL, 10'000'000UL}) {
    const Feed feed;
    ResponseReader reader(false, 3'000'000, feed.space());
    Feed::give(reader, sized, step);
    ASSERT_TRUE(reader.done());
    EXPECT_TRUE(reader.take().body.text() == text);
    ResponseReader pieces(false, 3'000'000, feed.space());
    Feed::give(pieces, chunked(30, 100'000), step);
    ASSERT_TRUE(pieces.done());
    EXPECT_EQ(pieces.take().body.size(), 3'000'000U);
  }
}

TEST(ResponseReader, RefusesOneByteTooMany) {
  const Feed feed;
  ResponseReader sized(false, 10, feed.space());
  EXPECT_THROW(Feed::give(sized, "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n", 1), TooLarge);
  ResponseReader pieces(false, 20, feed.space());
  EXPECT_THROW(Feed::give(pieces, chunked(3, 7), 1), TooLarge);
  ResponseReader exact(false, 21, feed.space());
  Feed::give(exact, chunked(3, 7), 1);
  EXPECT_TRUE(exact.done());
}

TEST(RequestReader, ReadsWhatClientsSend) {
  const std::string bytes =
      "PUT /a?b HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody";
  const Feed feed;
  RequestReader reader(10, feed.space());
  Feed::give(reader, std::string_view(bytes).substr(0, bytes.size() - 4), 1);
  EXPECT_FALSE(reader.done());
  EXPECT_TRUE(reader.wants_continue());
  Feed::give(reader, "body", 4);
  ASSERT_TRUE(reader.done());
  EXPECT_TRUE(reader.reusable());
  const Received received = reader.take();
  EXPECT_EQ(received.method, "PUT");
  EXPECT_EQ(received.target, "/a?b");
  EXPECT_EQ(received.body.text(), "body");
  EXPECT_TRUE(received.keep_alive);
}

TEST(RequestReader, ARequestWithoutABodyEndsWithItsHead) {
  const Feed feed;
  RequestReader reader(10, feed.space());
  Feed::give(reader, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 1);
  ASSERT_TRUE(reader.done());
  EXPECT_FALSE(reader.wants_continue());
  EXPECT_FALSE(reader.take().keep_alive);
}

TEST(RequestReader, RefusesWhatIsNoRequest) {
  for (const char* bytes : {"hello\r\n\r\n", "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
                            "GET / HTTP/2.0\r\n\r\n", "\x16\x03\x01\x02\x01\x01\r\n\r\n"}) {
    const Feed feed;
    RequestReader reader(10, feed.space());
    EXPECT_THROW(Feed::give(reader, bytes, 100), Io) << bytes;
  }
}

}  // namespace
}  // namespace stepstore::http
