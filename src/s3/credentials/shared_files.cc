#include "s3/credentials/shared_files.h"

#include "s3/credentials/means.h"

namespace stepstore::s3 {
namespace {

std::string shared_file(const Lookup& lookup, std::string_view variable, std::string_view name) {
  const std::string home = find_variable(lookup, "HOME").value_or("");
  auto set = find_variable(lookup, variable);
  if (!set) return home.empty() ? std::string() : home + "/.aws/" + std::string(name);
  if (set->starts_with("~/") && !home.empty()) return home + set->substr(1);
  return *std::move(set);
}

ProfileFile secrets_file(const Lookup& lookup) {
  return {shared_file(lookup, "AWS_SHARED_CREDENTIALS_FILE", "credentials"),
          ProfileFileKind::credentials};
}

ProfileFile settings_file(const Lookup& lookup) {
  return {shared_file(lookup, "AWS_CONFIG_FILE", "config"), ProfileFileKind::config};
}

std::string value_of(const Profile* profile, std::string_view name) {
  if (!profile) return {};
  const auto found = profile->find(name);
  return found == profile->end() ? std::string() : found->second;
}

bool is_true(std::string_view text) { return text == "true" || text == "True" || text == "TRUE"; }

}  // namespace

SharedFiles::SharedFiles(const Lookup& lookup)
    : secrets_(secrets_file(lookup)), settings_(settings_file(lookup)) {}

void SharedFiles::look() {
  (void)secrets_.find({});
  (void)settings_.find({});
}

bool SharedFiles::has(std::string_view profile) const {
  return secrets_.known(profile) != nullptr || settings_.known(profile) != nullptr;
}

std::string SharedFiles::value(std::string_view profile, std::string_view name) const {
  std::string found = value_of(secrets_.known(profile), name);
  return found.empty() ? value_of(settings_.known(profile), name) : found;
}

std::string SharedFiles::endpoint(std::string_view profile, std::string_view service) const {
  if (is_true(value(profile, "ignore_configured_endpoint_urls"))) return {};
  const std::string name = std::string(service) + ".endpoint_url";
  if (const std::string services = value(profile, "services"); !services.empty()) {
    std::string url = value_of(settings_.known_services(services), name);
    if (!url.empty()) return url;
  }
  std::string url = value(profile, name);
  return url.empty() ? value(profile, "endpoint_url") : url;
}

std::optional<Credentials> SharedFiles::keys(std::string_view profile, ProfileFileKind in) const {
  const ProfileFile& file = in == ProfileFileKind::credentials ? secrets_ : settings_;
  const Profile* const found = file.known(profile);
  Credentials out{.access_key = value_of(found, "aws_access_key_id"),
                  .secret_key = value_of(found, "aws_secret_access_key"),
                  .session_token = value_of(found, "aws_session_token"),
                  .source = "profile " + std::string(profile)};
  if (out.access_key.empty() && out.secret_key.empty()) return std::nullopt;
  if (out.access_key.empty() || out.secret_key.empty()) {
    no_credentials("profile '" + std::string(profile) + "' in " + file.path() + " has no " +
                       (out.access_key.empty() ? "aws_access_key_id" : "aws_secret_access_key"),
                   "Complete the profile.");
  }
  return out;
}

void SharedFiles::forget() noexcept {
  secrets_.forget();
  settings_.forget();
}

std::string SharedFiles::places() const {
  const std::string& first = secrets_.path();
  const std::string& second = settings_.path();
  if (first.empty() && second.empty()) return " (HOME is not set, so there are no files for it)";
  if (first.empty() || second.empty()) return " in " + first + second;
  return " in " + first + " or " + second;
}

std::string profile_name(const Lookup& lookup, std::string_view given) {
  if (!given.empty()) return std::string(given);
  if (auto set = find_variable(lookup, "AWS_PROFILE")) return *std::move(set);
  return find_variable(lookup, "AWS_DEFAULT_PROFILE").value_or("default");
}

std::optional<std::string> profile_value(const Lookup& lookup, std::string_view profile,
                                         std::string_view name) {
  const std::string wanted = profile_name(lookup, profile);
  for (ProfileFile file : {settings_file(lookup), secrets_file(lookup)}) {
    if (std::string value = value_of(file.find(wanted), name); !value.empty()) return value;
  }
  return std::nullopt;
}

std::optional<std::string> profile_endpoint(const Lookup& lookup, std::string_view profile,
                                            std::string_view service) {
  SharedFiles files(lookup);
  files.look();
  std::string url = files.endpoint(profile_name(lookup, profile), service);
  return url.empty() ? std::nullopt : std::optional(std::move(url));
}

bool ignores_endpoints(const Lookup& lookup) {
  return is_true(find_variable(lookup, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").value_or(""));
}

}  // namespace stepstore::s3
