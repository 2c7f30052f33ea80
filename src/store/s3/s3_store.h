// S3Store: objects in a bucket of any S3 server, with the contract of ObjectStore.
//
// A publish takes two round trips, whatever the number of parts; a batch of reads takes one. Each
// request is repeated by itself when it fails for a moment (src/s3).
//
// Servers differ in what they enforce, and do not say so. Before its first conditional write the
// store therefore looks at what was found out about the bucket (format.json), or tries it itself
// and writes that down. A condition that the bucket does not enforce is checked by looking first,
// which is no help in a race; capabilities() says so.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "model/bucket_exam.h"
#include "model/format_marker.h"
#include "s3/client.h"
#include "stepstore/object_store.h"
#include "stepstore/presign.h"

namespace stepstore {

struct S3StoreOptions {
  std::string prefix{};  // of the whole store, without a closing slash: there lies its format.json
  std::uint64_t part_bytes = std::uint64_t{8} << 20U;  // of an upload; at least 5 MiB
  std::size_t parts_at_once = 4;
  std::chrono::hours probe_age_max{7 * 24};
};

// Thread-safe; usable after fork() in the child.
class S3Store final : public ObjectStore, public LinkMaker, public BucketExam {
 public:
  // No network here. Keys are those of the bucket: `options.prefix` is not put in front of them.
  S3Store(std::shared_ptr<s3::Client> client, S3StoreOptions options, Clock& clock, Random& random);
  ~S3Store() override;

  std::vector<Result<ETag>> put(std::span<const PutRequest> items,
                                const CallLimits& limits) override;
  PublishResult publish(const PublishRequest& request, const CallLimits& limits) override;
  std::vector<Result<Object>> get(std::span<const GetRequest> items,
                                  const CallLimits& limits) override;
  std::vector<Result<ObjectInfo>> head(std::span<const ObjectKey> keys,
                                       const CallLimits& limits) override;
  ListPage list(const ListRequest& request, const CallLimits& limits) override;
  std::vector<Result<Done>> remove(std::span<const ObjectKey> keys,
                                   const CallLimits& limits) override;
  std::unique_ptr<Upload> start_upload(const ObjectKey& key, const std::string& content_type,
                                       const CallLimits& limits) override;
  Capabilities capabilities() const override;

  // An upload's link needs a bucket that enforces If-None-Match, which is found out now.
  PresignedUrl link(const LinkRequest& request, const CallLimits& limits) override;

  // What the bucket enforces, found out now if it is not known. Throws what keeps it from being
  // found out.
  BucketProbe probe(const CallLimits& limits);
  // Asks the server about more than this store relies on.
  std::unique_ptr<Examination> examine(std::string id, bool thorough,
                                       const CallLimits& limits) override;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace stepstore
