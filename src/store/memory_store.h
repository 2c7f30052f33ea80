// MemoryStore: objects in this process's memory, for tests and for "memory:".
#pragma once

#include <map>
#include <memory>
#include <shared_mutex>
#include <string>

#include "base/clock.h"
#include "stepstore/object_store.h"

namespace stepstore {

class MemoryStore final : public ObjectStore {
 public:
  explicit MemoryStore(Clock& clock = system_clock());
  ~MemoryStore() override;

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

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace stepstore
