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
#include "http/client.h"
#include "manager/manager_core.h"
#include "open/s3_settings.h"
#include "open/uri.h"
#include "store/local/local_store.h"
#include "store/memory_store.h"
#include "store/prefix_store.h"
#include "store/s3/s3_store.h"

namespace stepstore {
namespace {

std::optional<std::string> variable(std::string_view name) {
  const char* const value = std::getenv(std::string(name).c_str());
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

struct Named {
  std::string value;
  std::string by;  // in words
};

std::optional<Named> bucket_named(const Options& options) {
  if (options.s3_bucket_name) return Named{*options.s3_bucket_name, "s3_bucket_name"};
  if (const auto name = variable("SM_S3_BUCKET_NAME")) return Named{*name, "SM_S3_BUCKET_NAME"};
  return std::nullopt;
}

std::optional<Named> directory_named(const Options& options) {
  if (options.local_base_path) {
    return Named{options.local_base_path->string(), "local_base_path"};
  }
  if (const auto path = variable("SM_LOCAL_BASE_PATH")) return Named{*path, "SM_LOCAL_BASE_PATH"};
  return std::nullopt;
}

// S3 where a bucket is configured, a directory otherwise.
Choice choose(std::string_view uri, const Options& options) {
  if (!uri.empty()) {
    if (options.local_base_path || options.s3_bucket_name) {
      error(ErrorCode::ConfigError, "StorageManager", "",
            std::string("both a URI and ") +
                (options.local_base_path ? "local_base_path" : "s3_bucket_name") +
                " name the place",
            "Pass one of them.")
          .raise();
    }
    return {parse_store_uri(uri), "it is the URI that was given"};
  }
  const auto bucket = bucket_named(options);
  const auto directory = directory_named(options);
  if (bucket && options.prefer_s3) {
    return {{.scheme = StoreUri::Scheme::s3, .bucket = bucket->value},
            bucket->by + " names a bucket" + (directory ? ", and S3 is preferred" : "")};
  }
  std::string reason = directory ? "it is " + directory->by : "it is the default";
  if (bucket) reason += ", and prefer_s3 is false";
  return {{.path = directory ? directory->value : "./.storage_data"}, reason};
}

struct OpenBucket {
  std::shared_ptr<ObjectStore> store;
  std::shared_ptr<BucketExam> exam;
};

OpenBucket open_bucket(const S3Settings& settings, StorageInfo& info) {
  if (!settings.client.endpoint.tls && !settings.client.endpoint.loopback()) {
    info.notes.push_back("Requests go to " + settings.client.endpoint.text() +
                         " without TLS: others on the way can read the recordings. Use https.");
    log_warning("{}", info.notes.back());
  }
  if (const http::Proxy* const proxy = way_to(settings.client.endpoint, settings.network)) {
    log_info("requests to {} go through {}", settings.client.endpoint.text(), proxy->text());
  }
  auto transport = std::make_shared<http::Client>(settings.network.http, system_clock());
  auto client = std::make_shared<s3::Client>(settings.client, std::move(transport),
                                             settings.credentials, system_clock(), system_random());
  const auto store =
      std::make_shared<S3Store>(std::move(client), S3StoreOptions{.prefix = settings.prefix},
                                system_clock(), system_random());
  if (settings.prefix.empty()) return {store, store};
  return {std::make_shared<PrefixStore>(store, settings.prefix), store};
}

std::shared_ptr<ManagerCore> open_core(std::string_view uri, Options options) {
  set_up_logging();
  const Choice choice = choose(uri, options);
  StorageInfo info{.reason = choice.reason};
  std::shared_ptr<ObjectStore> store;
  std::shared_ptr<BucketExam> exam;
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
    case StoreUri::Scheme::s3: {
      const S3Settings settings = s3_settings(choice.uri, options, variable);
      info.backend = "s3";
      info.location = settings.location();
      info.fsync = false;
      OpenBucket bucket = open_bucket(settings, info);
      store = std::move(bucket.store);
      exam = std::move(bucket.exam);
      break;
    }
  }
  log_info("the store is {} ({}): {}", info.location, info.backend, info.reason);
  return std::make_shared<ManagerCore>(std::move(store), std::move(options), std::move(info),
                                       system_clock(), system_random(), std::move(exam));
}

}  // namespace

StorageManager::StorageManager(std::string_view uri, Options options)
    : core_(open_core(uri, std::move(options))) {}

}  // namespace stepstore
