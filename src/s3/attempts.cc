#include "s3/attempts.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "base/errors.h"
#include "base/log.h"
#include "s3/credentials/redact.h"

namespace stepstore::s3 {
namespace {

// How soon a wait notices that the caller wants to stop.
constexpr std::chrono::milliseconds kSlice{20};

bool wants_to_stop(const CallLimits& limits) {
  return limits.stop.stop_requested() || (limits.interrupted && limits.interrupted());
}

}  // namespace

Attempts::Attempts(Means means, std::span<const Operation> operations, const CallLimits& limits)
    : means_(means),
      operations_(operations),
      limits_(limits),
      begun_(means.clock.steady_now()),
      outcomes_(operations.size()),
      sent_at_(begun_) {
  pending_.reserve(operations.size());
  for (std::size_t i = 0; i < operations.size(); ++i) pending_.push_back({.index = i});
}

// A server, or a proxy before it, may repeat in its message what it was sent.
std::string Attempts::clean(std::string text) const {
  if (!used_) return without_secrets(std::move(text), {means_.hidden});
  return without_secrets(std::move(text), {means_.hidden, used_->secret_key, used_->session_token});
}

std::vector<Result<Answer>> Attempts::run() {
  while (!pending_.empty()) {
    if (!take_credentials() || !take_turn()) break;
    round();
    if (pending_.empty()) break;
    if (!wait()) {
      fail_all(error(ErrorCode::Cancelled, "", "", "the caller asked to stop"));
      break;
    }
  }
  std::vector<Result<Answer>> out;
  out.reserve(outcomes_.size());
  for (auto& outcome : outcomes_) out.push_back(*std::move(outcome));
  return out;
}

bool Attempts::take_credentials() {
  try {
    used_ = means_.credentials.current(limits_);
    return true;
  } catch (const StorageManagerError& failure) {
    fail_all(failure);
  } catch (const std::exception&) {  // of a source that somebody else wrote
    ErrorDetails details = error(ErrorCode::Unauthenticated, "", "",
                                 "the source of credentials failed", "See the cause.")
                               .details();
    details.cause = std::current_exception();
    fail_all(StorageManagerError(std::move(details)));
  }
  return false;
}

bool Attempts::take_turn() {
  // The first time the call has only just begun: nobody need look at the clock.
  if (pending_.front().attempts > 0) sent_at_ = means_.clock.steady_now();
  while (true) {
    const auto wait = means_.rate.turn(pending_.size(), sent_at_);
    if (wait.count() == 0) return true;
    if (!has_room_for(wait)) {
      fail_all(error(ErrorCode::Throttled, "", "",
                     "the server asked to slow down, and other requests go before this one"));
      return false;
    }
    if (!sleep(wait)) {
      fail_all(error(ErrorCode::Cancelled, "", "", "the caller asked to stop"));
      return false;
    }
    sent_at_ = means_.clock.steady_now();
  }
}

bool Attempts::has_room_for(std::chrono::nanoseconds wait) const {
  const auto next = means_.clock.steady_now() + wait;
  return next - begun_ < means_.policy.total && next < limits_.deadline;
}

void Attempts::round() {
  signed_at_ = std::chrono::floor<std::chrono::seconds>(means_.clock.now()) +
               std::chrono::seconds(means_.clock_offset_s.load());
  refreshed_.reset();
  const auto usual = means_.places.current();
  for (Pending& pending : pending_) {
    if (pending.hops == 0) pending.maker = usual;
  }
  auto outcomes = exchange();
  std::vector<Pending> again;
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    if (!settle(pending_[i], std::move(outcomes[i]))) again.push_back(std::move(pending_[i]));
  }
  pending_ = std::move(again);
}

// One exchange, but for those that were sent elsewhere.
std::vector<http::Outcome> Attempts::exchange() {
  const auto place = [](const Pending& pending) { return pending.maker.get(); };
  if (std::ranges::adjacent_find(pending_, std::ranges::not_equal_to{}, place) != pending_.end()) {
    std::ranges::stable_sort(pending_, {}, place);
  }
  std::vector<http::Outcome> all;
  all.reserve(pending_.size());
  std::vector<http::Sending> sendings;
  for (auto at = pending_.begin(); at != pending_.end();) {
    RequestMaker& maker = *at->maker;
    sendings.clear();
    for (; at != pending_.end() && at->maker.get() == &maker; ++at) {
      const Operation& operation = at->rest ? at->rest->operation() : operations_[at->index];
      at->sent_with = at->checksum.value_or(means_.checksums.current());
      if (operation.checksum) at->sent_with = operation.checksum->only.value_or(at->sent_with);
      sendings.push_back(
          maker.make(operation, *used_, signed_at_, at->payload_hash, at->sent_with));
    }
    auto outcomes = means_.transport.exchange(maker.endpoint(), sendings, limits_);
    std::ranges::move(outcomes, std::back_inserter(all));
  }
  return all;
}

// Once for all operations of a round: they were refused with the same credentials.
bool Attempts::refresh_credentials() {
  if (!refreshed_) refreshed_ = means_.credentials.refresh(*used_);
  return *refreshed_;
}

void Attempts::note(Pending& pending, const Verdict& verdict, const http::Outcome& outcome) const {
  const StorageManagerError& why = verdict.error;
  const auto ms = [](std::chrono::microseconds time) {
    return static_cast<double>(time.count()) / 1000.0;
  };
  std::string line = fmt::format("{} of {}: {}", pending.attempts, means_.policy.attempts_max,
                                 operations_[pending.index].name);
  line += fmt::format(" to {}", pending.maker->endpoint().text());
  if (!outcome.peer.empty()) {
    line += fmt::format(" ({}{}{})", outcome.by_proxy ? "proxy " : "", outcome.peer,
                        outcome.reused ? ", reused" : "");
  }
  if (why.http_status() != 0) {
    line += fmt::format(": {}", why.http_status());
    if (!verdict.code.empty()) line += ' ' + verdict.code;
  }
  if (outcome.response.ok() && why.http_status() < 300) line += fmt::format(": {}", why.message());
  if (!outcome.response.ok()) {
    line += fmt::format(": {}: {}", name_of(why.code()), why.message());
  }
  if (!why.request_id().empty()) line += fmt::format(", request {}", why.request_id());
  line += fmt::format(", {:.1f} ms", ms(outcome.took));
  if (outcome.connect.count() > 0) line += fmt::format(", connected {:.1f}", ms(outcome.connect));
  if (outcome.first_byte.count() > 0) {
    line += fmt::format(", first byte {:.1f}", ms(outcome.first_byte));
  }
  if (outcome.bytes_sent > 0) {
    line += fmt::format(", {} bytes out, {} in", outcome.bytes_sent, outcome.bytes_received);
  }
  line = clean(std::move(line));
  log_debug("s3: key '{}', try {}", operations_[pending.index].key, line);
  pending.trace.push_back({.what = std::move(line),
                           .request_id = clean(std::string(why.request_id())),
                           .peer = outcome.peer,
                           .reused_connection = outcome.reused,
                           .http_status = outcome.response.ok() ? outcome.response->status : 0,
                           .connect = outcome.connect,
                           .first_byte = outcome.first_byte,
                           .total = outcome.took,
                           .bytes_sent = outcome.bytes_sent,
                           .bytes_received = outcome.bytes_received});
}

bool Attempts::wait() {
  // One wait for all: they go together again, and who asks to slow down is heard.
  std::chrono::nanoseconds left{0};
  for (const Pending& pending : pending_)
    left = std::max<std::chrono::nanoseconds>(left, pending.wait);
  return sleep(left);
}

bool Attempts::sleep(std::chrono::nanoseconds left) {
  if (!limits_.stop.stop_possible() && !limits_.interrupted) {
    if (left.count() > 0) means_.clock.sleep(left);
    return true;
  }
  while (true) {
    if (wants_to_stop(limits_)) return false;
    if (left.count() <= 0) return true;
    const auto slice = std::min<std::chrono::nanoseconds>(left, kSlice);
    means_.clock.sleep(slice);
    left -= slice;
  }
}

void Attempts::succeed(const Pending& pending, http::Response response) {
  means_.budget.give_back(pending.attempts);
  if (pending.checksum) means_.checksums.learn(*pending.checksum);
  std::string request_id;
  if (response.status == 404) {
    if (const std::string* const id = http::find_header(response.headers, "x-amz-request-id")) {
      request_id = told_by_others(*id, {means_.hidden, used_->secret_key, used_->session_token});
    }
  }
  outcomes_[pending.index] = Answer{.response = std::move(response),
                                    .maybe_applied_before = pending.doubt,
                                    .attempts = pending.attempts,
                                    .checksum = pending.sent_with,
                                    .request_id = std::move(request_id)};
}

void Attempts::fail(const Pending& pending, const StorageManagerError& why,
                    std::string_view remark) {
  const Operation& operation = operations_[pending.index];
  ErrorDetails details = why.details();
  details.operation = operation.name;
  details.key = operation.key;
  details.outcome_unknown = pending.doubt;
  details.attempts = pending.trace;
  // Without an answer it is the endpoint that matters, and no key tells it.
  if (pending.attempts > 0 && why.http_status() == 0) {
    details.message = pending.maker->endpoint().text() + ": " + details.message;
  }
  if (pending.attempts > 1) {
    details.message += fmt::format("; {} attempts", pending.attempts);
  }
  if (!remark.empty()) details.message += fmt::format("; {}", remark);
  details.message = clean(std::move(details.message));
  details.advice = clean(std::move(details.advice));
  details.request_id = clean(std::move(details.request_id));
  outcomes_[pending.index] = StorageManagerError(std::move(details));
}

void Attempts::fail_all(const StorageManagerError& why) {
  for (const Pending& pending : pending_) {
    // What the server said last counts for more than that there is no time to ask again.
    const bool told = why.code() == ErrorCode::Throttled && pending.last;
    fail(pending, told ? *pending.last : why,
         told ? "the time allowed has no room for another try" : "");
  }
  pending_.clear();
}

}  // namespace stepstore::s3
