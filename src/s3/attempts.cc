#include "s3/attempts.h"

#include <algorithm>

#include "base/errors.h"
#include "base/log.h"

namespace stepstore::s3 {
namespace {

// How soon a wait notices that the caller wants to stop.
constexpr std::chrono::milliseconds kSlice{20};

Failure kind_of(const Verdict& verdict) {
  if (verdict.action == Action::throttle) return Failure::throttled;
  return verdict.error.code() == ErrorCode::Timeout ? Failure::timed_out : Failure::transient;
}

bool wants_to_stop(const CallLimits& limits) {
  return limits.stop.stop_requested() || (limits.interrupted && limits.interrupted());
}

// A server, or a proxy before it, may repeat in its message what it was sent.
std::string without(std::string text, std::string_view secret) {
  if (secret.empty()) return text;
  for (std::size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) {
    text.replace(at, secret.size(), "***");
    at += 3;
  }
  return text;
}

std::string clean(std::string text, const Credentials* credentials) {
  if (!credentials) return text;
  return without(without(std::move(text), credentials->secret_key), credentials->session_token);
}

}  // namespace

Attempts::Attempts(Means means, std::span<const Operation> operations, const CallLimits& limits)
    : means_(means),
      operations_(operations),
      limits_(limits),
      begun_(means.clock.steady_now()),
      outcomes_(operations.size()) {
  pending_.reserve(operations.size());
  for (std::size_t i = 0; i < operations.size(); ++i) pending_.push_back({.index = i});
}

std::vector<Result<Answer>> Attempts::run() {
  while (!pending_.empty()) {
    if (!take_credentials()) break;
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

void Attempts::round() {
  signed_at_ = std::chrono::floor<std::chrono::seconds>(means_.clock.now()) +
               std::chrono::seconds(means_.clock_offset_s.load());
  refreshed_.reset();
  std::vector<http::Sending> sendings;
  sendings.reserve(pending_.size());
  for (Pending& pending : pending_) {
    sendings.push_back(
        means_.maker.make(operations_[pending.index], *used_, signed_at_, pending.payload_hash));
  }
  auto outcomes = means_.transport.exchange(means_.maker.endpoint(), sendings, limits_);
  std::vector<Pending> again;
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    if (!settle(pending_[i], std::move(outcomes[i]))) again.push_back(std::move(pending_[i]));
  }
  pending_ = std::move(again);
}

std::optional<Verdict> Attempts::verdict_on(const Operation& operation,
                                            const http::Outcome& outcome) const {
  const SentAs sent{.operation = operation, .region = means_.region, .signed_at = signed_at_};
  if (!outcome.response.ok()) return judge_failure(sent, outcome.response.error());
  const http::Response& response = *outcome.response;
  const bool success = (response.status >= 200 && response.status < 300) || response.status == 304;
  if (!success) {
    if (operation.may_be_absent && response.status == 404 && says_no_such_key(response)) {
      return std::nullopt;
    }
    return judge(sent, response);
  }
  if (operation.error_in_200) {
    const XmlOutline xml = outline(response.body.view());
    if (!xml.whole) return judge_broken(sent, response);
    if (xml.root == "Error") return judge(sent, response);
  }
  if (response.body.size() > operation.response_bytes_max) {
    return Verdict{.error = error(ErrorCode::TooLarge, operation.name, operation.key,
                                  fmt::format("the answer has {} bytes, {} at most were expected",
                                              response.body.size(), operation.response_bytes_max))};
  }
  return std::nullopt;
}

bool Attempts::settle(Pending& pending, http::Outcome outcome) {
  const Operation& operation = operations_[pending.index];
  ++pending.attempts;
  const auto verdict = verdict_on(operation, outcome);
  if (is_write(operation)) {
    pending.doubt =
        pending.doubt || outcome.maybe_applied || (verdict.has_value() && verdict->doubt);
  }
  if (!verdict) {
    succeed(pending, std::move(outcome.response).value());
    return true;
  }
  note(pending, *verdict, outcome);
  pending.last = verdict->error;
  return !goes_again(pending, *verdict, kind_of(*verdict));
}

bool Attempts::goes_again(Pending& pending, const Verdict& verdict, Failure failure) {
  pending.wait = std::chrono::milliseconds(0);
  switch (verdict.action) {
    case Action::give_up:
      fail(pending, verdict.error);
      return false;
    case Action::refresh:
      if (!pending.refreshed && refresh_credentials()) return pending.refreshed = true;
      fail(pending, verdict.error);
      return false;
    case Action::set_clock:
      if (!pending.clock_set && verdict.server_time) {
        const auto ours = std::chrono::floor<std::chrono::seconds>(means_.clock.now());
        means_.clock_offset_s = (*verdict.server_time - ours).count();
        return pending.clock_set = true;
      }
      fail(pending, verdict.error);
      return false;
    case Action::retry:
    case Action::throttle:
      break;
  }
  if (pending.attempts >= means_.policy.attempts_max) {
    fail(pending, verdict.error, "it was tried as often as allowed");
    return false;
  }
  pending.wait =
      backoff(means_.policy, failure, pending.attempts + 1, verdict.retry_after, means_.random);
  const auto next = means_.clock.steady_now() + pending.wait;
  if (next - begun_ >= means_.policy.total || next >= limits_.deadline) {
    fail(pending, verdict.error, "the time allowed has no room for another try");
    return false;
  }
  if (!means_.budget.take(failure)) {
    fail(pending, verdict.error, "too many requests are failing to repeat this one");
    return false;
  }
  return true;
}

// Once for all operations of a round: they were refused with the same credentials.
bool Attempts::refresh_credentials() {
  if (!refreshed_) refreshed_ = means_.credentials.refresh(*used_);
  return *refreshed_;
}

void Attempts::note(Pending& pending, const Verdict& verdict, const http::Outcome& outcome) const {
  const StorageManagerError& why = verdict.error;
  const double ms = static_cast<double>(outcome.took.count()) / 1000.0;
  std::string line = fmt::format("{} of {}: {}", pending.attempts, means_.policy.attempts_max,
                                 operations_[pending.index].name);
  line += fmt::format(" to {}", means_.maker.endpoint().text());
  if (!outcome.peer.empty()) line += fmt::format(" ({})", outcome.peer);
  if (why.http_status() != 0) {
    line += fmt::format(": {}", why.http_status());
    if (!verdict.code.empty()) line += ' ' + verdict.code;
  }
  if (outcome.response.ok() && why.http_status() < 300) line += fmt::format(": {}", why.message());
  if (!outcome.response.ok()) {
    line += fmt::format(": {}: {}", name_of(why.code()), why.message());
  }
  if (!why.request_id().empty()) line += fmt::format(", request {}", why.request_id());
  line += fmt::format(", {:.1f} ms", ms);
  line = clean(std::move(line), used_.get());
  log_debug("s3: key '{}', try {}", operations_[pending.index].key, line);
  pending.trace.push_back({std::move(line)});
}

bool Attempts::wait() {
  // One wait for all: they go together again, and who asks to slow down is heard.
  std::chrono::nanoseconds left{0};
  for (const Pending& pending : pending_)
    left = std::max<std::chrono::nanoseconds>(left, pending.wait);
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
  outcomes_[pending.index] = Answer{.response = std::move(response),
                                    .maybe_applied_before = pending.doubt,
                                    .attempts = pending.attempts};
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
    details.message = means_.maker.endpoint().text() + ": " + details.message;
  }
  if (pending.attempts > 1) {
    details.message += fmt::format("; {} attempts", pending.attempts);
  }
  if (!remark.empty()) details.message += fmt::format("; {}", remark);
  details.message = clean(std::move(details.message), used_.get());
  details.advice = clean(std::move(details.advice), used_.get());
  details.request_id = clean(std::move(details.request_id), used_.get());
  outcomes_[pending.index] = StorageManagerError(std::move(details));
}

void Attempts::fail_all(const StorageManagerError& why) {
  for (const Pending& pending : pending_) fail(pending, why);
  pending_.clear();
}

}  // namespace stepstore::s3
