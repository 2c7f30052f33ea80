#include "s3/times.h"

#include <spdlog/fmt/fmt.h>

#include <array>
#include <charconv>

namespace stepstore::s3 {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct Parts {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
};

Parts split(std::chrono::sys_seconds time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return {static_cast<int>(date.year()),
          static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()),
          static_cast<int>(clock.hours().count()),
          static_cast<int>(clock.minutes().count()),
          static_cast<int>(clock.seconds().count())};
}

std::optional<std::chrono::sys_seconds> join(const Parts& parts) {
  const std::chrono::year_month_day date(
      std::chrono::year(parts.year), std::chrono::month(parts.month), std::chrono::day(parts.day));
  // 60 is a leap second.
  if (!date.ok() || parts.hour > 23 || parts.minute > 59 || parts.second > 60) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(parts.hour) +
         std::chrono::minutes(parts.minute) + std::chrono::seconds(parts.second);
}

// Takes exactly `size` digits from the front.
template <class Number>
bool take(std::string_view& text, std::size_t size, Number& out) {
  if (text.size() < size) return false;
  for (const char c : text.substr(0, size)) {
    if (c < '0' || c > '9') return false;
  }
  std::from_chars(text.data(), text.data() + size, out);
  text.remove_prefix(size);
  return true;
}

bool take(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

bool take_month(std::string_view& text, unsigned& out) {
  for (std::size_t i = 0; i < kMonths.size(); ++i) {
    if (take(text, kMonths[i])) {
      out = static_cast<unsigned>(i + 1);
      return true;
    }
  }
  return false;
}

}  // namespace

// By hand, since every request has it twice, and format() takes ten times as long.
std::string amz_date(std::chrono::sys_seconds time) {
  const Parts parts = split(time);
  std::string text = "00000000T000000Z";
  const auto put = [&text](std::size_t at, unsigned number) {
    text[at] = static_cast<char>('0' + number / 10 % 10);
    text[at + 1] = static_cast<char>('0' + number % 10);
  };
  put(0, static_cast<unsigned>(parts.year) / 100);
  put(2, static_cast<unsigned>(parts.year) % 100);
  put(4, parts.month);
  put(6, parts.day);
  put(9, static_cast<unsigned>(parts.hour));
  put(11, static_cast<unsigned>(parts.minute));
  put(13, static_cast<unsigned>(parts.second));
  return text;
}

std::string plain_time(std::chrono::sys_seconds time) {
  const Parts parts = split(time);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC", parts.year, parts.month, parts.day,
                     parts.hour, parts.minute, parts.second);
}

std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text) {
  const std::size_t comma = text.find(", ");
  if (comma != 3) return std::nullopt;
  text.remove_prefix(5);
  Parts parts;
  const bool whole = take(text, 2, parts.day) && take(text, " ") && take_month(text, parts.month) &&
                     take(text, " ") && take(text, 4, parts.year) && take(text, " ") &&
                     take(text, 2, parts.hour) && take(text, ":") && take(text, 2, parts.minute) &&
                     take(text, ":") && take(text, 2, parts.second) && text == " GMT";
  return whole ? join(parts) : std::nullopt;
}

std::optional<Timestamp> parse_iso_time(std::string_view text) {
  Parts parts;
  const bool date = take(text, 4, parts.year) && take(text, "-") && take(text, 2, parts.month) &&
                    take(text, "-") && take(text, 2, parts.day) && take(text, "T") &&
                    take(text, 2, parts.hour) && take(text, ":") && take(text, 2, parts.minute) &&
                    take(text, ":") && take(text, 2, parts.second);
  if (!date) return std::nullopt;
  int ms = 0;
  if (take(text, ".")) {
    int unit = 100;
    bool any = false;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
      ms += (text.front() - '0') * unit;
      unit /= 10;
      any = true;
      text.remove_prefix(1);
    }
    if (!any) return std::nullopt;
  }
  if (text != "Z" && text != "+00:00") return std::nullopt;
  const auto seconds = join(parts);
  if (!seconds) return std::nullopt;
  return Timestamp(*seconds) + std::chrono::milliseconds(ms);
}

}  // namespace stepstore::s3
