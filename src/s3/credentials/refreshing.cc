#include "s3/credentials/refreshing.h"

#include <algorithm>

#include "base/errors.h"
#include "base/log.h"
#include "s3/credentials/means.h"
#include "s3/times.h"

namespace stepstore::s3 {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// So long before the end others are fetched; of those that live shortly, a quarter of their life.
constexpr minutes kAhead{5};
// What a fetch ahead of the end may take of the call that does it.
constexpr seconds kAheadTimeout{10};
constexpr seconds kRestWhileValid{60};  // after a failure while there is something to sign with
// Refused so soon after they were fetched, they would be refused again.
constexpr seconds kFresh{10};
constexpr milliseconds kSlice{5};

}  // namespace

RefreshingCredentials::State RefreshingCredentials::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

bool RefreshingCredentials::is_usable(const State& state) const {
  if (!state.held || state.refused) return false;
  return !state.held->expires_at || clock_.now_ms() < *state.held->expires_at;
}

bool RefreshingCredentials::is_due(const State& state) const {
  return !is_usable(state) || clock_.now_ms() >= state.due_at;
}

std::shared_ptr<const Credentials> RefreshingCredentials::current(const CallLimits& limits) {
  while (true) {
    const State now = state();
    if (!is_due(now)) return now.held;
    const bool usable = is_usable(now);
    if (clock_.steady_now() < now.rests_until) {
      if (usable) return now.held;
      now.failure->raise();
    }
    if (!usable) check_limits(limits, clock_, "credentials");
    const auto turn = flight_.take();
    if (!turn) {
      if (usable) return now.held;
      clock_.sleep(kSlice);
      continue;
    }
    // Another may have fetched them before this turn began.
    const State then = state();
    if (then.held != now.held || then.rests_until != now.rests_until) continue;
    return fetch(limits, usable);
  }
}

std::shared_ptr<const Credentials> RefreshingCredentials::fetch(const CallLimits& limits,
                                                                bool usable) {
  CallLimits bounds = limits;
  if (usable) bounds.deadline = std::min(limits.deadline, clock_.steady_now() + kAheadTimeout);
  try {
    Credentials fetched = fetch_(bounds);
    if (fetched.expires_at && *fetched.expires_at <= clock_.now_ms()) {
      const auto ended = std::chrono::floor<seconds>(*fetched.expires_at);
      no_credentials(name_ + " gave credentials that have expired at " + plain_time(ended),
                     "Is this machine's clock right?");
    }
    keep(std::move(fetched));
  } catch (const StorageManagerError& failed) {
    // Who wanted to stop, or had no time left, says nothing about the next call.
    const bool own =
        failed.code() == ErrorCode::Cancelled ||
        (failed.code() == ErrorCode::Timeout && clock_.steady_now() >= limits.deadline);
    if (own) throw;
    remember(failed, usable);
    if (!usable) throw;
    log_warning("the credentials could not be refreshed, and those at hand are still valid: {}",
                failed.what());
  }
  return state().held;
}

void RefreshingCredentials::keep(Credentials fetched) {
  const Timestamp now = clock_.now_ms();
  State next{.fetched_at = clock_.steady_now()};
  if (fetched.expires_at) {
    const auto life = *fetched.expires_at - now;
    next.due_at = *fetched.expires_at - std::min<milliseconds>(kAhead, life / 4);
  }
  next.held = std::make_shared<const Credentials>(std::move(fetched));
  log_info("s3: credentials of {} fetched{}", name_,
           next.held->expires_at
               ? ", valid until " + plain_time(std::chrono::floor<seconds>(*next.held->expires_at))
               : std::string());
  const std::lock_guard lock(mutex_);
  state_ = std::move(next);
}

void RefreshingCredentials::remember(const StorageManagerError& failure, bool usable) {
  const auto until = clock_.steady_now() + (usable ? kRestWhileValid : rest_);
  const std::lock_guard lock(mutex_);
  state_.failure = failure;
  state_.rests_until = until;
}

bool RefreshingCredentials::refresh(const Credentials& refused) {
  const std::lock_guard lock(mutex_);
  if (!state_.held || !same_keys(*state_.held, refused)) return true;  // there are others already
  if (clock_.steady_now() - state_.fetched_at < kFresh) return false;
  state_.refused = true;
  return true;
}

}  // namespace stepstore::s3
