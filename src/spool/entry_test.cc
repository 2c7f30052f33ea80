// An entry comes back as it went in, and every byte of its file that is another one is noticed.
#include "spool/entry.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "base/crc64.h"
#include "base/errors.h"
#include "testing/crash_files.h"

namespace stepstore::spool {
namespace {

class SpoolEntry : public testing::Test {
 protected:
  SpoolEntry() : root(files, files.open_root("/spool")) {}

  static Part part(const std::string& name, const std::string& bytes) {
    return {.name = name, .content_type = "text/x", .size = bytes.size(), .crc64 = crc64(bytes)};
  }
  static Head head() {
    return {.commit_id = "01JD3QK8Z1M8T0V7X5W2R4Y6AB",
            .session_id = "s/ä",
            .step_id = "1",
            .spooled_at = Timestamp(std::chrono::milliseconds(1'700'000'000'123)),
            .base = "",
            .generation = 3,
            .keep_versions = 7,
            .reason = "Unavailable: it is away",
            .metadata = R"({"a": 1})",
            .parts = {part("html", "<p>"), part("empty", ""), part("screenshot", "\x89PNG")}};
  }
  void write(const std::string& name, const Head& about, std::span<const Source> from) {
    const Fd fd = open_at(files, root.get(), name.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    write_entry(files, fd.get(), name, about, from);
  }
  void write_bytes(const std::string& name, BytesView bytes) {
    const Fd fd = open_at(files, root.get(), name.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ASSERT_EQ(write_fully(files, fd.get(), bytes), 0);
  }
  EntryFile open(const std::string& name) {
    return {files, open_at(files, root.get(), name.c_str(), O_RDONLY), name};
  }
  std::string bytes_of(const std::string& name) {
    const Fd fd = open_at(files, root.get(), name.c_str(), O_RDONLY);
    FileStat stat;
    EXPECT_EQ(files.stat(fd.get(), stat), 0);
    std::string bytes(static_cast<std::size_t>(stat.size), '\0');
    EXPECT_EQ(read_fully(files, fd.get(), std::as_writable_bytes(std::span(bytes)), 0), 0);
    return bytes;
  }

  CrashFiles files;
  Fd root;
  const std::vector<Source> bodies{Source("<p>"), Source(""), Source("\x89PNG")};
};

TEST_F(SpoolEntry, ComesBackAsItWentIn) {
  write("e", head(), bodies);
  const EntryFile entry = open("e");
  EXPECT_EQ(to_json(entry.head()), to_json(head()));
  EXPECT_EQ(entry.head().generation, 3U);
  EXPECT_EQ(entry.head().spooled_at, head().spooled_at);
  EXPECT_EQ(entry.read(0).text(), "<p>");
  EXPECT_EQ(entry.read(1).size(), 0U);
  EXPECT_EQ(entry.read(2).text(), "\x89PNG");
  EXPECT_EQ(entry.bytes(), bytes_of("e").size());
}

TEST_F(SpoolEntry, TellsUnknownFromAbsent) {
  Head unknown = head();
  unknown.base.reset();
  unknown.generation.reset();
  unknown.metadata.reset();
  write("e", unknown, bodies);
  EXPECT_FALSE(open("e").head().base.has_value());
  EXPECT_FALSE(open("e").head().generation.has_value());
  EXPECT_FALSE(open("e").head().metadata.has_value());
}

TEST_F(SpoolEntry, IsReadBitByBitAsOftenAsWanted) {
  write("e", head(), bodies);
  const EntryFile entry = open("e");
  for (int i = 0; i < 2; ++i) {
    const Source::Reader read = entry.open(2);
    std::array<std::byte, 3> out{};
    EXPECT_EQ(read(out), 3U);
    EXPECT_EQ(read(out), 1U);
    EXPECT_EQ(read(out), 0U);
  }
}

TEST_F(SpoolEntry, TakesBodiesFromReaders) {
  const std::string large(3'000'000, 'x');
  Head about = head();
  about.parts = {part("har", large)};
  const auto reader = [&large, at = std::size_t{0}](std::span<std::byte> out) mutable {
    const std::size_t size = std::min(out.size(), large.size() - at);
    std::memcpy(out.data(), large.data() + at, size);
    at += size;
    return size;
  };
  const std::vector<Source> streamed{Source::reader(reader)};
  write("e", about, streamed);
  EXPECT_EQ(open("e").read(0).text(), large);
}

TEST_F(SpoolEntry, RefusesABodyThatHasChanged) {
  const std::vector<Source> shorter{Source("<p"), Source(""), Source("\x89PNG")};
  EXPECT_THROW(write("e", head(), shorter), InvalidArgument);
}

TEST_F(SpoolEntry, NoticesEveryBitThatFlips) {
  write("e", head(), bodies);
  const std::string whole = bytes_of("e");
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string bad = whole;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    write_bytes("bad", bad);
    const auto read_all = [&] {
      const EntryFile entry = open("bad");
      for (std::size_t i = 0; i < entry.head().parts.size(); ++i) (void)entry.read(i);
    };
    EXPECT_THROW(read_all(), Corrupt) << "byte " << at;
  }
}

TEST_F(SpoolEntry, NoticesEveryByteThatIsMissingOrTooMany) {
  write("e", head(), bodies);
  const std::string whole = bytes_of("e");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write_bytes("bad", BytesView(whole).slice(0, size));
    EXPECT_THROW(open("bad"), Corrupt) << size << " bytes";
  }
  write_bytes("bad", whole + "x");
  EXPECT_THROW(open("bad"), Corrupt);
}

}  // namespace
}  // namespace stepstore::spool
