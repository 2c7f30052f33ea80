// Service: an S3 endpoint in memory. What it is asked is done under one lock, at once; so every
// condition has exactly one winner, unless a dialect says otherwise.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "testing/fault_server/call.h"

namespace stepstore::fault {

// What real servers do other than AWS; each a way to be weak.
struct Dialect {
  bool ignores_if_none_match = false;
  bool ignores_if_match = false;
  bool bare_if_match_only = false;  // 412 to a quoted ETag, as Ceph 16
  bool losers_get_500 = false;      // instead of 412 to a swap, as Ceph 16
  bool ignores_completion_conditions = false;
  bool ignores_conditional_delete = false;
  // In a bucket that keeps versions If-None-Match is ignored and If-Match always fails, as in
  // Ceph 16.
  bool no_conditions_when_versioned = false;
  bool marker_refuses_create = false;  // 412 to If-None-Match over a delete marker, as versitygw
  bool ignores_encoding_type = false;  // as versitygw
  bool no_bulk_delete = false;
  bool ignores_checksums = false;
  bool no_encryption = false;  // ignores the wish, and says nothing of it
};

struct Stored {
  Bytes body{};
  std::string etag{};  // without quotes
  // Content type, user metadata, checksums and what is said of encryption, as they are given back.
  http::Headers kept{};
  Timestamp modified{};
  std::string version{};  // empty: the bucket kept no versions then
  bool marker = false;    // not an object: the note that there is none
};

struct PendingUpload {
  std::string key{};
  http::Headers kept{};
  std::map<int, Stored> parts{};
  Timestamp begun{};
};

enum class Versioning : std::uint8_t { never, enabled, suspended };

struct Bucket {
  // What is there to see.
  std::map<std::string, Stored, std::less<>> objects{};
  // Once versions are kept: every key's versions and markers, oldest first.
  std::map<std::string, std::vector<Stored>, std::less<>> history{};
  std::map<std::string, PendingUpload, std::less<>> uploads{};
  Versioning versioning = Versioning::never;
  Timestamp created{};
};

struct ServiceOptions {
  Dialect dialect{};
  bool md5_etags = false;  // true: as AWS makes them; costs a millisecond per 700 KB
};

// Thread-safe.
class Service {
 public:
  Service(ServiceOptions options, Clock& clock) : options_(options), clock_(clock) {}

  void make_bucket(const std::string& name);
  void forget_bucket(const std::string& name);  // with all that it has
  http::Response answer(const Call& asked);

 private:
  http::Response about_all() const;
  http::Response about_bucket(const Call& call);
  http::Response get_about_bucket(const Call& call, const Bucket& bucket) const;
  http::Response about_object(const Call& call, Bucket& bucket);
  http::Response put(const Call& call, Bucket& bucket);
  http::Response get(const Call& call, const Bucket& bucket) const;
  http::Response remove(const Call& call, Bucket& bucket);
  http::Response remove_many(const Call& call, Bucket& bucket);

  http::Response list(const Call& call, const Bucket& bucket) const;
  http::Response list_versions(const Call& call, const Bucket& bucket) const;

  http::Response begin_upload(const Call& call, Bucket& bucket);
  http::Response put_part(const Call& call, Bucket& bucket);
  http::Response complete(const Call& call, Bucket& bucket);
  http::Response list_uploads(const Call& call, const Bucket& bucket) const;
  http::Response list_parts(const Call& call, const Bucket& bucket) const;

  // Makes it what is there to see.
  const Stored& store(Bucket& bucket, const std::string& key, Stored object);
  // The marker that was left, or whose version was removed; empty: neither.
  Stored take_away(Bucket& bucket, const std::string& key);
  Stored take_away_version(Bucket& bucket, const std::string& key, const std::string& version);

  // Why the write may not be; none: it may.
  std::optional<http::Response> refusal(const Call& call, const Bucket& bucket) const;
  // Why the body cannot be taken; none: it can.
  std::optional<http::Response> broken_body(const Call& call) const;
  Stored stored(const Call& call);
  // Headers of a write that come back with the object.
  http::Headers kept_of(const Call& call) const;
  std::string new_etag(BytesView body);
  std::string new_version();

  const ServiceOptions options_;
  Clock& clock_;
  std::mutex mutex_;  // of what follows
  std::map<std::string, Bucket, std::less<>> buckets_;
  std::uint64_t count_ = 0;
};

// Headers of a write that come back with the object.
http::Headers kept_headers(const Call& call);
std::string quoted(const std::string& etag);
std::string bare(std::string_view etag);  // without quotes
std::string http_date(Timestamp time);
std::string iso_time(Timestamp time);
std::string lower_case(std::string_view text);
// The parameter's value; without it an empty text.
std::string value_of(const Call& call, std::string_view name);
// The page's size that is asked for, at most a thousand; none: it is no number.
std::optional<std::size_t> page_size(const Call& call, std::string_view name);
http::Response no_such_key(const std::string& key);
http::Response malformed_xml();

}  // namespace stepstore::fault
