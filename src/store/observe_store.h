// ObserveStore: tells a callback about every call to another store: what, how many items, how long,
// how it ended.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string_view>

#include "base/clock.h"
#include "stepstore/object_store.h"
#include "stepstore/presign.h"

namespace stepstore {

struct Observation {
  std::string_view
      operation;  // "put", "publish", "get", "head", "list", "remove", "upload", "link"
  std::size_t items = 0;
  std::uint64_t bytes_out = 0, bytes_in = 0;  // bodies written and read
  std::size_t failures = 0;                   // items whose outcome is an error
  std::chrono::nanoseconds duration{};
};

class ObserveStore final : public ObjectStore, public LinkMaker {
 public:
  // `observe` is called from any thread, also at the same time, after each call; it must not throw.
  ObserveStore(std::shared_ptr<ObjectStore> inner, std::function<void(const Observation&)> observe,
               Clock& clock = system_clock());

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
  PresignedUrl link(const LinkRequest& request, const CallLimits& limits) override;

 private:
  std::shared_ptr<ObjectStore> inner_;
  std::function<void(const Observation&)> observe_;
  Clock& clock_;
};

}  // namespace stepstore
