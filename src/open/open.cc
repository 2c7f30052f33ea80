// Composes a StorageManager from a URI, options and the environment. The only place that reads the
// environment.
#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "base/errors.h"
#include "base/fork.h"
#include "base/log.h"
#include "manager/manager_core.h"
#include "open/uri.h"
#include "store/local/local_store.h"
#include "store/memory_store.h"

namespace stepstore {
namespace {

std::optional<std::string> variable(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

// STEPSTORE_LOG is read once a process; a handler that the program sets later takes its place.
void set_up_logging() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (const auto level = variable("STEPSTORE_LOG")) log_to_stderr(parse_log_level(*level));
  });
}

// Stores that are shared by their name within the process, for as long as one of their users lives.
std::shared_ptr<ObjectStore> shared_memory_store(const std::string& name) {
  static auto* const mutex = new ForkMutex;
  static auto* const stores = new std::map<std::string, std::weak_ptr<ObjectStore>>;
  const std::lock_guard guard(*mutex);
  std::shared_ptr<ObjectStore> store = (*stores)[name].lock();
  if (!store) {
    store = std::make_shared<MemoryStore>();
    (*stores)[name] = store;
  }
  return store;
}

struct Choice {
  StoreUri uri;
  std::string reason;
};

Choice choose(std::string_view uri, const Options& options) {
  if (!uri.empty()) {
    if (options.local_base_path) {
      error(ErrorCode::ConfigError, "StorageManager", "",
            "both a URI and local_base_path name the place", "Pass one of them.")
          .raise();
    }
    return {parse_store_uri(uri), "it is the URI that was given"};
  }
  if (options.local_base_path) {
    return {{.path = options.local_base_path->string()}, "it is local_base_path"};
  }
  if (const auto path = variable("SM_LOCAL_BASE_PATH")) {
    return {{.path = *path}, "it is SM_LOCAL_BASE_PATH"};
  }
  return {{.path = "./.storage_data"}, "it is the default"};
}

std::shared_ptr<ManagerCore> open_core(std::string_view uri, Options options) {
  set_up_logging();
  const Choice choice = choose(uri, options);
  StorageInfo info{.reason = choice.reason};
  std::shared_ptr<ObjectStore> store;
  switch (choice.uri.scheme) {
    case StoreUri::Scheme::local: {
      const std::filesystem::path root =
          std::filesystem::absolute(choice.uri.path).lexically_normal();
      info.backend = "local";
      info.location = root.string();
      info.fsync = options.fsync.value_or(true);
      store = std::make_shared<LocalStore>(root, LocalStoreOptions{.fsync = info.fsync});
      break;
    }
    case StoreUri::Scheme::memory:
      info.backend = "memory";
      info.location = "memory:" + choice.uri.path;
      info.fsync = false;
      store = choice.uri.path.empty() ? std::make_shared<MemoryStore>()
                                      : shared_memory_store(choice.uri.path);
      break;
    case StoreUri::Scheme::s3:
      error(ErrorCode::Unsupported, "StorageManager", "", "this release does not store on S3 yet",
            "Use a path, memory: or memory:name.")
          .raise();
  }
  log_info("the store is {} ({}): {}", info.location, info.backend, info.reason);
  return std::make_shared<ManagerCore>(std::move(store), std::move(options), std::move(info));
}

}  // namespace

StorageManager::StorageManager(std::string_view uri, Options options)
    : core_(open_core(uri, std::move(options))) {}

}  // namespace stepstore
