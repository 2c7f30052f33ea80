// What becomes of an operation after a send: it is finished, or goes again.
#include <utility>

#include "base/errors.h"
#include "base/log.h"
#include "s3/attempts.h"

namespace stepstore::s3 {
namespace {

Failure kind_of(const Verdict& verdict) {
  if (verdict.action == Action::throttle) return Failure::throttled;
  return verdict.error.code() == ErrorCode::Timeout ? Failure::timed_out : Failure::transient;
}

}  // namespace

std::optional<Verdict> Attempts::verdict_on(const Pending& pending,
                                            const http::Outcome& outcome) const {
  const Operation& operation = operations_[pending.index];
  const SentAs sent{.operation = operation,
                    .region = pending.maker->place().region,
                    .signed_at = signed_at_,
                    .signer = used_.get()};
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
  if (verdict && verdict->action == Action::throttle) {
    means_.rate.throttled(sent_at_, means_.clock.steady_now());
  } else if (outcome.response.ok() && means_.rate.limited()) {
    means_.rate.answered(means_.clock.steady_now());
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

bool Attempts::change_checksum(Pending& pending, const Verdict& verdict) const {
  const auto& wanted = operations_[pending.index].checksum;
  if (!verdict.refuses_checksum || !wanted || wanted->only) return false;
  const auto next = means_.checksums.instead_of(pending.sent_with);
  if (!next) return false;
  if (!pending.checksum_refused) pending.checksum_refused = verdict.error;
  pending.checksum = next;
  return true;
}

bool Attempts::goes_again(Pending& pending, const Verdict& verdict, Failure failure) {
  pending.wait = std::chrono::milliseconds(0);
  if (change_checksum(pending, verdict)) return true;
  switch (verdict.action) {
    case Action::give_up:
      // Refused without any, too: then it was about something else, which the first answer says.
      fail(pending, verdict.refuses_checksum && pending.checksum_refused ? *pending.checksum_refused
                                                                         : verdict.error);
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
  if (!has_room_for(pending.wait)) {
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

}  // namespace stepstore::s3
