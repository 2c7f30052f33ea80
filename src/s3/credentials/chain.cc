#include "s3/credentials/chain.h"

#include <optional>

#include "base/errors.h"
#include "base/fork.h"
#include "s3/credentials/container.h"
#include "s3/credentials/find_way.h"
#include "s3/credentials/instance.h"
#include "s3/credentials/process.h"
#include "s3/credentials/refreshing.h"
#include "s3/credentials/sts.h"

namespace stepstore::s3 {
namespace {

// Where nobody said that this is an instance of EC2, a service that is not there is no outage.
Credentials look_for_instance(const CredentialsMeans& means, const Way& way,
                              const CallLimits& limits) {
  try {
    return ask_instance(means, way, limits);
  } catch (const StorageManagerError& failed) {
    const ErrorCode code = failed.code();
    const bool silent = code == ErrorCode::Unavailable || code == ErrorCode::Timeout;
    if (way.otherwise.empty() || !silent) throw;
    check_limits(limits, means.clock, "credentials");
    no_credentials(way.otherwise + "; and there is no metadata service of EC2 (" +
                   std::string(failed.message()) + ')');
  }
}

Credentials go(const CredentialsMeans& means, const Way& way, const CallLimits& limits) {
  switch (way.kind) {
    case Way::Kind::keys:
      return way.keys;
    case Way::Kind::role:
      return assume_role(means, way, go(means, way.by.front(), limits), limits);
    case Way::Kind::web_identity:
      return assume_with_web_identity(means, way, limits);
    case Way::Kind::process:
      return run_process(means, way, limits);
    case Way::Kind::container:
      return ask_container(means, way, limits);
    case Way::Kind::instance:
      return look_for_instance(means, way, limits);
  }
  return {};
}

class DefaultCredentials final : public CredentialsSource {
 public:
  DefaultCredentials(CredentialsMeans means, const std::string& profile)
      : means_(std::move(means)),
        named_(!profile.empty()),
        profile_(profile_name(means_.lookup, profile)),
        files_(means_.lookup) {}

  std::shared_ptr<const Credentials> current(const CallLimits& limits) override {
    return source_now()->current(limits);
  }

  bool refresh(const Credentials& refused) override {
    {
      const std::lock_guard lock(mutex_);
      files_.forget();
    }
    try {
      const auto source = source_now();
      if (source->refresh(refused)) return true;
      const std::lock_guard lock(mutex_);
      return way_ && way_->kind == Way::Kind::keys && !same_keys(way_->keys, refused);
    } catch (const StorageManagerError&) {
      return true;  // current() then says what is missing
    }
  }

  std::string describe() const override {
    try {
      const std::lock_guard lock(mutex_);
      return find_way(means_, files_, profile_, named_).source;
    } catch (const StorageManagerError&) {
      return "profile " + profile_;
    }
  }

 private:
  // The same source while variables and files lead the same way.
  std::shared_ptr<CredentialsSource> source_now() {
    const std::lock_guard lock(mutex_);
    Way way = find_way(means_, files_, profile_, named_);
    if (way_ != way) {
      if (way.kind == Way::Kind::keys) {
        source_ = fixed_credentials(way.keys);
      } else {
        // Each look for a metadata service that is not there costs a second.
        const std::chrono::seconds rest(way.kind == Way::Kind::instance ? 60 : 10);
        source_ = std::make_shared<RefreshingCredentials>(
            way.source, [this, way](const CallLimits& limits) { return go(means_, way, limits); },
            means_.clock, rest);
      }
      way_ = std::move(way);
    }
    return source_;
  }

  const CredentialsMeans means_;
  const bool named_;
  const std::string profile_;
  mutable ForkMutex mutex_;
  mutable SharedFiles files_;
  std::optional<Way> way_;
  std::shared_ptr<CredentialsSource> source_;
};

}  // namespace

std::shared_ptr<CredentialsSource> default_credentials(CredentialsMeans means,
                                                       const std::string& profile) {
  return std::make_shared<DefaultCredentials>(std::move(means), profile);
}

}  // namespace stepstore::s3
