// One call of the client: sends its operations, judges the answers, waits, and sends again those
// that may yet succeed.
#pragma once

#include <atomic>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "http/transport.h"
#include "s3/client.h"
#include "s3/errors.h"
#include "s3/request_maker.h"
#include "s3/retry.h"

namespace stepstore::s3 {

// What all calls of a client share.
struct Means {
  const RetryPolicy& policy;
  const std::string& region;
  http::Transport& transport;
  CredentialsSource& credentials;
  Clock& clock;
  Random& random;
  RequestMaker& maker;
  RetryBudget& budget;
  // How far the server's clock is ahead of ours, where a refusal has told that it matters.
  std::atomic<std::int64_t>& clock_offset_s;
};

class Attempts {
 public:
  Attempts(Means means, std::span<const Operation> operations, const CallLimits& limits);

  // An outcome per operation, in order. To be called once.
  std::vector<Result<Answer>> run();

 private:
  // An operation that has no outcome yet.
  struct Pending {
    std::size_t index = 0;
    int attempts = 0;
    bool doubt = false;  // a send may have been applied
    bool refreshed = false;
    bool clock_set = false;
    std::string payload_hash{};
    std::vector<Attempt> trace{};
    std::optional<StorageManagerError> last{};
    std::chrono::milliseconds wait{0};
  };

  // False: there are none, and every operation has its error.
  bool take_credentials();
  void round();
  // The outcome of one send: finishes the operation, or leaves it pending with a wait.
  bool settle(Pending& pending, http::Outcome outcome);
  bool goes_again(Pending& pending, const Verdict& verdict, Failure failure);
  std::optional<Verdict> verdict_on(const Operation& operation, const http::Outcome& outcome) const;
  void note(Pending& pending, const Verdict& verdict, const http::Outcome& outcome) const;
  bool refresh_credentials();
  // Waits before the next round. False: the caller asked to stop.
  bool wait();

  void succeed(const Pending& pending, http::Response response);
  void fail(const Pending& pending, const StorageManagerError& why, std::string_view remark = {});
  void fail_all(const StorageManagerError& why);

  const Means means_;
  const std::span<const Operation> operations_;
  const CallLimits& limits_;
  const std::chrono::steady_clock::time_point begun_;
  std::vector<std::optional<Result<Answer>>> outcomes_;
  std::vector<Pending> pending_;
  // Of the round under way.
  std::shared_ptr<const Credentials> used_{};
  std::chrono::sys_seconds signed_at_{};
  std::optional<bool> refreshed_{};
};

}  // namespace stepstore::s3
