#include "progress.h"

#include <algorithm>

#include "text.h"

namespace stepstore::cli {
namespace {

constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr std::size_t kBarColumns = 24;

std::string bar(std::uint64_t steps, std::uint64_t total) {
  const std::uint64_t filled = std::min<std::uint64_t>(kBarColumns, steps * kBarColumns / total);
  return "[" + std::string(filled, '#') + std::string(kBarColumns - filled, '.') + "] ";
}

}  // namespace

std::string progress_line(const std::string& verb, std::uint64_t steps, std::uint64_t total,
                          std::uint64_t bytes, double seconds, std::size_t columns) {
  std::string line = verb + " ";
  if (total > 0) line += bar(steps, total);
  line += std::to_string(steps);
  if (total > 0) line += "/" + std::to_string(total);
  line += " steps  " + shown_size(bytes);
  if (seconds > 0.2) {
    const double rate = static_cast<double>(bytes) / seconds;
    line += "  " + shown_size(static_cast<std::uint64_t>(rate)) + "/s";
    if (total > steps && steps > 0) {
      const double left_s = seconds * static_cast<double>(total - steps) / double(steps);
      line += "  " + std::to_string(static_cast<std::uint64_t>(left_s + 1)) + " s left";
    }
  }
  // A line as wide as the terminal would wrap, and could not be taken away any more.
  if (line.size() >= columns) line.resize(columns > 1 ? columns - 1 : 0);
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
