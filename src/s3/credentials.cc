#include "s3/credentials.h"

#include <array>

#include "base/errors.h"
#include "base/fork.h"
#include "s3/profile_file.h"

namespace stepstore::s3 {
namespace {

constexpr std::string_view kAdvice =
    "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile that has them.";

StorageManagerError missing(std::string message, std::string_view advice = kAdvice) {
  return error(ErrorCode::Unauthenticated, "credentials", "", std::move(message),
               std::string(advice));
}

// Variables that are set to nothing count as not set, as for AWS's tools.
std::optional<std::string> find(const Lookup& lookup, std::string_view variable) {
  auto value = lookup(variable);
  if (value && value->empty()) return std::nullopt;
  return value;
}

std::string value_of(const Profile* profile, std::string_view name) {
  if (!profile) return {};
  const auto found = profile->find(name);
  return found == profile->end() ? std::string() : found->second;
}

std::string shared_file(const Lookup& lookup, std::string_view variable, std::string_view name) {
  std::string home = find(lookup, "HOME").value_or("");
  auto set = find(lookup, variable);
  if (!set) return home.empty() ? std::string() : home + "/.aws/" + std::string(name);
  if (set->starts_with("~/") && !home.empty()) return home + set->substr(1);
  return *std::move(set);
}

std::string profile_name(const Lookup& lookup, std::string_view given) {
  if (!given.empty()) return std::string(given);
  if (auto set = find(lookup, "AWS_PROFILE")) return *std::move(set);
  return find(lookup, "AWS_DEFAULT_PROFILE").value_or("default");
}

ProfileFile credentials_file(const Lookup& lookup) {
  return {shared_file(lookup, "AWS_SHARED_CREDENTIALS_FILE", "credentials"),
          ProfileFileKind::credentials};
}

ProfileFile config_file(const Lookup& lookup) {
  return {shared_file(lookup, "AWS_CONFIG_FILE", "config"), ProfileFileKind::config};
}

class FixedCredentials final : public CredentialsSource {
 public:
  explicit FixedCredentials(Credentials credentials)
      : credentials_(std::make_shared<const Credentials>(std::move(credentials))) {}

  std::shared_ptr<const Credentials> current(const CallLimits&) override {
    if (credentials_->access_key.empty() || credentials_->secret_key.empty()) {
      throw Unauthenticated(missing("the access key or the secret key that was given is empty",
                                    "Give both, or neither."));
    }
    return credentials_;
  }
  bool refresh(const Credentials&) override { return false; }
  std::string describe() const override {
    return credentials_->source.empty() ? "given" : credentials_->source;
  }

 private:
  const std::shared_ptr<const Credentials> credentials_;
};

bool same_keys(const Credentials& a, const Credentials& b) {
  return a.access_key == b.access_key && a.secret_key == b.secret_key &&
         a.session_token == b.session_token;
}

class DefaultCredentials final : public CredentialsSource {
 public:
  DefaultCredentials(Lookup lookup, const std::string& profile)
      : lookup_(std::move(lookup)),
        given_(!profile.empty()),
        profile_(profile_name(lookup_, profile)),
        credentials_file_(credentials_file(lookup_)),
        config_file_(config_file(lookup_)) {}

  std::shared_ptr<const Credentials> current(const CallLimits&) override {
    const std::lock_guard lock(mutex_);
    Credentials now = look_up();
    // The same object while nothing has changed.
    if (!last_ || !same_keys(*last_, now)) {
      last_ = std::make_shared<const Credentials>(std::move(now));
    }
    return last_;
  }

  bool refresh(const Credentials& refused) override {
    const std::lock_guard lock(mutex_);
    credentials_file_.forget();
    config_file_.forget();
    try {
      return !same_keys(look_up(), refused);
    } catch (const StorageManagerError&) {
      return true;  // current() then says what is missing
    }
  }

  std::string describe() const override {
    if (!given_ && find(lookup_, "AWS_ACCESS_KEY_ID")) return "environment";
    return "profile " + profile_;
  }

 private:
  Credentials look_up() {
    if (!given_) {
      if (auto found = from_variables()) return *std::move(found);
    }
    // The file for credentials wins over the one for settings.
    for (ProfileFile* const file : {&credentials_file_, &config_file_}) {
      if (auto found = from_file(*file)) return *std::move(found);
    }
    no_credentials();
  }

  std::optional<Credentials> from_variables() const {
    const auto access = find(lookup_, "AWS_ACCESS_KEY_ID");
    const auto secret = find(lookup_, "AWS_SECRET_ACCESS_KEY");
    if (!access && !secret) return std::nullopt;
    if (!access || !secret) {
      throw Unauthenticated(missing(access
                                        ? "AWS_ACCESS_KEY_ID is set, AWS_SECRET_ACCESS_KEY is not"
                                        : "AWS_SECRET_ACCESS_KEY is set, AWS_ACCESS_KEY_ID is not",
                                    "Set both variables, or neither."));
    }
    return Credentials{.access_key = *access,
                       .secret_key = *secret,
                       .session_token = find(lookup_, "AWS_SESSION_TOKEN").value_or(""),
                       .source = "environment"};
  }

  std::optional<Credentials> from_file(ProfileFile& file) const {
    const Profile* const profile = file.find(profile_);
    Credentials out{.access_key = value_of(profile, "aws_access_key_id"),
                    .secret_key = value_of(profile, "aws_secret_access_key"),
                    .session_token = value_of(profile, "aws_session_token"),
                    .source = "profile " + profile_};
    if (out.access_key.empty() && out.secret_key.empty()) return std::nullopt;
    if (out.access_key.empty() || out.secret_key.empty()) {
      throw Unauthenticated(
          missing("profile '" + profile_ + "' in " + file.path() + " has no " +
                      (out.access_key.empty() ? "aws_access_key_id" : "aws_secret_access_key"),
                  "Complete the profile."));
    }
    return out;
  }

  [[noreturn]] void no_credentials() {
    const Profile* const secrets = credentials_file_.find(profile_);
    const Profile* const settings = config_file_.find(profile_);
    // Ways to credentials that this library does not go by itself.
    constexpr std::array<std::string_view, 6> kOther = {
        "role_arn",       "credential_process",      "sso_session",
        "sso_account_id", "web_identity_token_file", "login_session"};
    for (const std::string_view name : kOther) {
      if (value_of(secrets, name).empty() && value_of(settings, name).empty()) continue;
      throw Unauthenticated(missing(
          "profile '" + profile_ + "' takes its credentials by " + std::string(name) +
              ", which stepstore cannot follow",
          "Let `aws configure export-credentials --format env` set the variables, or hand in "
          "credentials of your own."));
    }
    std::string text = "there are no credentials: ";
    if (!given_) text += "AWS_ACCESS_KEY_ID is not set, and ";
    text += "profile '" + profile_ + "' ";
    text += secrets || settings ? "has no aws_access_key_id" : "does not exist";
    text += places();
    throw Unauthenticated(missing(std::move(text)));
  }

  std::string places() const {
    const std::string& first = credentials_file_.path();
    const std::string& second = config_file_.path();
    if (first.empty() && second.empty()) return " (HOME is not set, so there are no files for it)";
    if (first.empty() || second.empty()) return " in " + first + second;
    return " in " + first + " or " + second;
  }

  const Lookup lookup_;
  const bool given_;
  const std::string profile_;
  ForkMutex mutex_;
  ProfileFile credentials_file_;
  ProfileFile config_file_;
  std::shared_ptr<const Credentials> last_;
};

}  // namespace

std::shared_ptr<CredentialsSource> fixed_credentials(Credentials credentials) {
  return std::make_shared<FixedCredentials>(std::move(credentials));
}

std::shared_ptr<CredentialsSource> default_credentials(Lookup lookup, const std::string& profile) {
  return std::make_shared<DefaultCredentials>(std::move(lookup), profile);
}

std::optional<std::string> profile_value(const Lookup& lookup, std::string_view profile,
                                         std::string_view name) {
  const std::string wanted = profile_name(lookup, profile);
  for (ProfileFile file : {config_file(lookup), credentials_file(lookup)}) {
    const Profile* const found = file.find(wanted);
    if (std::string value = value_of(found, name); !value.empty()) return value;
  }
  return std::nullopt;
}

}  // namespace stepstore::s3
