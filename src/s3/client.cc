#include "s3/client.h"

#include <atomic>

#include "s3/attempts.h"
#include "s3/places.h"

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
        rate(options.rate) {}
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
                     .clock_offset_s = state_->clock_offset_s},
                    operations, limits);
  return attempts.run();
}

Result<Answer> Client::send_one(const Operation& operation, const CallLimits& limits) {
  return std::move(send({&operation, 1}, limits).front());
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
