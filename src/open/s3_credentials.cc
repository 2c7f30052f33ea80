#include "open/s3_credentials.h"

#include <unistd.h>

#include <mutex>

#include "base/errors.h"
#include "base/fork.h"
#include "http/client.h"
#include "s3/credentials/chain.h"

namespace stepstore {

struct S3CredentialsSlot::State {
  ForkMutex mutex;
  S3Credentials credentials;
};

S3CredentialsSlot::S3CredentialsSlot() : state_(std::make_unique<State>()) {}
S3CredentialsSlot::~S3CredentialsSlot() = default;

namespace {

void check_keys(const S3Credentials& given, const std::string& name) {
  if (!given.access_key_id.empty() && !given.secret_access_key.empty()) return;
  error(ErrorCode::ConfigError, "StorageManager", "", name + " lack the access key or its secret",
        "Pass both.")
      .raise();
}

s3::Credentials signer_of(const S3Credentials& given, std::string source) {
  return {.access_key = given.access_key_id,
          .secret_key = given.secret_access_key,
          .session_token = given.session_token,
          .source = std::move(source),
          .expires_at = given.expires_at};
}

class SlotCredentials final : public s3::CredentialsSource {
 public:
  explicit SlotCredentials(std::shared_ptr<S3CredentialsSlot> slot) : slot_(std::move(slot)) {}

  std::shared_ptr<const s3::Credentials> current(const CallLimits&) override {
    s3::Credentials now = signer_of(slot_->get(), "s3_credentials_slot");
    if (now.access_key.empty()) {
      s3::no_credentials("the s3_credentials_slot is empty",
                         "Set credentials before the first call.");
    }
    return std::make_shared<const s3::Credentials>(std::move(now));
  }
  // Others may have been set meanwhile.
  bool refresh(const s3::Credentials& refused) override {
    return !same_keys(signer_of(slot_->get(), {}), refused);
  }
  std::string describe() const override { return "s3_credentials_slot"; }

 private:
  const std::shared_ptr<S3CredentialsSlot> slot_;
};

}  // namespace

void S3CredentialsSlot::set(S3Credentials credentials) {
  check_keys(credentials, "the credentials for the slot");
  const std::lock_guard lock(state_->mutex);
  state_->credentials = std::move(credentials);
}

S3Credentials S3CredentialsSlot::get() const {
  const std::lock_guard lock(state_->mutex);
  return state_->credentials;
}

std::shared_ptr<s3::CredentialsSource> s3_credentials(const Options& options,
                                                      const CredentialsWish& wish) {
  const bool anonymous = wish.anonymous.value_or(options.s3_anonymous);
  const int ways = (anonymous ? 1 : 0) + (options.s3_credentials ? 1 : 0) +
                   (options.s3_credentials_slot ? 1 : 0);
  if (ways > 1) {
    error(ErrorCode::ConfigError, "StorageManager", "",
          "two of anonymous, s3_credentials and s3_credentials_slot are given", "Pass one of them.")
        .raise();
  }
  if (anonymous) return s3::anonymous_credentials();
  if (options.s3_credentials_slot) {
    return std::make_shared<SlotCredentials>(options.s3_credentials_slot);
  }
  if (options.s3_credentials) {
    check_keys(*options.s3_credentials, "s3_credentials");
    return s3::fixed_credentials(signer_of(*options.s3_credentials, "s3_credentials"));
  }
  // Both keep no connection and start no thread before they are asked.
  auto transport = std::make_shared<http::Client>(wish.network.http, system_clock());
  http::ClientOptions next_door = wish.network.http;
  next_door.proxies = {};
  auto direct = std::make_shared<http::Client>(std::move(next_door), system_clock());
  return s3::default_credentials({.lookup = wish.lookup,
                                  .clock = system_clock(),
                                  .random = system_random(),
                                  .transport = std::move(transport),
                                  .direct = std::move(direct),
                                  .environment = [] { return ::environ; },
                                  .on_aws = wish.on_aws,
                                  .allow_http = wish.network.allow_http},
                                 wish.profile);
}

}  // namespace stepstore
