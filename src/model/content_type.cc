#include "model/content_type.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <utility>

namespace stepstore {
namespace {

using namespace std::string_view_literals;

// What recorders of browser sessions are known to keep beside the usual three.
constexpr std::array<std::pair<std::string_view, std::string_view>, 22> kByEnding = {{
    {"avif"sv, "image/avif"sv},
    {"css"sv, "text/css"sv},
    {"csv"sv, "text/csv"sv},
    {"gif"sv, "image/gif"sv},
    {"har"sv, "application/json"sv},
    {"htm"sv, kHtml},
    {"html"sv, kHtml},
    {"jpeg"sv, "image/jpeg"sv},
    {"jpg"sv, "image/jpeg"sv},
    {"js"sv, "text/javascript"sv},
    {"json"sv, kJson},
    {"jsonl"sv, "application/jsonl"sv},
    {"log"sv, "text/plain"sv},
    {"md"sv, "text/markdown"sv},
    {"mhtml"sv, "multipart/related"sv},
    {"mp4"sv, "video/mp4"sv},
    {"pdf"sv, "application/pdf"sv},
    {"png"sv, "image/png"sv},
    {"svg"sv, "image/svg+xml"sv},
    {"txt"sv, "text/plain"sv},
    {"webp"sv, "image/webp"sv},
    {"zip"sv, "application/zip"sv},
}};

}  // namespace

std::string_view sniff_image(BytesView bytes) noexcept {
  const std::string_view text = bytes.text();
  if (text.starts_with("\x89PNG\r\n\x1a\n"sv)) return "image/png";
  if (text.starts_with("\xff\xd8\xff"sv)) return "image/jpeg";
  if (text.starts_with("RIFF"sv) && text.size() >= 12 && text.substr(8, 4) == "WEBP"sv) {
    return "image/webp";
  }
  return kUnknownType;
}

std::string_view content_type_of(std::string_view file_name) noexcept {
  const std::size_t dot = file_name.rfind('.');
  if (dot == std::string_view::npos) return kUnknownType;
  const std::string_view ending = file_name.substr(dot + 1);
  const auto same = [&](const auto& row) {
    return std::equal(
        row.first.begin(), row.first.end(), ending.begin(), ending.end(),
        [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); });
  };
  const auto* const found = std::find_if(kByEnding.begin(), kByEnding.end(), same);
  return found == kByEnding.end() ? kUnknownType : found->second;
}

}  // namespace stepstore
