// LocalStore: objects as files below one directory, with S3's semantics and durable when
// acknowledged.
//
// Layout: an object is the file of its key. Beside the objects the store keeps .stepstore/tmp
// (unfinished writes), .stepstore/locks (flock files) and .stepstore/trash (directories on their
// way out); none of them is listed. Permissions: files 0600, directories 0700, whatever the umask.
// Symbolic links below the root are never followed.
#pragma once

#include <filesystem>
#include <memory>

#include "base/clock.h"
#include "base/files.h"
#include "base/random.h"
#include "stepstore/object_store.h"

namespace stepstore {

struct LocalStoreOptions {
  bool fsync = true;  // false: acknowledged objects may be lost when the machine crashes
};

// Usable after fork(): a child holds none of its parent's locks.
class LocalStore final : public ObjectStore {
 public:
  // Opens nothing. The first write creates the directory; a read of a missing one finds an empty
  // store. The store refuses (ConfigError) a root that others may write to: owner neither this user
  // nor root, or o+w.
  explicit LocalStore(const std::filesystem::path& root, LocalStoreOptions options = {},
                      Files& files = system_files(), Clock& clock = system_clock(),
                      Random& random = system_random());
  ~LocalStore() override;

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
