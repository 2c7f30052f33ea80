#include "s3/rate.h"

#include <algorithm>
#include <cmath>
#include <mutex>

namespace stepstore::s3 {
namespace {

using std::chrono::duration;

constexpr std::chrono::milliseconds kSlot(500);
constexpr double kSlotsPerSecond = 2;

std::int64_t slot_of(Rate::Time now) { return now.time_since_epoch() / kSlot; }
double seconds(Rate::Time::duration time) { return duration<double>(time).count(); }

}  // namespace

void Rate::count(std::size_t requests, Time now) noexcept {
  const std::int64_t slot = slot_of(now);
  std::int64_t before = slot_.load(std::memory_order_relaxed);
  // Whoever comes first turns the page; a send that is counted on the wrong one does no harm.
  if (before < slot && slot_.compare_exchange_strong(before, slot, std::memory_order_relaxed)) {
    const std::uint32_t last = in_slot_.exchange(0, std::memory_order_relaxed);
    in_last_slot_.store(before + 1 == slot ? last : 0, std::memory_order_relaxed);
  }
  in_slot_.fetch_add(static_cast<std::uint32_t>(requests), std::memory_order_relaxed);
}

double Rate::measured(Time now) const noexcept {
  const std::int64_t behind = slot_of(now) - slot_.load(std::memory_order_relaxed);
  std::uint32_t most = behind <= 1 ? in_slot_.load(std::memory_order_relaxed) : 0;
  if (behind <= 0) most = std::max(most, in_last_slot_.load(std::memory_order_relaxed));
  return most * kSlotsPerSecond;
}

std::chrono::nanoseconds Rate::turn(std::size_t requests, Time now) {
  if (limited()) {
    const std::lock_guard lock(mutex_);
    if (now - lowered_ > policy_.forget) {
      limited_ = false;
    } else {
      const double room = std::max(allowed_, 1.0);
      tokens_ = std::min(room, tokens_ + allowed_ * std::max(0.0, seconds(now - filled_)));
      filled_ = std::max(filled_, now);
      // More than there is room for goes when the bucket is full, and leaves a debt.
      const double needed = std::min(static_cast<double>(requests), room);
      constexpr double kRounding = 1e-6;
      if (tokens_ + kRounding < needed) {
        const duration<double> wait((needed - tokens_) / allowed_);
        return std::max<std::chrono::nanoseconds>(std::chrono::ceil<std::chrono::nanoseconds>(wait),
                                                  std::chrono::milliseconds(1));
      }
      tokens_ -= static_cast<double>(requests);
    }
  }
  count(requests, now);
  return std::chrono::nanoseconds(0);
}

void Rate::throttled(Time sent, Time now) {
  const std::lock_guard lock(mutex_);
  double rate = measured(now);
  if (limited()) {
    if (sent < lowered_) return;
    rate = std::min(rate, allowed_);
  } else {
    tokens_ = 0;
    filled_ = now;
  }
  too_much_ = std::max(rate, policy_.floor_per_s);
  allowed_ = std::max(too_much_ * policy_.kept, policy_.floor_per_s);
  plateau_s_ = std::cbrt(too_much_ * (1 - policy_.kept) / policy_.growth);
  lowered_ = now;
  limited_ = true;
}

void Rate::answered(Time now) {
  const std::lock_guard lock(mutex_);
  const double past = seconds(now - lowered_) - plateau_s_;
  const double curve = policy_.growth * past * past * past + too_much_;
  // No faster than what is used, or the limit would mean nothing after a quiet time.
  allowed_ = std::max({allowed_, std::min(curve, 2 * measured(now)), policy_.floor_per_s});
}

double Rate::per_second() noexcept {
  const std::lock_guard lock(mutex_);
  return limited() ? allowed_ : 0;
}

}  // namespace stepstore::s3
