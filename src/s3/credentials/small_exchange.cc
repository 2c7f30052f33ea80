#include "s3/credentials/small_exchange.h"

#include <algorithm>

#include "base/errors.h"
#include "base/log.h"

namespace stepstore::s3 {
namespace {

constexpr std::uint64_t kAnswerBytesMax = 64U << 10;
constexpr std::chrono::milliseconds kPause{100};

bool passes(int status) { return status == 429 || status >= 500; }

}  // namespace

http::Response send_small(http::Transport& transport, const SmallExchange& exchange, Clock& clock,
                          const CallLimits& limits) {
  for (int tried = 1;; ++tried) {
    check_limits(limits, clock, "credentials");
    CallLimits bounds = limits;
    bounds.deadline = std::min(limits.deadline, clock.steady_now() + exchange.timeout);
    const http::Sending sending{.request = exchange.request, .response_bytes_max = kAnswerBytesMax};
    auto outcome = std::move(transport.exchange(exchange.endpoint, {&sending, 1}, bounds).front());
    const bool last = tried >= exchange.tries;
    if (outcome.response.ok()) {
      const int status = outcome.response->status;
      log_debug("s3: credentials: {} at {} answered {}", exchange.what, exchange.endpoint.text(),
                status);
      if (last || !passes(status)) return std::move(outcome.response).value();
    } else {
      check_limits(limits, clock, "credentials");  // the call's own end goes first
      const StorageManagerError& failed = outcome.response.error();
      log_debug("s3: credentials: {} at {}: {}", exchange.what, exchange.endpoint.text(),
                failed.message());
      if (last || failed.code() != ErrorCode::Unavailable) {
        ErrorDetails details = told_as(failed, "credentials", "").details();
        details.message =
            exchange.what + " at " + exchange.endpoint.text() + ": " + details.message;
        details.outcome_unknown = false;
        StorageManagerError(std::move(details)).raise();
      }
    }
    clock.sleep(kPause * (1 << (tried - 1)));
  }
}

}  // namespace stepstore::s3
