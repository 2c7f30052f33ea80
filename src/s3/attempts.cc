#include "s3/attempts.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

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
      sendings.push_back(maker.make(operation, *used_, signed_at_, at->payload_hash));
    }
    auto outcomes = means_.transport.exchange(maker.endpoint(), sendings, limits_);
    std::ranges::move(outcomes, std::back_inserter(all));
  }
  return all;
}

std::optional<Verdict> Attempts::verdict_on(const Pending& pending,
                                            const http::Outcome& outcome) const {
  const Operation& operation = operations_[pending.index];
  const SentAs sent{
      .operation = operation, .region = pending.maker->place().region, .signed_at = signed_at_};
  if (!outcome.response.ok()) return judge_failure(sent, outcome.response.error());
  const http::Response& response = *outcome.response;
  const bool success = (response.status >= 200 && response.status < 300) || response.status == 304;
  if (!success) return judge(sent, response);
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

std::optional<Verdict> Attempts::take_rest(Pending& pending, http::Outcome& outcome) const {
  const Operation& operation = operations_[pending.index];
  if (!pending.rest) {
    if (outcome.partial && !pending.begun_anew) {
      pending.rest = Rest::of(operation, *outcome.partial);
    }
    return std::nullopt;
  }
  if (!outcome.response.ok() && !outcome.partial) return std::nullopt;  // no byte more
  Rest::Fit fit = Rest::Fit::fits;
  if (outcome.partial) {
    const http::Partial& more = *outcome.partial;
    fit = pending.rest->fit(more.status, more.headers, more.size);
    if (fit == Rest::Fit::fits) {
      pending.rest->add(more);
      return std::nullopt;
    }
  } else if (outcome.response->status == 200) {
    pending.rest.reset();  // ranges are ignored; here is the whole
    return std::nullopt;
  } else if (outcome.response->status == 206) {
    const http::Response& end = *outcome.response;
    fit = pending.rest->fit(end.status, end.headers, end.body.size());
    if (fit == Rest::Fit::fits) {
      outcome.response = pending.rest->join(end);
      pending.rest.reset();
      return std::nullopt;
    }
  } else if ((outcome.response->status == 412 &&
              http::find_header(operation.headers, "If-Match") == nullptr) ||
             outcome.response->status == 416) {
    fit = Rest::Fit::changed;
  } else {
    return std::nullopt;
  }
  pending.rest.reset();
  const bool again = !std::exchange(pending.begun_anew, true);
  return Verdict{
      .error = fit == Rest::Fit::changed
                   ? error(ErrorCode::Unavailable, operation.name, operation.key,
                           "the object was replaced while it was read")
                   : error(ErrorCode::Io, operation.name, operation.key,
                           "the server answered with other bytes than were asked for",
                           "Is the endpoint an S3 server, or a proxy that changes answers?"),
      .action = again ? Action::retry : Action::give_up};
}

bool Attempts::settle(Pending& pending, http::Outcome outcome) {
  const Operation& operation = operations_[pending.index];
  ++pending.attempts;
  auto verdict = take_rest(pending, outcome);
  if (!verdict) verdict = verdict_on(pending, outcome);
  if (is_write(operation)) {
    pending.doubt =
        pending.doubt || outcome.maybe_applied || (verdict.has_value() && verdict->doubt);
  }
  if (pending.lasting && outcome.response.ok() && !(verdict && verdict->action == Action::move)) {
    means_.places.remember(pending.maker);
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
    case Action::move:
      return move(pending, verdict);
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

bool Attempts::move(Pending& pending, const Verdict& verdict) {
  constexpr int kHopsMax = 2;
  const Place& from = pending.maker->place();
  const auto text = [](const Place& place) {
    return place.region + " at " + place.endpoint.text();
  };
  if (pending.way.empty()) pending.way = text(from);
  NextPlace next;
  if (verdict.elsewhere.told()) {
    next = follow(means_.places.configured(), from, means_.places.bucket(), verdict.elsewhere);
  }
  if (!next.place) {
    fail(pending, verdict.error, next.why_not);
    return false;
  }
  const bool been = pending.way.find(text(*next.place)) != std::string::npos;
  pending.way += ", " + text(*next.place);
  if (pending.hops == kHopsMax || (been && verdict.elsewhere.lasting)) {
    ErrorDetails details = verdict.error.details();
    details.code = ErrorCode::ConfigError;
    details.message = "the requests for this bucket are sent from place to place (" + pending.way +
                      "): " + details.message;
    details.advice = "Set the region of the bucket, which may be " + next.place->region +
                     ", and check the endpoint.";
    fail(pending, StorageManagerError(std::move(details)));
    return false;
  }
  ++pending.hops;
  pending.lasting = verdict.elsewhere.lasting;
  pending.maker = means_.places.make(*next.place);
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
  line += fmt::format(" to {}", pending.maker->endpoint().text());
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
    details.message = pending.maker->endpoint().text() + ": " + details.message;
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
