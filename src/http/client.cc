#include "http/client.h"

#include <poll.h>

#include <algorithm>
#include <mutex>
#include <span>

#include "base/errors.h"
#include "http/flight.h"
#include "http/pool.h"
#include "http/resolver.h"
#include "http/tls_context.h"
#include "http/waiter.h"

namespace stepstore::http {

struct Client::State {
  State(ClientOptions given, Clock& the_clock)
      : options(std::move(given)),
        clock(the_clock),
        resolver(the_clock, options.addresses),
        pool(the_clock, options.idle_max, options.idle_connections_max) {}

  // Certificates are read when they are first needed: it costs milliseconds. A failure is kept,
  // since an exception that leaves call_once() is more than some platforms bear.
  TlsContext& tls_context() {
    std::call_once(tls_once, [this] {
      try {
        tls.emplace(options.ca_file, options.verify_certificates);
      } catch (const StorageManagerError& failed) {
        tls_failed = failed;
      }
    });
    if (!tls) tls_failed->raise();
    return *tls;
  }

  std::vector<Address> addresses(const Endpoint& endpoint, const Proxy* proxy,
                                 const CallLimits& limits) {
    if (proxy == nullptr) return resolver.lookup(endpoint, limits);
    try {
      return resolver.lookup(proxy->endpoint, limits);
    } catch (const Unavailable& unknown) {
      told_of(*proxy, unknown).raise();
    }
  }

  const ClientOptions options;
  Clock& clock;
  Resolver resolver;
  Pool pool;
  std::once_flag tls_once;
  std::optional<TlsContext> tls;
  std::optional<StorageManagerError> tls_failed;
};

namespace {

// The requests of one call.
class Exchange {
 public:
  Exchange(Airport airport, std::span<const Sending> requests, const CallLimits& limits)
      : airport_(airport), requests_(requests), waiter_(limits, airport.clock) {
    outcomes_.resize(requests.size());
    flights_.reserve(std::min(requests.size(), airport.options.in_flight_max));
  }

  std::vector<Outcome> run() {
    try {
      while (next_ < requests_.size() || !flights_.empty()) {
        start();
        if (!flights_.empty()) wait();
      }
    } catch (const StorageManagerError& ended) {
      for (auto& [index, flight] : flights_) {
        flight->abandon(ended);
        outcomes_[index] = flight->take();
      }
      for (; next_ < requests_.size(); ++next_) outcomes_[next_] = not_begun(ended);
    }
    std::vector<Outcome> told;
    told.reserve(outcomes_.size());
    for (auto& outcome : outcomes_) told.push_back(*std::move(outcome));
    return told;
  }

 private:
  struct Under {
    std::size_t index;
    std::unique_ptr<Flight> flight;
  };

  Outcome not_begun(const StorageManagerError& why) const {
    return {.response = told_as(why, "exchange", airport_.endpoint.text())};
  }

  void start() {
    while (next_ < requests_.size() &&
           flights_.size() < std::max<std::size_t>(1, airport_.options.in_flight_max)) {
      const std::size_t index = next_++;
      try {
        flights_.push_back({index, std::make_unique<Flight>(airport_, requests_[index])});
      } catch (const StorageManagerError& failed) {  // no socket to be had
        outcomes_[index] = not_begun(failed);
        continue;
      }
      (void)advance(flights_.size() - 1, false);
    }
  }

  // True: it has landed, and another one is in its place.
  bool advance(std::size_t i, bool ready) {
    Flight& flight = *flights_[i].flight;
    flight.advance(ready);
    if (!flight.landed()) return false;
    outcomes_[flights_[i].index] = flight.take();
    flights_[i] = std::move(flights_.back());
    flights_.pop_back();
    return true;
  }

  void wait() {
    polls_.clear();
    firsts_.clear();
    auto until = std::chrono::steady_clock::time_point::max();
    for (const Under& each : flights_) {
      firsts_.push_back(polls_.size());
      each.flight->listen(polls_);
      until = std::min(until, each.flight->until());
    }
    waiter_.wait(polls_, until);
    const auto now = airport_.clock.steady_now();
    firsts_.push_back(polls_.size());
    // From the end, since advance() puts the last one into the place of one that has landed.
    for (std::size_t i = flights_.size(); i-- > 0;) {
      const std::span mine(polls_.begin() + firsts_[i], polls_.begin() + firsts_[i + 1]);
      const bool ready = std::ranges::any_of(mine, [](const pollfd& p) { return p.revents != 0; });
      if (ready || flights_[i].flight->until() <= now) (void)advance(i, ready);
    }
  }

  Airport airport_;
  std::span<const Sending> requests_;
  Waiter waiter_;
  std::size_t next_ = 0;
  std::vector<Under> flights_;
  std::vector<pollfd> polls_;
  std::vector<std::ptrdiff_t> firsts_;  // where each flight's begin
  std::vector<std::optional<Outcome>> outcomes_;
};

}  // namespace

Client::Client(ClientOptions options, Clock& clock)
    : state_(std::make_unique<State>(std::move(options), clock)) {}
Client::~Client() = default;

std::vector<Outcome> Client::exchange(const Endpoint& endpoint, std::span<const Sending> requests,
                                      const CallLimits& limits) {
  if (requests.empty()) return {};
  std::vector<Address> addresses;
  TlsContext* tls = nullptr;
  const Proxy* proxy = nullptr;
  try {
    check_limits(limits, state_->clock, "exchange");
    proxy = state_->options.proxies.on_the_way_to(endpoint);
    addresses = state_->addresses(endpoint, proxy, limits);
    if (endpoint.tls) tls = &state_->tls_context();
  } catch (const StorageManagerError& failed) {
    return std::vector<Outcome>(requests.size(),
                                Outcome{.response = told_as(failed, "connect", endpoint.text()),
                                        .by_proxy = proxy != nullptr});
  }
  return Exchange({.options = state_->options,
                   .clock = state_->clock,
                   .pool = state_->pool,
                   .resolver = state_->resolver,
                   .tls = tls,
                   .endpoint = endpoint,
                   .proxy = proxy,
                   .addresses = addresses},
                  requests, limits)
      .run();
}

}  // namespace stepstore::http
