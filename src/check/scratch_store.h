// ScratchStore: another store, for trials whose objects must not stay. It remembers what was
// written, so that it can be removed where nobody may list, and what went wrong on the way.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "stepstore/object_store.h"

namespace stepstore {

// Every call has the limits of the whole, in place of its own. Thread-safe.
class ScratchStore final : public ObjectStore {
 public:
  // Both must outlive it. `limits.interrupted` is asked on the thread that makes it only.
  ScratchStore(ObjectStore& inner, const CallLimits& limits);

  // Removes what was written and not removed; a line for each object that stays, with the reason,
  // and the next clear() tries it again. Never throws.
  std::vector<std::string> clear(const CallLimits& limits) noexcept;

  // The first error since forget_trouble() that is no answer to a question: the server cannot be
  // reached, is busy, or refuses this user.
  std::optional<StorageManagerError> trouble() const;
  void forget_trouble();

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
  Capabilities capabilities() const override { return inner_.capabilities(); }

 private:
  friend class ScratchUpload;
  CallLimits limits_here() const;
  void written(const ObjectKey& key);
  void note(const StorageManagerError& error);
  template <class T>
  void note_all(const std::vector<Result<T>>& outcomes);
  template <class Work>
  auto watch(Work&& work);
  std::set<ObjectKey> take_written();
  std::vector<std::string> removed(const std::vector<ObjectKey>& keys, const CallLimits& limits);

  ObjectStore& inner_;
  const CallLimits& limits_;
  const std::thread::id owner_ = std::this_thread::get_id();
  mutable std::mutex mutex_;  // of what follows
  std::set<ObjectKey> written_;
  std::optional<StorageManagerError> trouble_;
};

}  // namespace stepstore
