#include "spool/drainer.h"

#include <algorithm>
#include <set>

#include "base/errors.h"
#include "base/log.h"

namespace stepstore::spool {
namespace {

constexpr std::chrono::minutes kSweepEvery{10};

}  // namespace

// What one pass has before it: several threads take from it.
class Drainer::Pass {
 public:
  // `one`: only the first, to see whether the store is back.
  Pass(std::vector<EntryName> names, bool one) : names_(std::move(names)), one_(one) {}

  // The oldest entry of a step of which none is under way. None: nothing more now.
  std::optional<EntryName> take() {
    const std::lock_guard lock(mutex_);
    if (ended_) return std::nullopt;
    for (std::size_t i = first_; i < names_.size(); ++i) {
      if (taken_[i] || blocked_.contains(names_[i].step)) continue;
      taken_[i] = true;
      while (first_ < names_.size() && taken_[first_]) ++first_;
      blocked_.insert(names_[i].step);
      if (one_) ended_ = true;
      any_ = true;
      return names_[i];
    }
    return std::nullopt;
  }
  // The next one of its step may go.
  void done(const EntryName& name) {
    const std::lock_guard lock(mutex_);
    blocked_.erase(name.step);
  }
  void block(const EntryName& name) {
    const std::lock_guard lock(mutex_);
    blocked_.insert(name.step);
  }
  void end() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  bool any() const {
    const std::lock_guard lock(mutex_);
    return any_;
  }

 private:
  const std::vector<EntryName> names_;
  const bool one_;
  mutable std::mutex mutex_;  // of what follows
  std::vector<bool> taken_ = std::vector<bool>(names_.size());
  std::size_t first_ = 0;
  std::set<std::uint64_t> blocked_{};  // steps
  bool ended_ = false, any_ = false;
};

Drainer::Drainer(Spool& spool, Breaker& breaker, Deliver deliver, DrainOptions options,
                 Clock& clock)
    : spool_(spool),
      breaker_(breaker),
      deliver_(std::move(deliver)),
      options_(options),
      clock_(clock),
      pool_(options.at_once + 1) {}

Drainer::~Drainer() { stop(); }

void Drainer::nudge() {
  const std::lock_guard lock(mutex_);
  if (stopped_) return;
  nudged_ = true;
  changed_.notify_all();
  const pid_t mine = this_process();
  if (running_ && runs_in_ == mine) return;
  running_ = true;
  runs_in_ = mine;
  pool_.add([this] { run(); });
}

void Drainer::run() {
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      nudged_ = false;
      if (stopped_) {
        running_ = false;
        return;
      }
    }
    bool tried = false;
    bool empty = false;
    try {
      tried = round({.stop = stop_.get_token()});
      empty = spool_.entries().empty();
    } catch (const StorageManagerError& failed) {  // the spool's disk
      log_warning("spool: {}", failed.what());
    }
    std::unique_lock lock(mutex_);
    if (stopped_ || (empty && !nudged_)) {
      running_ = false;
      changed_.notify_all();
      return;
    }
    if (tried || nudged_) continue;
    // Real time: a thread has nothing else to wait with.
    const auto wait =
        std::clamp<std::chrono::nanoseconds>(next_round_locked() - clock_.steady_now(),
                                             std::chrono::milliseconds(1), options_.look_again);
    changed_.wait_for(lock, wait, [this] { return stopped_ || nudged_; });
  }
}

bool Drainer::waits(const EntryName& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = tried_.find(name.order);
  return found != tried_.end() && clock_.steady_now() < found->second.next;
}

bool Drainer::round(const CallLimits& limits) {
  const auto drains = spool_.lock_for_draining();
  {
    const std::lock_guard lock(mutex_);
    state_.draining = drains.has_value();
  }
  if (!drains) return false;
  if (clock_.steady_now() - swept_at_ >= kSweepEvery) {
    swept_at_ = clock_.steady_now();
    spool_.sweep();
  }
  const auto names = spool_.entries();
  if (names.empty()) return false;
  const bool away = !breaker_.allows();
  if (!breaker_.take_turn()) return false;
  Pass pass(names, away);
  const auto work = [&] {
    while (const auto name = pass.take()) {
      if (limits.stop.stop_requested()) return;
      if (waits(*name)) continue;  // its step stays blocked: order within a step is kept
      Delivery delivery{.fate = Delivery::Fate::failed, .reason = "it cannot be read"};
      try {
        const auto lock = spool_.lock(*name);
        if (!lock) {  // somebody else decides about it, or it has gone
          pass.done(*name);
          continue;
        }
        const auto entry = spool_.open(*name);
        if (!entry) {
          pass.done(*name);
          continue;
        }
        delivery = deliver_(*entry, limits);
        settle(*name, delivery);
      } catch (const StorageManagerError& failed) {
        const bool corrupt = failed.code() == ErrorCode::Corrupt;
        delivery = {.fate = corrupt ? Delivery::Fate::failed : Delivery::Fate::away,
                    .reason = failed.what()};
        settle(*name, delivery);
      }
      switch (delivery.fate) {
        case Delivery::Fate::stored:
          breaker_.succeeded();
          pass.done(*name);
          break;
        case Delivery::Fate::away:
          breaker_.failed(Breaker::State::open, delivery.reason);
          pass.end();
          return;
        case Delivery::Fate::paused:
          breaker_.failed(Breaker::State::paused, delivery.reason);
          pass.end();
          return;
        case Delivery::Fate::failed:
          // The store has answered.
          breaker_.succeeded();
          break;
      }
    }
  };
  // This thread is one of them.
  const std::size_t more = away ? 0 : std::min(options_.at_once, names.size()) - 1;
  std::mutex ended_mutex;
  std::condition_variable ended;
  std::size_t left = more;
  for (std::size_t i = 0; i < more; ++i) {
    pool_.add([&] {
      work();
      const std::lock_guard lock(ended_mutex);
      --left;
      ended.notify_one();
    });
  }
  work();
  std::unique_lock lock(ended_mutex);
  ended.wait(lock, [&] { return left == 0; });
  return pass.any();
}

void Drainer::settle(const EntryName& name, const Delivery& delivery) {
  if (delivery.fate == Delivery::Fate::stored) (void)spool_.remove(name);
  bool reject = false;
  {
    const std::lock_guard lock(mutex_);
    ++state_.tries;
    switch (delivery.fate) {
      case Delivery::Fate::stored:
        ++state_.delivered;
        tried_.erase(name.order);
        break;
      case Delivery::Fate::failed: {
        Tried& tried = tried_[name.order];
        reject = ++tried.times >= options_.tries_max;
        tried.next = clock_.steady_now() + options_.between_tries * tried.times;
        if (reject) {
          tried_.erase(name.order);
          ++state_.rejected;
        }
        break;
      }
      case Delivery::Fate::away:
      case Delivery::Fate::paused:
        break;
    }
    changed_.notify_all();
  }
  if (!reject) return;
  log_warning("spool: a step is set aside as rejected: {}", delivery.reason);
  spool_.reject(name, delivery.reason);
}

std::chrono::steady_clock::time_point Drainer::next_round() const {
  const std::lock_guard lock(mutex_);
  return next_round_locked();
}

std::chrono::steady_clock::time_point Drainer::next_round_locked() const {
  const Breaker::Known store = breaker_.known();
  if (store.state != Breaker::State::closed) return store.next_try;
  auto next = clock_.steady_now() + options_.look_again;
  for (const auto& [order, tried] : tried_) next = std::min(next, tried.next);
  return next;
}

std::vector<EntryName> Drainer::flush(const CallLimits& limits) {
  constexpr std::chrono::milliseconds kLookAgain{20};
  while (true) {
    auto names = spool_.entries();
    const bool ends = limits.stop.stop_requested() ||
                      (limits.interrupted && limits.interrupted()) ||
                      clock_.steady_now() >= limits.deadline;
    if (names.empty() || ends) return names;
    nudge();
    std::unique_lock lock(mutex_);
    if (stopped_) return names;
    changed_.wait_for(lock, kLookAgain);
  }
}

void Drainer::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }
  stop_.request_stop();
  pool_.finish();
}

DrainState Drainer::state() const {
  const std::lock_guard lock(mutex_);
  DrainState told = state_;
  told.store = breaker_.known();
  return told;
}

}  // namespace stepstore::spool
