#include "layout/keys.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/errors.h"
#include "base/ulid.h"
#include "layout/percent.h"
#include "model/text.h"

namespace stepstore {
namespace {

constexpr std::string_view kManifestFile = "step.json";
constexpr std::string_view kVersionsFolder = "versions/";
constexpr char kGenerationMark = '~';  // occurs in no encoded id

// A component may not take the place of what stepstore writes beside it.
constexpr std::array<std::string_view, 6> kReservedBeginnings = {
    "step.", "versions", "metadata.", "observation.", "screenshot.", "action."};

constexpr std::array<std::string_view, 4> kReservedNames = {kHtmlName, kScreenshotName, kActionName,
                                                            kMetadataName};

[[noreturn]] void refuse(std::string_view what, std::string_view text, const std::string& message,
                         std::string advice) {
  error(ErrorCode::InvalidArgument, "", is_utf8(text) ? text : "",
        "the " + std::string(what) + " " + message, std::move(advice))
      .raise();
  __builtin_unreachable();
}

void check_text(std::string_view text, std::string_view what) {
  if (!is_utf8(text)) {
    refuse(what, text, "is not valid UTF-8", "Pass UTF-8 text.");
  }
}

std::string bounded(std::string encoded, std::string_view text, std::string_view what,
                    std::size_t bytes_max) {
  if (encoded.size() > bytes_max) {
    refuse(what, text,
           "takes " + std::to_string(encoded.size()) + " bytes when encoded, more than " +
               std::to_string(bytes_max),
           "Use a shorter one; every byte outside A-Z a-z 0-9 . _ - takes three.");
  }
  return encoded;
}

bool is_reserved_beginning(std::string_view name) noexcept {
  return std::any_of(kReservedBeginnings.begin(), kReservedBeginnings.end(),
                     [&](std::string_view beginning) { return name.starts_with(beginning); });
}

std::string encode_name(std::string_view name) {
  return is_reserved_beginning(name) ? percent_encode_first(name) : percent_encode(name);
}

bool is_version_copy(std::string_view file) noexcept {
  const std::size_t dash = file.find('-');
  return dash != std::string_view::npos && dash > 0 && file.ends_with(".json") &&
         file.substr(0, dash).find_first_not_of("0123456789") == std::string_view::npos &&
         is_ulid(file.substr(dash + 1, file.size() - dash - 1 - 5));
}

// The file name without the ULID that unique_file put in.
std::string without_ulid(std::string_view file) {
  const std::size_t last = file.rfind('.');
  if (last == std::string_view::npos) return std::string(file);
  if (is_ulid(file.substr(last + 1))) return std::string(file.substr(0, last));
  const std::size_t before = file.substr(0, last).rfind('.');
  if (before == std::string_view::npos) return std::string(file);
  if (!is_ulid(file.substr(before + 1, last - before - 1))) return std::string(file);
  return std::string(file.substr(0, before)) + std::string(file.substr(last));
}

FileRole role_of(std::string_view location) {
  if (location == kManifestFile) return FileRole::manifest;
  if (location.starts_with(kVersionsFolder)) {
    return is_version_copy(location.substr(kVersionsFolder.size())) ? FileRole::version_copy
                                                                    : FileRole::foreign;
  }
  const std::string plain = without_ulid(location);
  if (legacy_component(plain) || plain == "screenshot.bin") return FileRole::component;
  return decode_component_name(plain) ? FileRole::component : FileRole::foreign;
}

}  // namespace

std::string encode_id(std::string_view id, std::string_view what) {
  if (id.empty()) refuse(what, id, "is empty", "Pass a non-empty id.");
  check_text(id, what);
  return bounded(percent_encode(id), id, what, kEncodedIdBytesMax);
}

std::optional<std::string> decode_id(std::string_view segment) {
  auto id = percent_decode(segment);
  if (!id || id->empty() || !is_utf8(*id) || segment.size() > kEncodedIdBytesMax ||
      percent_encode(*id) != segment) {
    return std::nullopt;
  }
  return id;
}

std::string encode_id_prefix(std::string_view prefix, std::string_view what) {
  // A prefix may end inside a character, so it need not be valid UTF-8.
  return bounded(percent_encode(prefix), prefix, what, kEncodedIdBytesMax);
}

std::string encode_component_name(std::string_view name) {
  constexpr std::string_view kWhat = "component name";
  if (name.empty()) refuse(kWhat, name, "is empty", "Name the component.");
  check_text(name, kWhat);
  if (is_reserved_name(name)) {
    refuse(kWhat, name, "is the name of a part that has an argument of its own",
           "Pass html_content, screenshot_bytes, action_data or metadata instead.");
  }
  return bounded(encode_name(name), name, kWhat, kEncodedNameBytesMax);
}

std::optional<std::string> decode_component_name(std::string_view file) {
  auto name = percent_decode(file);
  if (!name || name->empty() || !is_utf8(*name) || is_reserved_name(*name) ||
      file.size() > kEncodedNameBytesMax || encode_name(*name) != file) {
    return std::nullopt;
  }
  return name;
}

std::string session_folder(std::string_view session_id, std::uint64_t generation) {
  std::string folder = encode_id(session_id, "session_id");
  if (generation > 0) folder += kGenerationMark + std::to_string(generation);
  return folder;
}

std::optional<SessionFolder> parse_session_folder(std::string_view segment) {
  SessionFolder folder;
  const std::size_t mark = segment.find(kGenerationMark);
  if (mark != std::string_view::npos) {
    const std::string_view digits = segment.substr(mark + 1);
    const auto [stop, bad] =
        std::from_chars(digits.data(), digits.data() + digits.size(), folder.generation);
    if (bad != std::errc{} || stop != digits.data() + digits.size() || folder.generation == 0 ||
        digits.front() == '0') {
      return std::nullopt;
    }
  }
  auto id = decode_id(segment.substr(0, mark));
  if (!id) return std::nullopt;
  folder.session_id = *std::move(id);
  return folder;
}

std::string step_folder(std::string_view session_id, std::uint64_t generation,
                        std::string_view step_id) {
  return session_folder(session_id, generation) + "/" + encode_id(step_id, "step_id");
}

std::string generations_prefix(std::string_view session_id) {
  return encode_id(session_id, "session_id") + kGenerationMark;
}

ObjectKey in_folder(std::string_view folder, std::string_view location) {
  std::string key;
  key.reserve(folder.size() + 1 + location.size());
  key.append(folder).append("/").append(location);
  return ObjectKey(std::move(key));
}

ObjectKey manifest_key(std::string_view step_folder) {
  return in_folder(step_folder, kManifestFile);
}

ObjectKey session_root_key(std::string_view session_id) {
  return ObjectKey(std::string(kSystemPrefix) + "sessions/" + encode_id(session_id, "session_id") +
                   ".json");
}

ObjectKey probe_key(std::string_view id, std::string_view name) {
  return ObjectKey(std::string(kSystemPrefix) + "probe/" + std::string(id) + '/' +
                   std::string(name));
}
ObjectKey format_marker_key() { return ObjectKey(std::string(kSystemPrefix) + "format.json"); }

ParsedKey parse_key(std::string_view key) {
  ParsedKey parsed;
  const std::size_t first = key.find('/');
  const std::size_t second = first == std::string_view::npos ? first : key.find('/', first + 1);
  if (second == std::string_view::npos) return parsed;
  parsed.session_segment = key.substr(0, first);
  parsed.step_segment = key.substr(first + 1, second - first - 1);
  parsed.location = key.substr(second + 1);
  if (parse_session_folder(parsed.session_segment) && decode_id(parsed.step_segment)) {
    parsed.role = role_of(parsed.location);
  }
  return parsed;
}

bool is_reserved_name(std::string_view name) noexcept {
  return std::find(kReservedNames.begin(), kReservedNames.end(), name) != kReservedNames.end();
}

std::string plain_file(std::string_view component, std::string_view content_type) {
  if (component == kHtmlName) return "observation.html";
  if (component == kActionName) return "action.json";
  if (component == kMetadataName) return "metadata.json";
  if (component != kScreenshotName) return encode_component_name(component);
  if (content_type == "image/png") return "screenshot.png";
  if (content_type == "image/jpeg") return "screenshot.jpg";
  if (content_type == "image/webp") return "screenshot.webp";
  return "screenshot.bin";
}

std::string unique_file(std::string_view plain, std::string_view ulid) {
  const std::size_t dot = plain.rfind('.');
  const std::string_view stem = plain.substr(0, dot);
  const std::string_view ending = dot == std::string_view::npos ? "" : plain.substr(dot);
  std::string file;
  file.append(stem).append(".").append(ulid).append(ending);
  return file;
}

std::string version_copy_file(std::uint64_t version, std::string_view ulid) {
  std::string file(kVersionsFolder);
  file.append(std::to_string(version)).append("-").append(ulid).append(".json");
  return file;
}

std::optional<std::string_view> legacy_component(std::string_view file) noexcept {
  if (file == "observation.html") return kHtmlName;
  if (file == "action.json") return kActionName;
  if (file == "metadata.json") return kMetadataName;
  if (file == "screenshot.png" || file == "screenshot.jpg" || file == "screenshot.webp") {
    return kScreenshotName;
  }
  return std::nullopt;
}

}  // namespace stepstore
