// Service: an S3 endpoint in memory. What it is asked is done under one lock, at once; so every
// condition has exactly one winner, unless a dialect says otherwise.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

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
  bool ignores_encoding_type = false;  // as versitygw
  bool no_bulk_delete = false;
  bool ignores_checksums = false;
};

struct Stored {
  Bytes body{};
  std::string etag{};    // without quotes
  http::Headers kept{};  // content type, user metadata and checksums, as they are given back
  Timestamp modified{};
};

struct PendingUpload {
  std::string key{};
  http::Headers kept{};
  std::map<int, Stored> parts{};
  Timestamp begun{};
};

struct Bucket {
  std::map<std::string, Stored, std::less<>> objects{};
  std::map<std::string, PendingUpload, std::less<>> uploads{};
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
  http::Response answer(const Call& call);

 private:
  http::Response about_bucket(const Call& call);
  http::Response about_object(const Call& call, Bucket& bucket);
  http::Response put(const Call& call, Bucket& bucket);
  http::Response get(const Call& call, Bucket& bucket);
  http::Response list(const Call& call, const Bucket& bucket) const;
  http::Response remove_many(const Call& call, Bucket& bucket);
  http::Response begin_upload(const Call& call, Bucket& bucket);
  http::Response put_part(const Call& call, Bucket& bucket);
  http::Response complete(const Call& call, Bucket& bucket);
  http::Response list_uploads(const Call& call, const Bucket& bucket) const;

  // Why the write may not be; none: it may.
  std::optional<http::Response> refusal(const Call& call, const Bucket& bucket,
                                        bool completion) const;
  std::optional<http::Response> broken_checksum(const Call& call) const;
  Stored stored(const Call& call);
  std::string new_etag(BytesView body);

  const ServiceOptions options_;
  Clock& clock_;
  std::mutex mutex_;  // of what follows
  std::map<std::string, Bucket, std::less<>> buckets_;
  std::uint64_t count_ = 0;
};

// Headers of a write that come back with the object.
http::Headers kept_headers(const Call& call);
std::string quoted(const std::string& etag);
std::string http_date(Timestamp time);
std::string iso_time(Timestamp time);

}  // namespace stepstore::fault
