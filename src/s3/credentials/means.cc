#include "s3/credentials/means.h"

#include "base/errors.h"

namespace stepstore::s3 {

std::optional<std::string> find_variable(const Lookup& lookup, std::string_view variable) {
  auto value = lookup(variable);
  if (value && value->empty()) return std::nullopt;
  return value;
}

void no_credentials(std::string message, std::string_view advice) {
  if (advice.empty()) {
    advice = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile that has them.";
  }
  error(ErrorCode::Unauthenticated, "credentials", "", std::move(message), std::string(advice))
      .raise();
  __builtin_unreachable();
}

}  // namespace stepstore::s3
