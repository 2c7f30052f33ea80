// The stores that the StorageManager suite runs over.
#include <filesystem>

#include "base/ulid.h"
#include "manager/manager_fixture.h"
#include "store/local/local_store.h"
#include "store/memory_store.h"
#include "store/prefix_store.h"

namespace stepstore {
namespace {

// A directory that goes with the last user of the store in it.
std::shared_ptr<ObjectStore> local_store(bool fsync, Clock& clock) {
  const auto root = std::filesystem::temp_directory_path() /
                    ("stepstore-test-" + make_ulid(system_clock(), system_random()));
  auto* const store = new LocalStore(root, {.fsync = fsync}, system_files(), clock);
  return {store, [root](ObjectStore* object) {
            delete object;
            std::filesystem::remove_all(root);
          }};
}

}  // namespace

std::vector<ManagerStore> quick_manager_stores() {
  return {
      {"memory", [](Clock& clock) { return std::make_shared<MemoryStore>(clock); }},
      {"local", [](Clock& clock) { return local_store(false, clock); }},
  };
}

std::vector<ManagerStore> manager_stores() {
  std::vector<ManagerStore> stores = quick_manager_stores();
  stores.push_back({"local_fsync", [](Clock& clock) { return local_store(true, clock); }});
  stores.push_back({"prefix", [](Clock& clock) {
                      return std::make_shared<PrefixStore>(std::make_shared<MemoryStore>(clock),
                                                           "team/runs");
                    }});
  return stores;
}

}  // namespace stepstore
