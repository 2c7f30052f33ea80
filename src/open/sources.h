// Where the settings of an S3 store come from: its URI, then the options, then variables, then the
// profile. The first that is set counts.
#pragma once

#include <chrono>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "open/uri.h"
#include "s3/credentials.h"
#include "stepstore/options.h"

namespace stepstore {

// A setting, and who says so: "the URI's proxy", "HTTPS_PROXY", for messages.
struct Setting {
  std::string value{};
  std::string by{};
};

class Sources {
 public:
  using Value = std::optional<std::string>;
  using Names = std::initializer_list<std::string_view>;

  Sources(const StoreUri& uri, const Options& options, const s3::Lookup& lookup);

  Value parameter(std::string_view name) const;
  Value variable(Names names) const;
  Value profile(std::string_view name) const;
  const std::string& profile_name() const noexcept { return profile_; }
  // Where the service is, as variables and the profile say.
  Value endpoint() const;

  // The same with who says it. `name` is that of the parameter and of the option.
  std::optional<Setting> first(std::string_view name, const Value& option, Names variables) const;
  // "true" or "false" of the URI. Throws ConfigError for anything else.
  std::optional<bool> flag(std::string_view name) const;

 private:
  const StoreUri& uri_;
  const s3::Lookup& lookup_;
  std::string profile_;
};

[[noreturn]] void refuse_setting(std::string message, std::string advice);

}  // namespace stepstore
