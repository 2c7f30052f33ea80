#include "open/sources.h"

#include "base/errors.h"
#include "s3/credentials/shared_files.h"

namespace stepstore {

void refuse_setting(std::string message, std::string advice) {
  error(ErrorCode::ConfigError, "StorageManager", "", std::move(message), std::move(advice))
      .raise();
  __builtin_unreachable();
}

Sources::Sources(const StoreUri& uri, const Options& options, const s3::Lookup& lookup)
    : uri_(uri),
      lookup_(lookup),
      profile_(parameter("profile").value_or(options.s3_profile.value_or(""))) {}

Sources::Value Sources::parameter(std::string_view name) const {
  const auto found = uri_.parameters.find(std::string(name));
  return found == uri_.parameters.end() ? Value() : Value(found->second);
}

Sources::Value Sources::variable(Names names) const {
  for (const std::string_view name : names) {
    if (auto value = lookup_(name); value && !value->empty()) return value;
  }
  return std::nullopt;
}

Sources::Value Sources::profile(std::string_view name) const {
  return s3::profile_value(lookup_, profile_, name);
}

Sources::Value Sources::endpoint() const {
  if (s3::ignores_endpoints(lookup_)) return std::nullopt;
  if (auto named = variable({"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"})) return named;
  return s3::profile_endpoint(lookup_, profile_, "s3");
}

std::optional<Setting> Sources::first(std::string_view name, const Value& option,
                                      Names variables) const {
  if (auto value = parameter(name)) return Setting{*value, "the URI's " + std::string(name)};
  if (option && !option->empty()) return Setting{*option, "the argument " + std::string(name)};
  for (const std::string_view each : variables) {
    if (auto value = variable({each})) return Setting{*value, std::string(each)};
  }
  return std::nullopt;
}

std::optional<bool> Sources::flag(std::string_view name) const {
  const Value named = parameter(name);
  if (!named) return std::nullopt;
  if (named != "true" && named != "false") {
    refuse_setting(std::string(name) + " is '" + *named + "'", "It is true or false.");
  }
  return named == "true";
}

}  // namespace stepstore
