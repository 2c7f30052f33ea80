// What every operation of the S3 store needs: the client, what is known of the bucket, and answers
// turned into outcomes.
#pragma once

#include <atomic>
#include <memory>
#include <string_view>

#include "base/errors.h"
#include "base/single_flight.h"
#include "s3/client.h"
#include "stepstore/presign.h"
#include "store/s3/s3_store.h"

namespace stepstore::bucket {

// What is known of the bucket; found out once.
class Dialect {
 public:
  // Null: nothing yet.
  std::shared_ptr<const BucketProbe> known() const { return known_.load(); }
  void learn(const BucketProbe& probe) { known_.store(std::make_shared<const BucketProbe>(probe)); }
  // Calls `find_out` unless it is known; one thread at a time, the others wait. Throws what
  // `find_out` throws.
  template <class FindOut>
  BucketProbe ensure(Clock& clock, const CallLimits& limits, FindOut&& find_out);

 private:
  std::atomic<std::shared_ptr<const BucketProbe>> known_{};
  SingleFlight finding_{};
};

struct Bucket {
  std::shared_ptr<s3::Client> client;
  S3StoreOptions options;
  Clock& clock;
  Random& random;
  Dialect dialect{};
  // require_sse: the server was seen to encrypt. Several threads may look at the same time.
  mutable std::atomic<bool> encrypts{false};

  // The key of the bucket for one of stepstore's own.
  ObjectKey own(const ObjectKey& key) const {
    return options.prefix.empty() ? key : ObjectKey(options.prefix + '/' + key.text());
  }
  BucketProbe probe(const CallLimits& limits);
  // Whether it is a component's key: those have the storage class and the tags.
  bool holds_data(const ObjectKey& key) const;
  s3::PutOptions put_options(const ObjectKey& key) const;

  // As of s3::Client, but what ends the whole call is thrown.
  std::vector<Result<s3::Answer>> send(std::span<const s3::Operation> operations,
                                       const CallLimits& limits) const;
  Result<s3::Answer> send_one(const s3::Operation& operation, const CallLimits& limits) const;
};

// The same failure as one of `operation` on `key`, with another code and words.
StorageManagerError retold(const StorageManagerError& from, ErrorCode code,
                           std::string_view operation, std::string_view key, std::string message);

// An ETag without the quotes that servers put around it.
ETag plain_etag(std::string_view text);

// Why such a read cannot be asked for; none: it can.
std::optional<StorageManagerError> fault_of(const GetRequest& request);

// Answers as outcomes.
Result<ETag> told_put(const PutRequest& request, const Result<s3::Answer>& answer);
Result<Object> told_get(const GetRequest& request, Result<s3::Answer>&& answer);
Result<ObjectInfo> told_head(const ObjectKey& key, const Result<s3::Answer>& answer);

std::vector<Result<ETag>> put(Bucket& bucket, std::span<const PutRequest> items,
                              const CallLimits& limits);
PublishResult publish(Bucket& bucket, const PublishRequest& request, const CallLimits& limits);
std::vector<Result<ObjectInfo>> head(Bucket& bucket, std::span<const ObjectKey> keys,
                                     const CallLimits& limits);
ListPage list(Bucket& bucket, const ListRequest& request, const CallLimits& limits);
std::vector<Result<Done>> remove(Bucket& bucket, std::span<const ObjectKey> keys,
                                 const CallLimits& limits);
PresignedUrl link(Bucket& bucket, const LinkRequest& request, const CallLimits& limits);
std::unique_ptr<Upload> start_upload(std::shared_ptr<Bucket> bucket, const ObjectKey& key,
                                     const std::string& content_type, const CallLimits& limits);

// What no item has by itself.
inline bool ends_the_call(const StorageManagerError& failed) {
  const ErrorCode code = failed.code();
  return code == ErrorCode::Cancelled || code == ErrorCode::Closed ||
         code == ErrorCode::ConfigError;
}

// Does the work for all items. What fails before any item is sent is every item's outcome; what
// ends the whole call is thrown on.
template <class T, class Work>
std::vector<Result<T>> for_all(std::size_t items, Work&& work) {
  try {
    return work();
  } catch (const StorageManagerError& failed) {
    if (ends_the_call(failed)) throw;
    return std::vector<Result<T>>(items, Result<T>(failed));
  }
}

template <class FindOut>
BucketProbe Dialect::ensure(Clock& clock, const CallLimits& limits, FindOut&& find_out) {
  while (true) {
    if (const auto found = known()) return *found;
    check_limits(limits, clock, "probe");
    const auto turn = finding_.take();
    if (!turn) {
      clock.sleep(std::chrono::milliseconds(2));
      continue;
    }
    if (const auto found = known()) return *found;
    learn(find_out());
  }
}

}  // namespace stepstore::bucket
