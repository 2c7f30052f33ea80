#include "s3/credentials.h"

#include "base/errors.h"

namespace stepstore::s3 {
namespace {

class FixedCredentials final : public CredentialsSource {
 public:
  explicit FixedCredentials(Credentials credentials)
      : credentials_(std::make_shared<const Credentials>(std::move(credentials))) {}

  std::shared_ptr<const Credentials> current(const CallLimits&) override {
    const bool whole = !credentials_->access_key.empty() && !credentials_->secret_key.empty();
    if (!whole && !credentials_->anonymous) {
      error(ErrorCode::Unauthenticated, "credentials", "",
            "the access key or the secret key that was given is empty", "Give both, or neither.")
          .raise();
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

}  // namespace

bool same_keys(const Credentials& a, const Credentials& b) {
  return a.access_key == b.access_key && a.secret_key == b.secret_key &&
         a.session_token == b.session_token;
}

std::shared_ptr<CredentialsSource> fixed_credentials(Credentials credentials) {
  return std::make_shared<FixedCredentials>(std::move(credentials));
}

std::shared_ptr<CredentialsSource> anonymous_credentials() {
  return fixed_credentials({.source = "anonymous", .anonymous = true});
}

}  // namespace stepstore::s3
