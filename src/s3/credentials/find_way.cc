#include "s3/credentials/find_way.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <vector>

namespace stepstore::s3 {
namespace {

using Kind = Way::Kind;

constexpr std::string_view kExport =
    "Let `aws configure export-credentials --format env` set the variables, name it as a profile's "
    "credential_process, or hand in credentials= in Python, which botocore can give.";
constexpr std::array<std::string_view, 4> kSignOn = {"sso_session", "sso_account_id",
                                                     "sso_start_url", "login_session"};

std::string named_profile(std::string_view profile) {
  return "profile '" + std::string(profile) + "'";
}

class Finder {
 public:
  Finder(const CredentialsMeans& means, SharedFiles& files, std::string profile, bool named)
      : means_(means), files_(files), profile_(std::move(profile)), named_(named) {}

  Way find() {
    if (auto way = named_ ? std::nullopt : keys_in_variables()) return *std::move(way);
    files_.look();
    if (auto way = role_of(profile_)) return *std::move(way);
    if (auto way = named_ ? std::nullopt : web_identity_in_variables()) return *std::move(way);
    refuse_sign_on(profile_);
    if (auto way = keys_of(profile_, ProfileFileKind::credentials)) return *std::move(way);
    if (auto way = process_of(profile_)) return *std::move(way);
    if (auto way = keys_of(profile_, ProfileFileKind::config)) return *std::move(way);
    // Who has named a profile that is not there meant no other identity.
    const bool asked_for = named_ || find_variable(means_.lookup, "AWS_PROFILE") ||
                           find_variable(means_.lookup, "AWS_DEFAULT_PROFILE");
    if (!asked_for || files_.has(profile_)) {
      if (auto way = container()) return *std::move(way);
      if (means_.on_aws && !instance_is_off()) {
        Way way = instance();
        way.otherwise = nothing_found();
        return way;
      }
    }
    no_credentials(nothing_found());
  }

 private:
  std::string value(std::string_view profile, std::string_view name) {
    return files_.value(profile, name);
  }
  std::optional<std::string> variable(std::string_view name) const {
    return find_variable(means_.lookup, name);
  }

  std::optional<Way> keys_in_variables() const {
    const auto access = variable("AWS_ACCESS_KEY_ID");
    const auto secret = variable("AWS_SECRET_ACCESS_KEY");
    if (!access && !secret) return std::nullopt;
    if (!access || !secret) {
      no_credentials(access ? "AWS_ACCESS_KEY_ID is set, AWS_SECRET_ACCESS_KEY is not"
                            : "AWS_SECRET_ACCESS_KEY is set, AWS_ACCESS_KEY_ID is not",
                     "Set both variables, or neither.");
    }
    return Way{.source = "environment",
               .keys = {.access_key = *access,
                        .secret_key = *secret,
                        .session_token = variable("AWS_SESSION_TOKEN").value_or(""),
                        .source = "environment"}};
  }

  std::optional<Way> keys_of(const std::string& profile, ProfileFileKind in) {
    auto keys = files_.keys(profile, in);
    if (!keys) return std::nullopt;
    return Way{.source = keys->source, .keys = *std::move(keys)};
  }

  std::optional<Way> process_of(const std::string& profile) {
    std::string command = value(profile, "credential_process");
    if (command.empty()) return std::nullopt;
    return Way{.kind = Kind::process,
               .source = "credential_process of profile " + profile,
               .command = std::move(command)};
  }

  std::optional<Way> role_of(const std::string& profile) {
    const std::string arn = value(profile, "role_arn");
    if (arn.empty()) return std::nullopt;
    Way way{.kind = Kind::role,
            .source = "role of profile " + profile,
            .role = {.arn = arn,
                     .session_name = value(profile, "role_session_name"),
                     .external_id = value(profile, "external_id"),
                     .duration = duration_of(profile),
                     .sts = sts_for(profile)}};
    if (std::string file = value(profile, "web_identity_token_file"); !file.empty()) {
      way.kind = Kind::web_identity;
      way.token_file = std::move(file);
      return way;
    }
    if (!value(profile, "mfa_serial").empty()) {
      no_credentials(named_profile(profile) +
                         " wants a code of an MFA device (mfa_serial), which nobody "
                         "can be asked for here",
                     kExport);
    }
    way.by.push_back(who_assumes(profile));
    return way;
  }

  // Whose credentials the role of a profile is assumed with.
  Way who_assumes(const std::string& profile) {
    const std::string source = value(profile, "source_profile");
    const std::string place = value(profile, "credential_source");
    if (source.empty() == place.empty()) {
      no_credentials(named_profile(profile) + " has a role_arn, and " +
                         (source.empty() ? "neither source_profile nor credential_source"
                                         : "both source_profile and credential_source"),
                     "Give it one of them.");
    }
    if (source.empty()) return from_place(profile, place);
    passed_.push_back(profile);
    // A profile may name itself when it has keys, too.
    if (auto way = keys_of(source, ProfileFileKind::credentials)) return *std::move(way);
    if (auto way = keys_of(source, ProfileFileKind::config)) return *std::move(way);
    if (std::ranges::find(passed_, source) != passed_.end()) {
      no_credentials("the profiles name each other in a circle: " + named_profile(profile) +
                         " has the source_profile '" + source + "'",
                     "Let the last of them have keys of its own.");
    }
    if (auto way = role_of(source)) return *std::move(way);
    refuse_sign_on(source);
    if (auto way = process_of(source)) return *std::move(way);
    no_credentials("the source_profile '" + source + "' of " + named_profile(profile) +
                       (files_.has(source) ? " has no credentials" : " does not exist") +
                       files_.places(),
                   "Give it keys, a role or a credential_process.");
  }

  Way from_place(const std::string& profile, const std::string& place) {
    if (place == "Environment") {
      if (auto way = keys_in_variables()) return *std::move(way);
      no_credentials(named_profile(profile) +
                     " has the credential_source Environment, and AWS_ACCESS_KEY_ID is not set");
    }
    if (place == "EcsContainer") {
      if (auto way = container()) return *std::move(way);
      no_credentials(named_profile(profile) +
                         " has the credential_source EcsContainer, and "
                         "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not set",
                     "This is no container of ECS or EKS.");
    }
    if (place == "Ec2InstanceMetadata") {
      if (!instance_is_off()) return instance();
      no_credentials(named_profile(profile) +
                         " has the credential_source Ec2InstanceMetadata, and "
                         "AWS_EC2_METADATA_DISABLED is true",
                     "Unset the variable.");
    }
    no_credentials(named_profile(profile) + " has an unknown credential_source",
                   "It is Environment, EcsContainer or Ec2InstanceMetadata.");
  }

  std::optional<Way> web_identity_in_variables() {
    const auto file = variable("AWS_WEB_IDENTITY_TOKEN_FILE");
    if (!file) return std::nullopt;
    const auto arn = variable("AWS_ROLE_ARN");
    if (!arn) {
      no_credentials("AWS_WEB_IDENTITY_TOKEN_FILE is set, AWS_ROLE_ARN is not",
                     "Set both variables, or neither.");
    }
    return Way{.kind = Kind::web_identity,
               .source = "web identity",
               .role = {.arn = *arn,
                        .session_name = variable("AWS_ROLE_SESSION_NAME").value_or(""),
                        .sts = sts_for(profile_)},
               .token_file = *file};
  }

  std::optional<Way> container() const {
    const auto relative = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const auto full = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (!relative && !full) return std::nullopt;
    return Way{.kind = Kind::container,
               .source = "container",
               .token_file = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE").value_or(""),
               .token = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN").value_or(""),
               .url = relative ? "http://169.254.170.2" + *relative : *full};
  }

  bool instance_is_off() const {
    const std::string off = variable("AWS_EC2_METADATA_DISABLED").value_or("");
    return off == "true" || off == "True" || off == "TRUE";
  }

  Way instance() const {
    const std::string mode = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE").value_or("");
    const bool six = mode == "IPv6" || mode == "ipv6";
    return Way{.kind = Kind::instance,
               .source = "instance role",
               .url = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT")
                          .value_or(six ? "http://[fd00:ec2::254]" : "http://169.254.169.254")};
  }

  StsPlace sts_for(const std::string& profile) {
    StsPlace place{.region = variable("AWS_REGION").value_or("")};
    if (place.region.empty()) place.region = variable("AWS_DEFAULT_REGION").value_or("");
    if (place.region.empty()) place.region = value(profile, "region");
    if (place.region.empty()) place.region = "us-east-1";
    if (!ignores_endpoints(means_.lookup)) {
      place.endpoint = variable("AWS_ENDPOINT_URL_STS").value_or("");
      if (place.endpoint.empty()) place.endpoint = variable("AWS_ENDPOINT_URL").value_or("");
      if (place.endpoint.empty()) place.endpoint = files_.endpoint(profile, "sts");
    }
    if (place.endpoint.empty()) {
      place.endpoint = "https://sts." + place.region + ".amazonaws.com";
      if (place.region.starts_with("cn-")) place.endpoint += ".cn";
    }
    return place;
  }

  std::chrono::seconds duration_of(const std::string& profile) {
    const std::string text = value(profile, "duration_seconds");
    if (text.empty()) return std::chrono::seconds(0);
    int seconds = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, failed] = std::from_chars(text.data(), end, seconds);
    if (failed != std::errc() || stop != end || seconds < 900 || seconds > 43'200) {
      no_credentials(
          "duration_seconds of " + named_profile(profile) + " is no number from 900 to 43200",
          "Mend the profile.");
    }
    return std::chrono::seconds(seconds);
  }

  void refuse_sign_on(const std::string& profile) {
    for (const std::string_view name : kSignOn) {
      if (value(profile, name).empty()) continue;
      no_credentials(named_profile(profile) + " takes its credentials by " + std::string(name) +
                         ", which stepstore cannot follow",
                     kExport);
    }
  }

  std::string nothing_found() {
    std::string text = "there are no credentials: ";
    if (!named_) text += "AWS_ACCESS_KEY_ID is not set, and ";
    text += named_profile(profile_);
    const bool there = files_.has(profile_);
    text += there ? " has no aws_access_key_id" : " does not exist";
    text += files_.places();
    if (means_.on_aws && instance_is_off()) text += "; AWS_EC2_METADATA_DISABLED is true";
    return text;
  }

  const CredentialsMeans& means_;
  SharedFiles& files_;
  const std::string profile_;
  const bool named_;
  std::vector<std::string> passed_{};  // profiles on the way, to notice a circle
};

}  // namespace

Way find_way(const CredentialsMeans& means, SharedFiles& files, const std::string& profile,
             bool named) {
  return Finder(means, files, profile, named).find();
}

}  // namespace stepstore::s3
