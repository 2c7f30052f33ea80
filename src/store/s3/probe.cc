#include "store/s3/probe.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <optional>

#include "base/crc32c.h"
#include "base/crc64.h"
#include "base/log.h"
#include "base/ulid.h"
#include "layout/keys.h"
#include "s3/xml.h"

namespace stepstore::bucket {
namespace {

// Races in which the winner's answer was lost are run again, so often.
constexpr int kLostRacesMax = 3;
constexpr std::chrono::seconds kCleanUpMax{10};

// One trial of a bucket, with keys of its own.
class Trial {
 public:
  Trial(Bucket& bucket, std::string id, ProbeEffort effort, const CallLimits& limits)
      : bucket_(bucket), limits_(limits), id_(std::move(id)), effort_(effort) {}

  BucketProbe run(BucketProbe::Versioning versioning) {
    try {
      const BucketProbe found = try_all(versioning);
      clean_up(limits_);
      return found;
    } catch (...) {
      clean_up({.deadline = bucket_.clock.steady_now() + kCleanUpMax});
      throw;
    }
  }

 private:
  BucketProbe try_all(BucketProbe::Versioning versioning) {
    BucketProbe found{.probed_at = bucket_.clock.now_ms(), .versioning = versioning};
    const ObjectKey key = new_key("object");
    (void)write(key, {}).value();
    found.create_if_absent = refused(write(key, Condition::absent())) && one_creator();
    try_swaps(key, found);
    found.complete_if_absent = found.create_if_absent && completion_is_refused(key);
    if (versioning != BucketProbe::Versioning::off) {
      found.create_over_delete_marker = creates_again(key);
    }
    found.remove_if_unchanged = stale_removal_is_refused();
    return found;
  }

  ObjectKey new_key(std::string_view name) {
    keys_.push_back(bucket_.own(probe_key(id_, name)));
    return keys_.back();
  }

  // What differs each time, so that ETags do.
  s3::Operation write_of(const ObjectKey& key, Condition condition, s3::ETagStyle style) {
    bodies_.push_back("stepstore tries out the bucket " + std::to_string(bodies_.size()));
    return s3::put_object({.key = key,
                           .body = bodies_.back(),
                           .content_type = "text/plain",
                           .condition = std::move(condition)},
                          {.etag_style = style});
  }

  Result<ETag> write(const ObjectKey& key, const Condition& condition,
                     s3::ETagStyle style = s3::ETagStyle::quoted) {
    return race(key, condition, 1, style).front();
  }

  std::vector<Result<ETag>> race(const ObjectKey& key, const Condition& condition,
                                 std::size_t writers, s3::ETagStyle style) {
    std::vector<s3::Operation> operations;
    for (std::size_t i = 0; i < writers; ++i) operations.push_back(write_of(key, condition, style));
    std::vector<Result<ETag>> outcomes;
    for (const auto& answer : bucket_.send(operations, limits_)) {
      outcomes.push_back(told_put({.key = key, .condition = condition}, answer));
    }
    return outcomes;
  }

  // Whether the server took it. What passes by itself ends the probe, since it says nothing of the
  // bucket, and a wrong verdict would be believed for a week.
  template <class T>
  static bool taken(const Result<T>& outcome) {
    if (outcome.ok()) return true;
    switch (outcome.error().code()) {
      case ErrorCode::Unavailable:
      case ErrorCode::Throttled:
      case ErrorCode::Timeout:
      case ErrorCode::Io:
      case ErrorCode::Cancelled:
      case ErrorCode::Closed:
      case ErrorCode::Unauthenticated:
      case ErrorCode::NoSpace:
        outcome.error().raise();
      default:
        return false;
    }
  }

  // A refusal by the condition. Anything else that is no success ends the probe.
  static bool refused(const Result<ETag>& outcome) {
    if (taken(outcome)) return false;
    if (outcome.is(ErrorCode::AlreadyExists) || outcome.is(ErrorCode::Conflict)) return true;
    outcome.error().raise();
  }

  // As Ceph 16 answers most losers of a swap, whatever the number of tries.
  static bool lost_with_a_500(const Result<ETag>& outcome) {
    return !outcome && outcome.error().http_status() == 500 && outcome.error().outcome_unknown();
  }

  // Exactly one may win each race. That nobody does is no verdict: the winner's answer may have
  // been lost.
  bool one_wins(const std::function<std::vector<Result<ETag>>()>& race_once) {
    int without_winner = 0;
    for (int races = 0; races < effort_.races;) {
      std::size_t winners = 0;
      std::optional<StorageManagerError> failed;
      for (const Result<ETag>& outcome : race_once()) {
        if (lost_with_a_500(outcome)) {
          failed = outcome.error();
        } else {
          winners += refused(outcome) ? 0 : 1;
        }
      }
      if (winners > 1) return false;
      if (winners == 1) {
        ++races;
      } else if (++without_winner == kLostRacesMax) {
        if (failed) failed->raise();  // an outage rather than a verdict
        return false;
      }
    }
    return true;
  }

  bool one_creator() {
    return one_wins([&] {
      return race(new_key("race-" + std::to_string(keys_.size())), Condition::absent(),
                  effort_.racers, s3::ETagStyle::quoted);
    });
  }

  ETag current(const ObjectKey& key) {
    return head(bucket_, {&key, 1}, limits_).front().value().etag;
  }

  // Right and stale ETags, with quotes and, where those are not understood, without.
  void try_swaps(const ObjectKey& key, BucketProbe& found) {
    const ETag stale = current(key);
    (void)write(key, {}).value();
    for (const s3::ETagStyle style : {s3::ETagStyle::quoted, s3::ETagStyle::bare}) {
      // A server that does not know the header may say so in any words.
      const auto swaps = [&](const ETag& etag) {
        return taken(write(key, Condition::unchanged(etag), style));
      };
      if (!swaps(current(key))) continue;
      found.bare_etags = style == s3::ETagStyle::bare;
      found.swap_if_unchanged = !swaps(stale) && one_wins([&] {
        return race(key, Condition::unchanged(current(key)), effort_.racers, style);
      });
      return;
    }
    found.swap_if_unchanged = false;
  }

  bool completion_is_refused(const ObjectKey& key) {
    const auto begun = bucket_.send_one(s3::create_multipart_upload(key, "text/plain"), limits_);
    if (!taken(begun)) return false;
    const auto upload = s3::parse_create_upload(begun->response.body.view());
    if (!upload) return false;
    const BytesView body = "x";
    s3::UploadedPart part{.number = 1, .crc64 = crc64(body), .crc32c = crc32c(body)};
    const auto sent = bucket_.send_one(
        s3::upload_part(key, *upload, part.number, body, part.crc64, s3::bound(begun->checksum)),
        limits_);
    if (!taken(sent)) return false;
    part.etag = told_put({.key = key}, sent).value().text();
    const auto completed = bucket_.send_one(
        s3::complete_multipart_upload(key, *upload, {&part, 1}, Condition::absent(), part.crc64, {},
                                      begun->checksum),
        limits_);
    if (taken(completed)) return false;
    (void)bucket_.send_one(s3::abort_multipart_upload(key, *upload), limits_);
    return completed.error().http_status() == 412;
  }

  bool creates_again(const ObjectKey& key) {
    (void)bucket_.send_one(s3::delete_object(key), limits_).value();
    return taken(write(key, Condition::absent()));
  }

  // Nothing relies on it; it is written down for those who ask what the server does.
  bool stale_removal_is_refused() {
    const ObjectKey key = new_key("removal");
    (void)write(key, {}).value();
    s3::Operation removal = s3::delete_object(key);
    removal.headers.emplace_back("If-Match", "\"0123456789abcdef0123456789abcdef\"");
    removal.conditional = true;
    const auto answer = bucket_.send_one(removal, limits_);
    // Some say 500 where they refuse; that ends no probe.
    return (!answer && answer.error().http_status() == 500) || !taken(answer);
  }

  void clean_up(const CallLimits& limits) noexcept {
    try {
      for (const auto& gone : remove(bucket_, keys_, limits)) {
        if (!gone) log_warning("an object of the probe stays: {}", gone.error().what());
      }
    } catch (const std::exception& failed) {
      log_warning("objects of the probe stay below {}: {}", bucket_.own(probe_key(id_, "x")).text(),
                  failed.what());
    }
  }

  Bucket& bucket_;
  const CallLimits& limits_;
  const std::string id_;
  const ProbeEffort effort_;
  std::vector<ObjectKey> keys_;
  std::deque<std::string> bodies_;  // which requests borrow
};

// Buckets whose owner does not let us ask are taken for what they may be at worst.
BucketProbe::Versioning versioning_of(Bucket& bucket, const CallLimits& limits) {
  const auto answer = bucket.send_one(s3::get_bucket_versioning(), limits);
  if (!answer) {
    const int status = answer.error().http_status();
    if (status == 0 || (status >= 500 && status != 501)) answer.error().raise();
    return BucketProbe::Versioning::unknown;
  }
  const auto parsed = s3::parse_versioning(answer->response.body.view());
  if (!parsed) return BucketProbe::Versioning::unknown;
  switch (*parsed) {
    case s3::Versioning::enabled:
      return BucketProbe::Versioning::enabled;
    case s3::Versioning::suspended:
      return BucketProbe::Versioning::suspended;
    case s3::Versioning::never:
      break;
  }
  return BucketProbe::Versioning::off;
}

// Other processes save themselves the trial. What cannot be written down is only found out again.
void write_down(Bucket& bucket, const Result<Object>& before, const BucketProbe& probe,
                const CallLimits& limits) {
  const ObjectKey key = bucket.own(format_marker_key());
  const std::string body =
      before ? with_probe(before->body.text(), probe, key.text()) : to_json({.probe = probe});
  const PutRequest request{
      .key = key,
      .body = body,
      .content_type = "application/json",
      .condition = before ? Condition::unchanged(before->info.etag) : Condition::absent()};
  const bool enforced = before ? probe.swap_if_unchanged : probe.create_if_absent;
  PutRequest sent = request;
  if (!enforced) sent.condition = {};
  const auto answer = bucket.send_one(
      s3::put_object(
          sent, {.etag_style = probe.bare_etags ? s3::ETagStyle::bare : s3::ETagStyle::quoted}),
      limits);
  if (const Result<ETag> outcome = told_put(sent, answer); !outcome) {
    log_info("what was found out about the bucket was not written down: {}",
             outcome.error().what());
  }
}

Result<Object> marker_of(Bucket& bucket, const CallLimits& limits) {
  const GetRequest get{.key = bucket.own(format_marker_key())};
  return told_get(get, bucket.send_one(s3::get_object(get, std::uint64_t{1} << 20U), limits));
}

// Each process says it once, whoever has found it out.
void warn(const BucketProbe& probe) {
  for (const std::string& note : notes_of(probe)) log_warning("{}", note);
}

}  // namespace

BucketProbe find_out(Bucket& bucket, const CallLimits& limits) {
  const BucketProbe::Versioning versioning = versioning_of(bucket, limits);
  const Result<Object> marker = marker_of(bucket, limits);
  if (!marker && !marker.is(ErrorCode::NotFound)) marker.error().raise();
  if (marker) {
    const auto known = parse_format_marker(marker->body.text(), marker->info.key.text()).probe;
    const auto age = bucket.clock.now_ms() - (known ? known->probed_at : Timestamp{});
    if (known && known->versioning == versioning && age < bucket.options.probe_age_max &&
        age > -bucket.options.probe_age_max) {
      warn(*known);
      return *known;
    }
  }
  const BucketProbe found =
      Trial(bucket, make_ulid(bucket.clock, bucket.random), {}, limits).run(versioning);
  warn(found);
  write_down(bucket, marker, found, limits);
  return found;
}

BucketProbe try_out(Bucket& bucket, const std::string& id, const ProbeEffort& effort,
                    const CallLimits& limits) {
  return Trial(bucket, id, effort, limits).run(versioning_of(bucket, limits));
}

void keep(Bucket& bucket, const BucketProbe& probe, const CallLimits& limits) {
  bucket.dialect.learn(probe);
  try {
    const Result<Object> marker = marker_of(bucket, limits);
    const std::string key = bucket.own(format_marker_key()).text();
    if (marker && parse_format_marker(marker->body.text(), key).writer_min > kFormatMajor) return;
    if (marker || marker.is(ErrorCode::NotFound)) write_down(bucket, marker, probe, limits);
  } catch (const StorageManagerError& failed) {
    if (failed.code() == ErrorCode::Cancelled) throw;
    log_info("what was found out about the bucket was not written down: {}", failed.what());
  }
}

}  // namespace stepstore::bucket
