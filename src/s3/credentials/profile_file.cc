#include "s3/credentials/profile_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/errors.h"

namespace stepstore::s3 {
namespace {

constexpr std::uintmax_t kBytesMax = 1U << 20;
constexpr std::string_view kBlanks = " \t\r\f\v";

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

// The name between the brackets; none: the line is no section. A comment may follow.
std::optional<std::string_view> section_of(std::string_view line) {
  if (!line.starts_with('[')) return std::nullopt;
  const std::size_t end = line.find(']');
  if (end == std::string_view::npos) return std::nullopt;
  return trim(line.substr(1, end - 1));
}

// The name in "profile name"; none: the section is of another kind.
std::optional<std::string> name_after(std::string_view word, std::string_view section) {
  if (!section.starts_with(word)) return std::nullopt;
  const std::string_view rest = section.substr(word.size());
  std::string_view name = trim(rest);
  if (name.empty() || name.size() == rest.size()) return std::nullopt;
  if (name.size() >= 2 && (name.front() == '"' || name.front() == '\'') &&
      name.back() == name.front()) {
    name = name.substr(1, name.size() - 2);
  }
  return std::string(name);
}

std::optional<std::string> profile_of(std::string_view section, ProfileFileKind kind) {
  if (kind == ProfileFileKind::credentials || section == "default") return std::string(section);
  return name_after("profile", section);
}

// A '#' or ';' begins a comment only after a blank: it may be part of a value.
std::string_view without_comment(std::string_view value) {
  for (std::size_t i = 1; i < value.size(); ++i) {
    if ((value[i] == '#' || value[i] == ';') && (value[i - 1] == ' ' || value[i - 1] == '\t')) {
      return trim(value.substr(0, i));
    }
  }
  return value;
}

// `name_of`: under which name a section is kept; none: it is passed over.
template <class NameOf>
Profiles parse_sections(std::string_view text, NameOf name_of) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  Profiles profiles;
  Profile* profile = nullptr;
  std::string block;  // the name of a value that was empty: indented lines below belong to it
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view whole = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::string_view line = trim(whole);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (const auto section = section_of(line)) {
      const std::optional<std::string> name = name_of(*section);
      profile = name ? &profiles[*name] : nullptr;
      block.clear();
      continue;
    }
    const std::size_t equals = line.find('=');
    if (!profile || equals == std::string_view::npos) continue;
    const std::string name = lower(trim(line.substr(0, equals)));
    const std::string_view value = without_comment(trim(line.substr(equals + 1)));
    const bool indented = whole.front() == ' ' || whole.front() == '\t';
    if (indented && !block.empty()) {
      (*profile)[block + '.' + name] = value;
      continue;
    }
    block = value.empty() ? name : std::string();
    (*profile)[name] = value;
  }
  return profiles;
}

}  // namespace

Profiles parse_profiles(std::string_view text, ProfileFileKind kind) {
  return parse_sections(text, [kind](std::string_view name) { return profile_of(name, kind); });
}

Profiles parse_services(std::string_view text) {
  return parse_sections(text, [](std::string_view name) { return name_after("services", name); });
}

std::optional<ProfileFile::Stamp> ProfileFile::stamp_now() const {
  if (path_.empty()) return std::nullopt;
  std::error_code problem;
  Stamp stamp;
  stamp.size = std::filesystem::file_size(path_, problem);
  // What is no file of its own, such as /dev/null or a pipe, has no size to go by.
  if (problem == std::errc::not_supported) {
    stamp.size = 0;
    problem.clear();
  }
  if (!problem) stamp.modified = std::filesystem::last_write_time(path_, problem);
  if (!problem) return stamp;
  if (problem == std::errc::no_such_file_or_directory || problem == std::errc::not_a_directory) {
    return std::nullopt;
  }
  throw ConfigError(error(ErrorCode::ConfigError, "credentials", "",
                          "cannot read " + path_ + ": " + problem.message(),
                          "Make the file readable for this user."));
}

const Profile* ProfileFile::find(std::string_view profile) {
  // The stamp is taken before reading: a change meanwhile is then seen the next time.
  const auto now = stamp_now();
  if (!now) {
    known_.reset();
    return nullptr;
  }
  if (now != known_) {
    if (now->size > kBytesMax) {
      throw ConfigError(error(ErrorCode::ConfigError, "credentials", "",
                              path_ + " is larger than 1 MiB", "Point to a file of profiles."));
    }
    read();
    known_ = now;
  }
  return known(profile);
}

const Profile* ProfileFile::known(std::string_view profile) const {
  if (!known_) return nullptr;
  const auto found = profiles_.find(profile);
  return found == profiles_.end() ? nullptr : &found->second;
}

const Profile* ProfileFile::known_services(std::string_view name) const {
  if (!known_) return nullptr;
  const auto found = services_.find(name);
  return found == services_.end() ? nullptr : &found->second;
}

void ProfileFile::read() {
  std::ifstream file(path_, std::ios::binary);
  std::string text(kBytesMax + 1, '\0');
  errno = 0;
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) {
    const int number = errno;
    throw ConfigError(error(ErrorCode::ConfigError, "credentials", "",
                            "cannot read " + path_ + ": " + std::generic_category().message(number),
                            "Make the file readable for this user."));
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  profiles_ = parse_profiles(text, kind_);
  if (kind_ == ProfileFileKind::config) services_ = parse_services(text);
}

}  // namespace stepstore::s3
