#include "store/s3/s3_store.h"

#include <algorithm>

#include "store/s3/bucket.h"
#include "store/s3/exam.h"
#include "store/s3/probe.h"

namespace stepstore {

struct S3Store::State : bucket::Bucket {};

S3Store::S3Store(std::shared_ptr<s3::Client> client, S3StoreOptions options, Clock& clock,
                 Random& random)
    : state_(new State{{.client = std::move(client),
                        .options = std::move(options),
                        .clock = clock,
                        .random = random}}) {
  if (state_->options.part_bytes < std::uint64_t{5} << 20U || state_->options.parts_at_once == 0) {
    error(ErrorCode::ConfigError, "S3Store", "", "parts are smaller than the 5 MiB that S3 takes",
          "Leave part_bytes at 8 MiB, and send at least one part at once.")
        .raise();
  }
}
S3Store::~S3Store() = default;

std::vector<Result<ETag>> S3Store::put(std::span<const PutRequest> items,
                                       const CallLimits& limits) {
  return bucket::put(*state_, items, limits);
}

PublishResult S3Store::publish(const PublishRequest& request, const CallLimits& limits) {
  return bucket::publish(*state_, request, limits);
}

std::vector<Result<Object>> S3Store::get(std::span<const GetRequest> items,
                                         const CallLimits& limits) {
  return bucket::for_all<Object>(items.size(), [&] {
    constexpr std::uint64_t kBytesMax = std::uint64_t{5} << 40U;
    std::vector<s3::Operation> operations;
    std::vector<std::optional<StorageManagerError>> refused(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
      refused[i] = bucket::fault_of(items[i]);
      if (refused[i]) continue;
      operations.push_back(s3::get_object(items[i], kBytesMax));
      operations.back().may_be_absent = true;
    }
    auto answers = state_->send(operations, limits);
    std::vector<Result<Object>> outcomes;
    outcomes.reserve(items.size());
    std::size_t next = 0;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (refused[i]) {
        outcomes.emplace_back(*std::move(refused[i]));
      } else {
        outcomes.push_back(bucket::told_get(items[i], std::move(answers[next++])));
      }
    }
    return outcomes;
  });
}

std::vector<Result<ObjectInfo>> S3Store::head(std::span<const ObjectKey> keys,
                                              const CallLimits& limits) {
  return bucket::for_all<ObjectInfo>(keys.size(),
                                     [&] { return bucket::head(*state_, keys, limits); });
}

ListPage S3Store::list(const ListRequest& request, const CallLimits& limits) {
  return bucket::list(*state_, request, limits);
}

std::vector<Result<Done>> S3Store::remove(std::span<const ObjectKey> keys,
                                          const CallLimits& limits) {
  return bucket::for_all<Done>(keys.size(), [&] { return bucket::remove(*state_, keys, limits); });
}

std::unique_ptr<Upload> S3Store::start_upload(const ObjectKey& key, const std::string& content_type,
                                              const CallLimits& limits) {
  return bucket::start_upload({state_, state_.get()}, key, content_type, limits);
}

Capabilities S3Store::capabilities() const {
  Capabilities told{.stack = "s3"};
  if (const auto probe = state_->dialect.known()) {
    told.create_if_absent = probe->create_if_absent;
    told.swap_if_unchanged = probe->swap_if_unchanged;
    told.upload_if_absent = probe->complete_if_absent;
    told.notes = notes_of(*probe);
  }
  return told;
}

PresignedUrl S3Store::link(const LinkRequest& request, const CallLimits& limits) {
  return bucket::link(*state_, request, limits);
}

BucketProbe S3Store::probe(const CallLimits& limits) { return state_->probe(limits); }

std::unique_ptr<Examination> S3Store::examine(std::string id, bool thorough,
                                              const CallLimits& limits) {
  return bucket::start_exam({state_, state_.get()}, std::move(id), thorough, limits);
}

}  // namespace stepstore
