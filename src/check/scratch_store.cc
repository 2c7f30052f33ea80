#include "check/scratch_store.h"

#include <algorithm>
#include <utility>

namespace stepstore {
namespace {

bool is_trouble(const StorageManagerError& error) {
  switch (error.code()) {
    case ErrorCode::Unavailable:
    case ErrorCode::Throttled:
    case ErrorCode::Timeout:
    case ErrorCode::Io:
    case ErrorCode::NoSpace:
    case ErrorCode::PermissionDenied:
    case ErrorCode::Unauthenticated:
    case ErrorCode::Cancelled:
    case ErrorCode::Closed:
    case ErrorCode::ConfigError:
      return true;
    default:
      return false;
  }
}

// Some servers answer 500 to who loses a race.
bool lost_race(const PutRequest& item, const Result<ETag>& outcome) {
  return !outcome && outcome.error().outcome_unknown() &&
         item.condition.kind != Condition::Kind::none;
}

}  // namespace

ScratchStore::ScratchStore(ObjectStore& inner, const CallLimits& limits)
    : inner_(inner), limits_(limits) {}

CallLimits ScratchStore::limits_here() const {
  CallLimits here = limits_;
  if (std::this_thread::get_id() != owner_) here.interrupted = {};
  return here;
}

void ScratchStore::written(const ObjectKey& key) {
  const std::lock_guard lock(mutex_);
  written_.insert(key);
}

void ScratchStore::note(const StorageManagerError& error) {
  if (!is_trouble(error)) return;
  const std::lock_guard lock(mutex_);
  if (!trouble_) trouble_ = error;
}

template <class T>
void ScratchStore::note_all(const std::vector<Result<T>>& outcomes) {
  for (const Result<T>& outcome : outcomes) {
    if (!outcome) note(outcome.error());
  }
}

template <class Work>
auto ScratchStore::watch(Work&& work) {
  try {
    return work();
  } catch (const StorageManagerError& error) {
    note(error);
    throw;
  }
}

class ScratchUpload final : public Upload {
 public:
  ScratchUpload(ScratchStore& store, ObjectKey key, std::unique_ptr<Upload> inner)
      : store_(store), key_(std::move(key)), inner_(std::move(inner)) {}

  void write(BytesView piece, const CallLimits&) override {
    store_.watch([&] {
      inner_->write(piece, store_.limits_here());
      return true;
    });
  }
  Result<ETag> finish(const Condition& condition, const CallLimits&) override {
    store_.written(key_);
    auto outcome = store_.watch([&] { return inner_->finish(condition, store_.limits_here()); });
    if (!outcome) store_.note(outcome.error());
    return outcome;
  }

 private:
  ScratchStore& store_;
  ObjectKey key_;
  std::unique_ptr<Upload> inner_;
};

std::optional<StorageManagerError> ScratchStore::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

void ScratchStore::forget_trouble() {
  const std::lock_guard lock(mutex_);
  trouble_.reset();
}

std::set<ObjectKey> ScratchStore::take_written() {
  const std::lock_guard lock(mutex_);
  return std::exchange(written_, {});
}

// What cannot be removed together is removed one by one: some servers have no bulk delete.
std::vector<std::string> ScratchStore::removed(const std::vector<ObjectKey>& keys,
                                               const CallLimits& limits) {
  std::vector<std::string> stays;
  const auto outcomes = inner_.remove(keys, limits);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (outcomes[i]) continue;
    const auto again = remove_one(inner_, keys[i], limits);
    if (again || head_one(inner_, keys[i], limits).is(ErrorCode::NotFound)) continue;
    stays.push_back(keys[i].text() + ": " + again.error().what());
    written(keys[i]);
  }
  return stays;
}

std::vector<std::string> ScratchStore::clear(const CallLimits& limits) noexcept {
  const std::set<ObjectKey> all = take_written();
  const std::vector<ObjectKey> keys(all.begin(), all.end());
  if (keys.empty()) return {};
  try {
    return removed(keys, limits);
  } catch (const std::exception& failed) {
    std::vector<std::string> stays;
    for (const ObjectKey& key : keys) {
      stays.push_back(key.text() + ": " + failed.what());
      written(key);
    }
    return stays;
  }
}

std::vector<Result<ETag>> ScratchStore::put(std::span<const PutRequest> items, const CallLimits&) {
  for (const PutRequest& item : items) written(item.key);
  auto outcomes = watch([&] { return inner_.put(items, limits_here()); });
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!outcomes[i] && !lost_race(items[i], outcomes[i])) note(outcomes[i].error());
  }
  return outcomes;
}

PublishResult ScratchStore::publish(const PublishRequest& request, const CallLimits&) {
  for (const PutRequest& part : request.parts) written(part.key);
  written(request.commit.key);
  PublishResult result = watch([&] { return inner_.publish(request, limits_here()); });
  note_all(result.parts);
  if (result.commit && !*result.commit && !lost_race(request.commit, *result.commit)) {
    note(result.commit->error());
  }
  return result;
}

std::vector<Result<Object>> ScratchStore::get(std::span<const GetRequest> items,
                                              const CallLimits&) {
  auto outcomes = watch([&] { return inner_.get(items, limits_here()); });
  note_all(outcomes);
  return outcomes;
}

std::vector<Result<ObjectInfo>> ScratchStore::head(std::span<const ObjectKey> keys,
                                                   const CallLimits&) {
  auto outcomes = watch([&] { return inner_.head(keys, limits_here()); });
  note_all(outcomes);
  return outcomes;
}

ListPage ScratchStore::list(const ListRequest& request, const CallLimits&) {
  return watch([&] { return inner_.list(request, limits_here()); });
}

std::vector<Result<Done>> ScratchStore::remove(std::span<const ObjectKey> keys, const CallLimits&) {
  auto outcomes = watch([&] { return inner_.remove(keys, limits_here()); });
  note_all(outcomes);
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (outcomes[i]) written_.erase(keys[i]);
  }
  return outcomes;
}

std::unique_ptr<Upload> ScratchStore::start_upload(const ObjectKey& key,
                                                   const std::string& content_type,
                                                   const CallLimits&) {
  auto inner = watch([&] { return inner_.start_upload(key, content_type, limits_here()); });
  return std::make_unique<ScratchUpload>(*this, key, std::move(inner));
}

}  // namespace stepstore
