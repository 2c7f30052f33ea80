// The checksum that goes with the bytes of a write: which one, and what is done when a server
// refuses its header.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "stepstore/bytes.h"

namespace stepstore::s3 {

// In the order in which they are tried.
enum class Checksum : std::uint8_t { crc64nvme, crc32c, md5, none };

std::string_view name_of(Checksum checksum) noexcept;  // "crc64nvme"
std::optional<Checksum> checksum_named(std::string_view name) noexcept;

// "x-amz-checksum-crc64nvme", "Content-MD5"; empty: none.
std::string_view header_of(Checksum checksum) noexcept;
// What CreateMultipartUpload calls it: "CRC64NVME"; empty: it is not announced.
std::string_view algorithm_of(Checksum checksum) noexcept;
// What the parts of an upload that was begun with it have to have; none: any.
std::optional<Checksum> bound(Checksum announced) noexcept;
// As its header wants it. `crc64`: of the body, where it is known. Empty for none.
std::string value_of(Checksum checksum, std::span<const BytesView> body,
                     std::optional<std::uint64_t> crc64);

// What a client sends, which it may find out. Thread-safe.
class ChecksumChoice {
 public:
  // None: begins with the first, and takes another one where that is refused.
  explicit ChecksumChoice(std::optional<Checksum> only = {})
      : automatic_(!only), current_(only.value_or(Checksum::crc64nvme)) {}

  Checksum current() const noexcept { return current_.load(); }
  // What to try where this one was refused; none: nothing else.
  std::optional<Checksum> instead_of(Checksum refused) const noexcept;
  // A server has taken what came after a refusal: the next requests begin with it.
  void learn(Checksum taken) noexcept;

 private:
  const bool automatic_;
  std::atomic<Checksum> current_;
};

}  // namespace stepstore::s3
