// The shared files of AWS's tools: INI with sections as profiles.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace stepstore::s3 {

// Values by their lower-case names; those of a nested block as "s3.addressing_style".
using Profile = std::map<std::string, std::string, std::less<>>;
using Profiles = std::map<std::string, Profile, std::less<>>;

enum class ProfileFileKind : std::uint8_t {
  credentials,  // [work]
  config,       // [profile work], [default]; other sections are no profiles
};

// What is no section, no `name = value` and no comment is passed over, as AWS's tools do.
Profiles parse_profiles(std::string_view text, ProfileFileKind kind);
// The sections [services NAME] of a config file, by their names: where services are.
Profiles parse_services(std::string_view text);

// A file that may be changed by others at any time. Not thread-safe.
class ProfileFile {
 public:
  ProfileFile(std::string path, ProfileFileKind kind) : path_(std::move(path)), kind_(kind) {}

  const std::string& path() const noexcept { return path_; }
  // Reads the file if its size or time has changed. Null: there is no such profile, or no file.
  // Throws ConfigError when the file is there and cannot be read.
  const Profile* find(std::string_view profile);
  // The same as it was read last, without a look at the file.
  const Profile* known(std::string_view profile) const;
  // The section [services NAME]; null: there is none, as in every file for credentials.
  const Profile* known_services(std::string_view name) const;
  // Reads it at the next find(), whatever its size and time.
  void forget() noexcept { known_.reset(); }

 private:
  struct Stamp {
    std::filesystem::file_time_type modified{};
    std::uintmax_t size = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  std::optional<Stamp> stamp_now() const;
  void read();

  std::string path_;
  ProfileFileKind kind_;
  std::optional<Stamp> known_{};
  Profiles profiles_{};
  Profiles services_{};
};

}  // namespace stepstore::s3
