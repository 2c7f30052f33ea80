#include "spool/entry.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>

#include "base/blocks.h"
#include "base/crc64.h"
#include "base/errors.h"
#include "model/json_io.h"

namespace stepstore::spool {
namespace {

using nlohmann::json;

constexpr std::string_view kMagic = "stepstore spool 1\n";
constexpr std::string_view kEnd = "end\n";
constexpr std::size_t kNumber = 8;
constexpr std::size_t kBeforeHead = kMagic.size() + 2 * kNumber;
constexpr std::size_t kAfterParts = kNumber + kEnd.size();
// A manifest's metadata and some thousand components fit; more is no head.
constexpr std::uint64_t kHeadBytesMax = std::uint64_t{16} << 20U;
constexpr std::size_t kPieceBytes = std::size_t{1} << 20U;

void append_number(std::string& out, std::uint64_t number) {
  for (std::size_t i = 0; i < kNumber; ++i) out += static_cast<char>(number >> (8 * i) & 0xFFU);
}

std::uint64_t number_at(std::string_view text, std::size_t at) {
  std::uint64_t number = 0;
  for (std::size_t i = kNumber; i-- > 0;) {
    number = number << 8U | static_cast<unsigned char>(text[at + i]);
  }
  return number;
}

void checked(int result, std::string_view file, std::string_view what) {
  if (result < 0) errno_error(-result, "spool", file, what).raise();
}

[[noreturn]] void changed(const Part& part) {
  error(ErrorCode::InvalidArgument, "spool", part.name,
        "the file changed while it was being stored", "Store it when it is complete.")
      .raise();
  __builtin_unreachable();
}

void write_streamed(Files& files, int fd, std::string_view file, const Part& part,
                    const Source& body) {
  const Source::Reader read = body.open();
  std::vector<std::byte> piece(std::min<std::uint64_t>(kPieceBytes, part.size + 1));
  std::uint64_t size = 0;
  std::uint64_t crc = 0;
  while (const std::size_t got = read(piece)) {
    const BytesView bytes(piece.data(), got);
    size += got;
    if (size > part.size) changed(part);
    crc = crc64(bytes, crc);
    checked(write_fully(files, fd, bytes), file, "write");
  }
  if (size != part.size || crc != part.crc64) changed(part);
}

json to_json(const Part& part) {
  return {{"name", part.name},
          {"content_type", part.content_type},
          {"size", part.size},
          {"crc64nvme", crc64_text(part.crc64)}};
}

Part parse_part(const json& from, std::string_view file) {
  if (!from.is_object()) throw_corrupt(file, "a part is no object");
  const auto crc = parse_crc64(member<std::string>(from, "crc64nvme", file));
  if (!crc) throw_corrupt(file, "'crc64nvme' is no checksum");
  return {.name = member<std::string>(from, "name", file),
          .content_type = member<std::string>(from, "content_type", file),
          .size = member<std::uint64_t>(from, "size", file),
          .crc64 = *crc};
}

}  // namespace

std::uint64_t Head::body_bytes() const noexcept {
  return std::accumulate(parts.begin(), parts.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const Part& part) { return sum + part.size; });
}

std::string to_json(const Head& head) {
  json out{{"format", "1.0"},
           {"commit_id", head.commit_id},
           {"session_id", head.session_id},
           {"step_id", head.step_id},
           {"spooled_at_ms", head.spooled_at.time_since_epoch().count()},
           {"keep_versions", head.keep_versions},
           {"reason", head.reason},
           {"parts", json::array()}};
  if (head.base) out["base"] = *head.base;
  if (head.generation) out["generation"] = *head.generation;
  if (head.metadata) out["metadata"] = *head.metadata;
  for (const Part& part : head.parts) out["parts"].push_back(to_json(part));
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

Head parse_head(std::string_view text, std::string_view file) {
  const json from = parse_object(text, file);
  check_format(from, file);
  Head head{.commit_id = member<std::string>(from, "commit_id", file),
            .session_id = member<std::string>(from, "session_id", file),
            .step_id = member<std::string>(from, "step_id", file),
            .keep_versions = member<std::uint32_t>(from, "keep_versions", file),
            .reason = member<std::string>(from, "reason", file)};
  const auto at = from.find("spooled_at_ms");
  if (at == from.end() || !at->is_number_integer()) {
    throw_corrupt(file, "'spooled_at_ms' is no time");
  }
  head.spooled_at = Timestamp(std::chrono::milliseconds(at->get<std::int64_t>()));
  if (from.contains("base")) head.base = member<std::string>(from, "base", file);
  if (from.contains("generation"))
    head.generation = member<std::uint64_t>(from, "generation", file);
  if (from.contains("metadata")) head.metadata = member<std::string>(from, "metadata", file);
  for (const json& part : array_member(from, "parts", file)) {
    head.parts.push_back(parse_part(part, file));
  }
  return head;
}

void write_entry(Files& files, int fd, std::string_view file, const Head& head,
                 std::span<const Source> bodies) {
  const std::string json_text = to_json(head);
  std::string begin(kMagic);
  append_number(begin, json_text.size());
  append_number(begin, crc64(json_text));
  begin += json_text;
  const std::uint64_t total = begin.size() + head.body_bytes();
  // A full disk is told before half of it is written.
  if (total >= kPieceBytes) {
    const int got = uninterrupted([&] { return files.allocate(fd, total + kAfterParts); });
    if (got != -EOPNOTSUPP && got != -ENOSYS && got != -EINVAL) checked(got, file, "fallocate");
  }
  checked(write_fully(files, fd, begin), file, "write");
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    const Part& part = head.parts[i];
    if (!bodies[i].in_memory()) {
      write_streamed(files, fd, file, part, bodies[i]);
      continue;
    }
    if (bodies[i].view().size() != part.size) changed(part);
    checked(write_fully(files, fd, bodies[i].view()), file, "write");
  }
  std::string end;
  append_number(end, total);
  end += kEnd;
  checked(write_fully(files, fd, end), file, "write");
}

EntryFile::EntryFile(Files& files, Fd fd, std::string file)
    : files_(files), fd_(std::move(fd)), file_(std::move(file)) {
  FileStat stat;
  checked(files_.stat(fd_.get(), stat), file_, "stat");
  bytes_ = stat.size;
  const auto read = [this](std::string& into, std::uint64_t offset) {
    checked(read_fully(files_, fd_.get(), std::as_writable_bytes(std::span(into)), offset), file_,
            "read");
  };
  if (bytes_ < kBeforeHead + kAfterParts) throw_corrupt(file_, "it is cut off");
  std::string begin(kBeforeHead, '\0');
  read(begin, 0);
  if (!begin.starts_with(kMagic)) throw_corrupt(file_, "it is no entry of a spool");
  const std::uint64_t size = number_at(begin, kMagic.size());
  if (size > kHeadBytesMax || size > bytes_ - kBeforeHead - kAfterParts) {
    throw_corrupt(file_, "its head is cut off");
  }
  std::string text(static_cast<std::size_t>(size), '\0');
  read(text, kBeforeHead);
  if (crc64(text) != number_at(begin, kMagic.size() + kNumber)) {
    throw_corrupt(file_, "the checksum of its head is another one");
  }
  head_ = parse_head(text, file_);
  begin_ = kBeforeHead + size;
  std::string end(kAfterParts, '\0');
  read(end, bytes_ - kAfterParts);
  const std::uint64_t total = begin_ + head_.body_bytes();
  if (!end.ends_with(kEnd) || number_at(end, 0) != total || bytes_ != total + kAfterParts) {
    throw_corrupt(file_, "it is cut off");
  }
}

std::uint64_t EntryFile::offset_of(std::size_t part) const noexcept {
  std::uint64_t offset = begin_;
  for (std::size_t i = 0; i < part; ++i) offset += head_.parts[i].size;
  return offset;
}

Bytes EntryFile::read(std::size_t part) const {
  const Part& about = head_.parts[part];
  const auto size = static_cast<std::size_t>(about.size);
  std::shared_ptr<std::byte[]> block = take_block(size);
  checked(read_fully(files_, fd_.get(), {block.get(), size}, offset_of(part)), file_, "read");
  const BytesView view(block.get(), size);
  if (crc64(view) != about.crc64) {
    throw_corrupt(file_, "the checksum of '" + about.name + "' is another one");
  }
  return Bytes::adopt(view, std::move(block));
}

Source::Reader EntryFile::open(std::size_t part) const {
  const Part& about = head_.parts[part];
  return [this, &about, at = offset_of(part), done = std::uint64_t{0},
          crc = std::uint64_t{0}](std::span<std::byte> out) mutable -> std::size_t {
    const auto size =
        static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), about.size - done));
    if (size == 0) {
      if (crc != about.crc64) {
        throw_corrupt(file_, "the checksum of '" + about.name + "' is another one");
      }
      return 0;
    }
    checked(read_fully(files_, fd_.get(), out.first(size), at + done), file_, "read");
    crc = crc64(BytesView(out.data(), size), crc);
    done += size;
    return size;
  };
}

}  // namespace stepstore::spool
