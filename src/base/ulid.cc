#include "base/ulid.h"

#include <algorithm>
#include <array>

namespace stepstore {
namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

}  // namespace

std::string make_ulid(Clock& clock, Random& random) {
  std::string text(26, '0');
  auto time = static_cast<std::uint64_t>(
      std::max<std::int64_t>(0, clock.now_ms().time_since_epoch().count()));
  for (std::size_t i = 10; i-- > 0; time >>= 5) text[i] = kAlphabet[time & 31];
  std::array<std::byte, 16> bytes{};
  random.fill(bytes);
  for (std::size_t i = 0; i < 16; ++i) {
    text[10 + i] = kAlphabet[std::to_integer<unsigned>(bytes[i]) & 31];
  }
  return text;
}

std::string ulid_after(std::string_view ulid) {
  std::string next(ulid);
  for (std::size_t i = next.size(); i-- > 0;) {
    const std::size_t digit = kAlphabet.find(next[i]);
    if (digit + 1 < kAlphabet.size()) {
      next[i] = kAlphabet[digit + 1];
      break;
    }
    next[i] = kAlphabet.front();
  }
  return next;
}

Timestamp ulid_time(std::string_view ulid) {
  std::int64_t time = 0;
  for (const char c : ulid.substr(0, 10)) {
    time = time << 5 | static_cast<std::int64_t>(kAlphabet.find(c));
  }
  return Timestamp(std::chrono::milliseconds(time));
}

bool is_ulid(std::string_view text) noexcept {
  return text.size() == 26 && text[0] <= '7' &&
         text.find_first_not_of(kAlphabet) == std::string_view::npos;
}

}  // namespace stepstore
