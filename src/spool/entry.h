// An entry of the spool: one step that the store has not taken yet, in one file.
//
//   "stepstore spool 1\n"   what it is
//   8 bytes, 8 bytes        size and CRC-64/NVME of the head
//   head                    JSON: whose step it is, and size and CRC of every part
//   parts                   their bytes, one after the other
//   8 bytes, "end\n"        size of all before it: the file is whole
//
// Numbers are little-endian. Every byte is covered by a CRC or by a size.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_io.h"
#include "stepstore/bytes.h"
#include "stepstore/call.h"
#include "stepstore/source.h"

namespace stepstore::spool {

struct Part {
  std::string name{};  // of the component
  std::string content_type{};
  std::uint64_t size = 0;
  std::uint64_t crc64 = 0;
};

struct Head {
  std::string commit_id{};  // of every attempt to store it: so it is stored once
  std::string session_id{}, step_id{};
  Timestamp spooled_at{};
  // The commit id of the root that the step had then; "": it had none; absent: it could not be
  // asked.
  std::optional<std::string> base{};
  std::optional<std::uint64_t> generation{};  // of the session; absent: it could not be asked
  std::uint32_t keep_versions = 1;
  std::string reason{};                   // why it was spooled, for people
  std::optional<std::string> metadata{};  // JSON text that goes into the manifest
  std::vector<Part> parts{};

  std::uint64_t body_bytes() const noexcept;
};

std::string to_json(const Head& head);
// Throws Corrupt, naming the file; Unsupported for a newer format.
Head parse_head(std::string_view json, std::string_view file);

// Writes an entry into an empty file. `bodies` in the order of head.parts; a body whose bytes do
// not agree with its part any more is InvalidArgument: it has changed. Throws what the disk says.
void write_entry(Files& files, int fd, std::string_view file, const Head& head,
                 std::span<const Source> bodies);

// Thread-safe: reads nothing but what was asked for, and keeps the file open.
class EntryFile {
 public:
  // Reads the head, and checks that the file is whole. Throws Corrupt, and what the disk says.
  EntryFile(Files& files, Fd fd, std::string file);

  const Head& head() const noexcept { return head_; }
  const std::string& file() const noexcept { return file_; }
  int descriptor() const noexcept { return fd_.get(); }
  std::uint64_t bytes() const noexcept { return bytes_; }  // of the file

  // The bytes of a part, checked. Throws Corrupt.
  Bytes read(std::size_t part) const;
  // The same bit by bit, from its beginning, for parts that are too large to hold; checked at the
  // end. This must outlive the reader.
  Source::Reader open(std::size_t part) const;

 private:
  std::uint64_t offset_of(std::size_t part) const noexcept;

  Files& files_;
  Fd fd_;
  std::string file_;
  std::uint64_t bytes_ = 0;
  std::uint64_t begin_ = 0;  // of the parts
  Head head_{};
};

}  // namespace stepstore::spool
