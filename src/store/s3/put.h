// A batch of writes: conditions are left to the server where it enforces them; else the store looks
// first.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "store/s3/bucket.h"

namespace stepstore::bucket {

// Why a conditional write must not happen, by what a look at the key has found; none: it may.
std::optional<StorageManagerError> refusal_by_look(const PutRequest& request,
                                                   const Result<ObjectInfo>& there);

// Used for one batch. Not thread-safe.
class Putter {
 public:
  Putter(Bucket& bucket, std::span<const PutRequest> items, const CallLimits& limits);

  // Outcomes as of ObjectStore::put(). `alongside` is sent in the same round trip.
  std::vector<Result<ETag>> run(const s3::Operation* alongside = nullptr);
  // The answer to it.
  Result<s3::Answer>&& beside() { return *std::move(beside_); }

 private:
  std::vector<std::size_t> open_items() const;  // those without an outcome
  std::vector<Result<ObjectInfo>> look_at(const std::vector<std::size_t>& which);
  void look_first();
  void send();
  // Some servers refuse to create over a delete marker, where a reader finds nothing: then the
  // object is written without a condition. The probe has said that two first writes may race there.
  void send_over_markers();

  Bucket& bucket_;
  const CallLimits& limits_;
  std::vector<PutRequest> items_;  // with the conditions that are left to the server
  std::vector<std::optional<Result<ETag>>> outcomes_;
  const s3::Operation* alongside_ = nullptr;
  std::optional<Result<s3::Answer>> beside_{};
  BucketProbe probe_{};
};

}  // namespace stepstore::bucket
