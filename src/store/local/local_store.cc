#include "store/local/local_store.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>

#include "store/local/core.h"
#include "store/local/reader.h"
#include "store/local/writer.h"

namespace stepstore {
namespace {

// What the file system below the root promises less. The root may not exist yet.
std::vector<std::string> notes_of(std::filesystem::path path) {
  struct statfs told{};
  while (::statfs(path.c_str(), &told) != 0 && path != path.parent_path()) {
    path = path.parent_path();
  }
  switch (static_cast<unsigned long>(told.f_type)) {
    case TMPFS_MAGIC:
      return {"The directory lies in memory (tmpfs): the objects are lost when the machine stops."};
    case OVERLAYFS_SUPER_MAGIC:
      return {
          "The directory lies in a container's own layer (overlay): the objects are lost with the "
          "container."};
    case NFS_SUPER_MAGIC:
      return {"The directory lies on NFS: locks and durability are the server's to keep."};
    default:
      return {};
  }
}

}  // namespace

struct LocalStore::State {
  State(const std::filesystem::path& root, LocalStoreOptions options, Files& files, Clock& clock,
        Random& random)
      : core(root, options, files, clock, random), workshop(core) {}
  local::Core core;
  local::Workshop workshop;
};

LocalStore::LocalStore(const std::filesystem::path& root, LocalStoreOptions options, Files& files,
                       Clock& clock, Random& random)
    : state_(std::make_shared<State>(root, options, files, clock, random)) {}
LocalStore::~LocalStore() = default;

std::vector<Result<ETag>> LocalStore::put(std::span<const PutRequest> items,
                                          const CallLimits& limits) {
  std::vector<Result<ETag>> outcomes;
  outcomes.reserve(items.size());
  for (const PutRequest& request : items) {
    outcomes.push_back(local::put(state_->core, state_->workshop, request, limits));
  }
  return outcomes;
}

PublishResult LocalStore::publish(const PublishRequest& request, const CallLimits& limits) {
  return local::publish(state_->core, state_->workshop, request, limits);
}

std::vector<Result<Object>> LocalStore::get(std::span<const GetRequest> items,
                                            const CallLimits& limits) {
  return local::get(state_->core, items, limits);
}

std::vector<Result<ObjectInfo>> LocalStore::head(std::span<const ObjectKey> keys,
                                                 const CallLimits& limits) {
  return local::head(state_->core, keys, limits);
}

ListPage LocalStore::list(const ListRequest& request, const CallLimits& limits) {
  return local::list(state_->core, request, limits);
}

std::vector<Result<Done>> LocalStore::remove(std::span<const ObjectKey> keys,
                                             const CallLimits& limits) {
  return local::remove(state_->core, keys, limits);
}

std::unique_ptr<Upload> LocalStore::start_upload(const ObjectKey& key, const std::string&,
                                                 const CallLimits& limits) {
  // The upload keeps the state alive, so it may outlive the store.
  return local::start_upload({state_, &state_->core}, {state_, &state_->workshop}, key, limits);
}

Capabilities LocalStore::capabilities() const {
  Capabilities told{.stack = "local", .durable = state_->core.options.fsync, .notes = {}};
  told.notes = notes_of(state_->core.path);
  if (!told.durable) {
    told.notes.emplace_back(
        "fsync is off: acknowledged objects may be lost when the machine crashes.");
  }
  return told;
}

}  // namespace stepstore
