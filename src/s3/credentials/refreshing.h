// Credentials that expire, kept and fetched anew in time.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/fork.h"
#include "base/single_flight.h"
#include "s3/credentials.h"

namespace stepstore::s3 {

// One thread at a time fetches, some minutes ahead of the end, while the others go on with what
// they have. Once they have expired, the others wait, each within its own limits. A fetch that
// fails keeps what is still valid; a failure is remembered for some seconds, so that an outage does
// not become a storm of requests. Thread-safe, usable after fork() in the child.
class RefreshingCredentials final : public CredentialsSource {
 public:
  using Fetch = std::function<Credentials(const CallLimits&)>;

  // `rest`: so long after a failure nothing is fetched.
  RefreshingCredentials(std::string name, Fetch fetch, Clock& clock,
                        std::chrono::seconds rest = std::chrono::seconds(10))
      : name_(std::move(name)), fetch_(std::move(fetch)), clock_(clock), rest_(rest) {}

  std::shared_ptr<const Credentials> current(const CallLimits& limits) override;
  bool refresh(const Credentials& refused) override;
  std::string describe() const override { return name_; }

 private:
  using Steady = std::chrono::steady_clock::time_point;

  struct State {
    std::shared_ptr<const Credentials> held{};
    Steady fetched_at{};
    Timestamp due_at = Timestamp::max();
    bool refused = false;  // the server takes them no more
    std::optional<StorageManagerError> failure{};
    Steady rests_until = Steady::min();  // no fetch before, since one has failed
  };

  State state() const;
  bool is_usable(const State& state) const;
  bool is_due(const State& state) const;
  std::shared_ptr<const Credentials> fetch(const CallLimits& limits, bool usable);
  void keep(Credentials fetched);
  void remember(const StorageManagerError& failure, bool usable);

  const std::string name_;
  const Fetch fetch_;
  Clock& clock_;
  const std::chrono::seconds rest_;
  SingleFlight flight_;
  mutable ForkMutex mutex_;
  State state_;
};

}  // namespace stepstore::s3
