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
#include "s3/places.h"
#include "s3/rate.h"
#include "s3/request_maker.h"
#include "s3/rest.h"
#include "s3/retry.h"

namespace stepstore::s3 {

// What all calls of a client share.
struct Means {
  const RetryPolicy& policy;
  http::Transport& transport;
  CredentialsSource& credentials;
  Clock& clock;
  Random& random;
  Places& places;
  RetryBudget& budget;
  Rate& rate;
  ChecksumChoice& checksums;
  const std::string& hidden;  // what no message may repeat, beside credentials
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
    std::shared_ptr<RequestMaker> maker{};  // where it goes
    // What redirections have made of it: regions and hosts in the order of its visits.
    int hops = 0;
    bool lasting = false;  // what answers there is worth remembering
    std::string way{};
    std::string payload_hash{};
    // Another one than the client's, after a refusal of that; and the refusal.
    std::optional<Checksum> checksum{};
    std::optional<StorageManagerError> checksum_refused{};
    Checksum sent_with = Checksum::crc64nvme;
    std::unique_ptr<Rest> rest{};  // of a body that was cut off
    bool begun_anew = false;       // since the rest was none
    std::vector<Attempt> trace{};
    std::optional<StorageManagerError> last{};
    std::chrono::milliseconds wait{0};
  };

  // False: there are none, and every operation has its error.
  bool take_credentials();
  // Waits until the requests may go, where the server has asked to slow down. False: they may not
  // within the limits, and every operation has its error.
  bool take_turn();
  void round();
  std::vector<http::Outcome> exchange();
  // The outcome of one send: finishes the operation, or leaves it pending with a wait.
  bool settle(Pending& pending, http::Outcome outcome);
  bool goes_again(Pending& pending, const Verdict& verdict, Failure failure);
  std::optional<Verdict> verdict_on(const Pending& pending, const http::Outcome& outcome) const;
  // Puts together what came in pieces. A verdict: the pieces are not of one object.
  std::optional<Verdict> take_rest(Pending& pending, http::Outcome& outcome) const;
  // True: it goes again with another checksum, since the server refuses that one's header.
  bool change_checksum(Pending& pending, const Verdict& verdict) const;
  // False: it has failed, since nobody goes there.
  bool move(Pending& pending, const Verdict& verdict);
  std::string clean(std::string text) const;  // without secrets
  void note(Pending& pending, const Verdict& verdict, const http::Outcome& outcome) const;
  bool refresh_credentials();
  // Waits before the next round. False: the caller asked to stop.
  bool wait();
  bool sleep(std::chrono::nanoseconds time);
  bool has_room_for(std::chrono::nanoseconds wait) const;

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
  std::chrono::steady_clock::time_point sent_at_;
  std::optional<bool> refreshed_{};
};

}  // namespace stepstore::s3
