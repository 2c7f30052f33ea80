#include "s3/client.h"

#include <algorithm>
#include <atomic>
#include <tuple>

#include "base/errors.h"
#include "s3/attempts.h"
#include "s3/digest.h"
#include "s3/places.h"
#include "s3/request_maker.h"

namespace stepstore::s3 {

struct Client::State {
  ClientOptions options;
  std::shared_ptr<http::Transport> transport;
  std::shared_ptr<CredentialsSource> credentials;
  Clock& clock;
  Random& random;
  Places places;
  RetryBudget budget;
  Rate rate;
  ChecksumChoice checksums;
  std::string hidden;  // what no message may repeat, beside credentials
  std::atomic<std::int64_t> clock_offset_s{0};

  State(ClientOptions from, std::shared_ptr<http::Transport> over,
        std::shared_ptr<CredentialsSource> source, Clock& time, Random& dice)
      : options(std::move(from)),
        transport(std::move(over)),
        credentials(std::move(source)),
        clock(time),
        random(dice),
        places(options),
        budget(options.retry),
        rate(options.rate),
        checksums(options.objects.checksum),
        hidden(options.objects.customer_key.empty() ? "" : base64(options.objects.customer_key)) {}
};

Client::Client(ClientOptions options, std::shared_ptr<http::Transport> transport,
               std::shared_ptr<CredentialsSource> credentials, Clock& clock, Random& random)
    : state_(std::make_unique<State>(std::move(options), std::move(transport),
                                     std::move(credentials), clock, random)) {}

Client::~Client() = default;

std::vector<Result<Answer>> Client::send(std::span<const Operation> operations,
                                         const CallLimits& limits) {
  Attempts attempts({.policy = state_->options.retry,
                     .transport = *state_->transport,
                     .credentials = *state_->credentials,
                     .clock = state_->clock,
                     .random = state_->random,
                     .places = state_->places,
                     .budget = state_->budget,
                     .rate = state_->rate,
                     .checksums = state_->checksums,
                     .hidden = state_->hidden,
                     .clock_offset_s = state_->clock_offset_s},
                    operations, limits);
  return attempts.run();
}

Result<Answer> Client::send_one(const Operation& operation, const CallLimits& limits) {
  return std::move(send({&operation, 1}, limits).front());
}

Link Client::link(const Operation& operation, std::chrono::seconds lifetime,
                  const CallLimits& limits) {
  const auto credentials = state_->credentials->current(limits);
  if (credentials->anonymous) {
    error(ErrorCode::Unauthenticated, "presign", operation.key,
          "nobody signs requests here, and a link is a signature",
          "Give credentials, and leave out anonymous.")
        .raise();
  }
  const auto now = std::chrono::floor<std::chrono::seconds>(state_->clock.now()) +
                   std::chrono::seconds(state_->clock_offset_s.load());
  Link out;
  // A lifetime that S3 does not take is told as such, however long the credentials live.
  if (credentials->expires_at && lifetime <= kLinkLifetimeMax &&
      *credentials->expires_at < now + lifetime) {
    const auto left = std::chrono::floor<std::chrono::seconds>(*credentials->expires_at - now);
    lifetime = std::max(left, std::chrono::seconds(1));
    out.cut_short = true;
  }
  out.may_end_before = !credentials->session_token.empty() && !credentials->expires_at;
  std::tie(out.url, out.headers) =
      state_->places.current()->link(operation, *credentials, now, lifetime);
  out.expires_at = now + lifetime;
  return out;
}

std::unique_ptr<Client> Client::beside(ClientOptions options,
                                       std::shared_ptr<CredentialsSource> credentials) const {
  return std::make_unique<Client>(std::move(options), state_->transport, std::move(credentials),
                                  state_->clock, state_->random);
}

const ClientOptions& Client::options() const noexcept { return state_->options; }

const std::shared_ptr<CredentialsSource>& Client::credentials() const noexcept {
  return state_->credentials;
}

}  // namespace stepstore::s3
