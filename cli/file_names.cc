#include "file_names.h"

#include <algorithm>
#include <array>
#include <optional>

namespace stepstore::cli {
namespace {

constexpr std::string_view kHex = "0123456789ABCDEF";

// The best one first.
constexpr std::array<std::string_view, 5> kScreenshots = {
    "screenshot.png", "screenshot.webp", "screenshot.jpg", "screenshot.jpeg", "screenshot.bin"};

bool is_plain(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

void append_encoded(std::string& out, char c) {
  const auto byte = static_cast<unsigned char>(c);
  out += '%';
  out += kHex[byte >> 4U];
  out += kHex[byte & 15U];
}

std::string encoded(std::string_view text, bool first_too) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool first = i == 0 && (first_too || text[0] == '.');
    if (is_plain(text[i]) && !first) {
      out += text[i];
    } else {
      append_encoded(out, text[i]);
    }
  }
  return out;
}

std::optional<std::string> decoded(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] != '%') {
      out += name[i];
      continue;
    }
    if (i + 2 >= name.size()) return std::nullopt;
    const std::size_t high = kHex.find(name[i + 1]);
    const std::size_t low = kHex.find(name[i + 2]);
    if (high == kHex.npos || low == kHex.npos) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

bool is_reserved(std::string_view component) {
  constexpr std::array<std::string_view, 6> kBeginnings = {
      "step.", "versions", "metadata.json", "observation.", "screenshot.", "action."};
  return std::ranges::any_of(
      kBeginnings, [&](std::string_view beginning) { return component.starts_with(beginning); });
}

}  // namespace

std::string folder_name(std::string_view id) { return encoded(id, false); }

std::string id_of_folder(std::string_view name) {
  const auto id = decoded(name);
  return id && folder_name(*id) == name ? *id : std::string(name);
}

std::string component_file_name(std::string_view component) {
  return encoded(component, is_reserved(component));
}

std::string component_of_file(std::string_view name) {
  const auto component = decoded(name);
  return component && component_file_name(*component) == name ? *component : std::string(name);
}

FileRole role_of_file(std::string_view name) {
  if (name == "observation.html") return FileRole::html;
  if (name == "action.json") return FileRole::action;
  if (name == "metadata.json") return FileRole::metadata;
  return screenshot_rank(name) < kScreenshots.size() ? FileRole::screenshot : FileRole::component;
}

std::size_t screenshot_rank(std::string_view name) {
  return static_cast<std::size_t>(std::ranges::find(kScreenshots, name) - kScreenshots.begin());
}

}  // namespace stepstore::cli
