#include "progress.h"

#include <algorithm>
#include <string_view>

#include "text.h"

namespace stepstore::cli {
namespace {

constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr std::size_t kBarColumnsMin = 8;
constexpr std::size_t kBarColumnsMax = 24;

// Takes the room that the figures leave; with too little of it there is none.
std::string bar(std::uint64_t steps, std::uint64_t total, std::size_t room) {
  const std::size_t frame = std::string_view("[] ").size();
  if (total == 0 || room < kBarColumnsMin + frame) return {};
  const std::size_t wide = std::min(kBarColumnsMax, room - frame);
  const std::uint64_t filled = std::min<std::uint64_t>(wide, steps * wide / total);
  return "[" + std::string(filled, '#') + std::string(wide - filled, '.') + "] ";
}

}  // namespace

std::string progress_line(const std::string& verb, std::uint64_t steps, std::uint64_t total,
                          std::uint64_t bytes, double seconds, std::size_t columns) {
  std::string figures = std::to_string(steps);
  if (total > 0) figures += "/" + std::to_string(total);
  figures += " steps  " + shown_size(bytes);
  if (seconds > 0.2) {
    const double rate = static_cast<double>(bytes) / seconds;
    figures += "  " + shown_size(static_cast<std::uint64_t>(rate)) + "/s";
    if (total > steps && steps > 0) {
      const double left_s = seconds * static_cast<double>(total - steps) / double(steps);
      figures += "  " + std::to_string(static_cast<std::uint64_t>(left_s + 1)) + " s left";
    }
  }
  // A line as wide as the terminal would wrap, and could not be taken away any more.
  const std::size_t width = columns > 1 ? columns - 1 : 0;
  std::string line = verb + " ";
  const std::size_t taken = line.size() + figures.size();
  line += bar(steps, total, width > taken ? width - taken : 0) + figures;
  if (line.size() > width) line.resize(width);
  return line;
}

Progress::Progress(Messages& messages, std::string verb, bool shown, std::uint64_t total)
    : messages_(messages),
      verb_(std::move(verb)),
      shown_(shown && messages.is_terminal()),
      total_(total),
      begun_(std::chrono::steady_clock::now()) {
  draw();
}

Progress::~Progress() {
  if (shown_) messages_.status({});
}

void Progress::add(std::uint64_t steps, std::uint64_t bytes) {
  steps_ += steps;
  bytes_ += bytes;
  if (std::chrono::steady_clock::now() - drawn_ >= kRedraw) draw();
}

double Progress::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
}

void Progress::draw() {
  if (!shown_) return;
  drawn_ = std::chrono::steady_clock::now();
  messages_.status(progress_line(verb_, steps_, total_, bytes_, seconds(), messages_.columns()));
}

}  // namespace stepstore::cli
