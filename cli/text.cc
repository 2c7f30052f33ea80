#include "text.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>

namespace stepstore::cli {
namespace {

// One code point at the front of some text; size 0 where the text is not UTF-8.
struct Decoded {
  char32_t point = 0;
  std::size_t size = 0;
};

Decoded decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return {};
  char32_t point = first & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return {};
    point = (point << 6U) | (byte(i) & 0x3fU);
  }
  constexpr std::array<char32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = point >= 0xd800 && point <= 0xdfff;
  if (point < kSmallest[size] || point > 0x10ffff || surrogate) return {};
  return {point, size};
}

bool is_control(char32_t point) { return point < 0x20 || (point >= 0x7f && point <= 0x9f); }

// Characters that reorder, hide or break a line although no terminal code is involved.
bool is_deceptive(char32_t point) {
  return point == 0x61c || (point >= 0x200b && point <= 0x200f) ||
         (point >= 0x2028 && point <= 0x202e) || (point >= 0x2060 && point <= 0x206f) ||
         point == 0xfeff || (point >= 0xfff0 && point <= 0xfffb) || point == 0xad ||
         point == 0x180e || (point >= 0xe0000 && point <= 0xe0fff);
}

void append_hex(std::string& out, const char* format, unsigned value) {
  std::array<char, 16> buffer{};
  std::snprintf(buffer.data(), buffer.size(), format, value);
  out += buffer.data();
}

std::string escaped(std::string_view text, bool double_backslash) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Decoded next = decode(text);
    if (next.size == 0) {
      append_hex(out, "\\x%02x", static_cast<unsigned char>(text[0]));
      text.remove_prefix(1);
      continue;
    }
    if (next.point < 0x80 && is_control(next.point)) {
      append_hex(out, "\\x%02x", next.point);
    } else if (is_control(next.point) || is_deceptive(next.point)) {
      append_hex(out, next.point > 0xffff ? "\\U%08x" : "\\u%04x", next.point);
    } else if (next.point == '\\' && double_backslash) {
      out += "\\\\";
    } else {
      out += text.substr(0, next.size);
    }
    text.remove_prefix(next.size);
  }
  return out;
}

std::size_t columns_of(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0U) != 0x80;
  return count;
}

}  // namespace

std::string shown(std::string_view text) { return escaped(text, false); }
std::string shown_id(std::string_view id) { return escaped(id, true); }

bool acts_on_terminal(std::string_view bytes) {
  while (!bytes.empty()) {
    const Decoded next = decode(bytes);
    if (next.size == 0) return true;
    const bool layout = next.point == '\t' || next.point == '\n' || next.point == '\r';
    if (is_control(next.point) && !layout) return true;
    bytes.remove_prefix(next.size);
  }
  return false;
}

std::string shown_size(std::uint64_t bytes) {
  if (bytes < 1000) return std::to_string(bytes) + " B";
  constexpr std::array kUnits = {"KB", "MB", "GB", "TB", "PB"};
  double value = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  while (value >= 999.95 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.1f %s", value, kUnits.at(unit));
  return buffer.data();
}

std::string shown_time(Timestamp time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const std::time_t clock = std::chrono::system_clock::to_time_t(seconds);
  std::tm parts{};
  gmtime_r(&clock, &parts);
  std::array<char, 32> day{};
  std::strftime(day.data(), day.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::array<char, 48> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%s.%03dZ", day.data(),
                static_cast<int>((time - seconds).count()));
  return buffer.data();
}

std::string shown_seconds(double seconds) {
  std::array<char, 48> buffer{};
  if (seconds < 100) {
    std::snprintf(buffer.data(), buffer.size(), "%.2f s", seconds);
  } else {
    const auto whole = static_cast<long long>(std::llround(seconds));
    std::snprintf(buffer.data(), buffer.size(), "%lld min %lld s", whole / 60, whole % 60);
  }
  return buffer.data();
}

std::string shown_crc(std::uint64_t crc) {
  std::array<char, 24> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%016llx", static_cast<unsigned long long>(crc));
  return buffer.data();
}

std::string shown_count(std::uint64_t count, std::string_view one, std::string_view many) {
  return std::to_string(count) + " " + std::string(count == 1 ? one : many);
}

std::string left(std::string text, std::size_t columns) {
  const std::size_t used = columns_of(text);
  if (used < columns) text.append(columns - used, ' ');
  return text;
}

std::string right(std::string text, std::size_t columns) {
  const std::size_t used = columns_of(text);
  if (used < columns) text.insert(0, columns - used, ' ');
  return text;
}

}  // namespace stepstore::cli
