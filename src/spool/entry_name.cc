#include "spool/entry_name.h"

#include <charconv>

#include "base/crc64.h"
#include "base/ulid.h"

namespace stepstore::spool {
namespace {

constexpr std::size_t kUlid = 26;
constexpr std::size_t kHex = 16;

}  // namespace

std::string EntryName::file() const {
  return order + '-' + crc64_text(session) + '-' + crc64_text(step) + '-' + std::to_string(bytes);
}

std::string EntryName::shard() const { return crc64_text(step).substr(kHex - 2); }

std::optional<EntryName> parse_entry_name(std::string_view file) {
  constexpr std::size_t kSession = kUlid + 1;
  constexpr std::size_t kStep = kSession + kHex + 1;
  constexpr std::size_t kBytes = kStep + kHex + 1;
  if (file.size() <= kBytes || file[kUlid] != '-' || file[kStep - 1] != '-' ||
      file[kBytes - 1] != '-') {
    return std::nullopt;
  }
  const auto session = parse_crc64(file.substr(kSession, kHex));
  const auto step = parse_crc64(file.substr(kStep, kHex));
  if (!is_ulid(file.substr(0, kUlid)) || !session || !step) return std::nullopt;
  EntryName name{.order = std::string(file.substr(0, kUlid)), .session = *session, .step = *step};
  const std::string_view digits = file.substr(kBytes);
  const auto [end, failed] =
      std::from_chars(digits.data(), digits.data() + digits.size(), name.bytes);
  if (failed != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return name.file() == file ? std::optional(std::move(name)) : std::nullopt;
}

std::uint64_t session_number(std::string_view session_id) { return crc64(session_id); }

std::uint64_t step_number(std::string_view session_id, std::string_view step_id) {
  // The size keeps ("a", "bc") apart from ("ab", "c").
  std::string both = std::to_string(session_id.size()) + '/';
  both.append(session_id).append(step_id);
  return crc64(both);
}

}  // namespace stepstore::spool
