#include "store/prefix_store.h"

#include <optional>
#include <utility>

#include "base/errors.h"

namespace stepstore {
namespace {

constexpr std::size_t kPrefixBytesMax = 300;

// Between the keys that callers see and those of the store inside.
class Translation {
 public:
  explicit Translation(std::string prefix) : prefix_(std::move(prefix)) {}

  ObjectKey inner(const ObjectKey& key) const { return ObjectKey(prefix_ + key.text()); }
  std::string outer(std::string_view text) const {
    return std::string(text.starts_with(prefix_) ? text.substr(prefix_.size()) : text);
  }
  ObjectInfo outer(ObjectInfo info) const {
    info.key = ObjectKey(outer(info.key.text()));
    return info;
  }
  Object outer(Object object) const {
    object.info = outer(std::move(object.info));
    return object;
  }
  ETag outer(ETag etag) const { return etag; }
  Done outer(Done done) const { return done; }
  StorageManagerError outer(const StorageManagerError& error) const {
    return told_as(error, error.operation(), outer(error.key()));
  }
  template <class T>
  Result<T> outer(Result<T> outcome) const {
    if (!outcome) return outer(outcome.error());
    return outer(std::move(outcome).value());
  }

  ObjectKey inner_item(const ObjectKey& key) const { return inner(key); }
  PutRequest inner_item(PutRequest item) const {
    item.key = inner(item.key);
    return item;
  }
  GetRequest inner_item(GetRequest item) const {
    item.key = inner(item.key);
    return item;
  }

  // Makes a call of the store inside; what it throws names the caller's key.
  template <class Call>
  auto call(Call&& call) const {
    try {
      return call();
    } catch (const StorageManagerError& error) {
      outer(error).raise();
    }
  }

  // Makes a call with a batch. A key that is too long with the prefix spoils its own item only.
  template <class T, class Item, class Call>
  std::vector<Result<T>> batch(std::span<const Item> items, Call&& call_inner) const {
    std::vector<std::optional<StorageManagerError>> refused(items.size());
    std::vector<Item> moved;
    moved.reserve(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
      try {
        moved.push_back(inner_item(items[i]));
      } catch (const InvalidArgument& too_long) {
        refused[i] = too_long;
      }
    }
    std::vector<Result<T>> told = call([&] { return call_inner(std::span<const Item>(moved)); });
    std::vector<Result<T>> outcomes;
    outcomes.reserve(items.size());
    std::size_t next = 0;
    for (const auto& error : refused) {
      if (error) {
        outcomes.emplace_back(*error);
      } else {
        outcomes.push_back(outer(std::move(told.at(next++))));
      }
    }
    return outcomes;
  }

 private:
  std::string prefix_;
};

class PrefixUpload final : public Upload {
 public:
  PrefixUpload(std::unique_ptr<Upload> inner, Translation keys)
      : inner_(std::move(inner)), keys_(std::move(keys)) {}

  void write(BytesView piece, const CallLimits& limits) override {
    keys_.call([&] { inner_->write(piece, limits); });
  }
  Result<ETag> finish(const Condition& condition, const CallLimits& limits) override {
    return keys_.outer(keys_.call([&] { return inner_->finish(condition, limits); }));
  }

 private:
  std::unique_ptr<Upload> inner_;
  Translation keys_;
};

}  // namespace

PrefixStore::PrefixStore(std::shared_ptr<ObjectStore> inner, std::string prefix)
    : inner_(std::move(inner)), prefix_(ObjectKey(std::move(prefix)).text() + "/") {
  if (prefix_.size() - 1 <= kPrefixBytesMax) return;
  error(ErrorCode::InvalidArgument, "open", prefix_,
        "the prefix has " + std::to_string(prefix_.size() - 1) + " bytes, and " +
            std::to_string(kPrefixBytesMax) + " are allowed",
        "Use a shorter prefix.")
      .raise();
}

std::vector<Result<ETag>> PrefixStore::put(std::span<const PutRequest> items,
                                           const CallLimits& limits) {
  return Translation(prefix_).batch<ETag>(
      items, [&](std::span<const PutRequest> moved) { return inner_->put(moved, limits); });
}

PublishResult PrefixStore::publish(const PublishRequest& request, const CallLimits& limits) {
  const Translation keys(prefix_);
  std::vector<PutRequest> parts;
  parts.reserve(request.parts.size());
  for (const PutRequest& part : request.parts) parts.push_back(keys.inner_item(part));
  const PutRequest commit = keys.inner_item(request.commit);
  std::optional<Guard> guard;
  if (request.guard) {
    guard = Guard{.key = keys.inner(request.guard->key), .holds = {}};
    if (request.guard->holds) {
      guard->holds = [&](const Object* found) {
        if (!found) return request.guard->holds(nullptr);
        const Object told = keys.outer(*found);
        return request.guard->holds(&told);
      };
    }
  }
  const PublishRequest moved{.parts = parts, .guard = std::move(guard), .commit = commit};
  PublishResult result = keys.call([&] { return inner_->publish(moved, limits); });
  for (Result<ETag>& part : result.parts) part = keys.outer(std::move(part));
  if (result.guard) result.guard = keys.outer(*std::move(result.guard));
  if (result.commit) result.commit = keys.outer(*std::move(result.commit));
  return result;
}

std::vector<Result<Object>> PrefixStore::get(std::span<const GetRequest> items,
                                             const CallLimits& limits) {
  return Translation(prefix_).batch<Object>(
      items, [&](std::span<const GetRequest> moved) { return inner_->get(moved, limits); });
}

std::vector<Result<ObjectInfo>> PrefixStore::head(std::span<const ObjectKey> keys,
                                                  const CallLimits& limits) {
  return Translation(prefix_).batch<ObjectInfo>(
      keys, [&](std::span<const ObjectKey> moved) { return inner_->head(moved, limits); });
}

ListPage PrefixStore::list(const ListRequest& request, const CallLimits& limits) {
  const Translation keys(prefix_);
  ListRequest moved = request;
  moved.prefix = prefix_ + request.prefix;
  // Without a start the first key is the first one below the prefix, which the prefix says already.
  if (!request.start_after.empty()) moved.start_after = prefix_ + request.start_after;
  ListPage page = keys.call([&] { return inner_->list(moved, limits); });
  for (ObjectInfo& object : page.objects) object = keys.outer(std::move(object));
  for (std::string& prefix : page.prefixes) prefix = keys.outer(prefix);
  page.next = keys.outer(page.next);
  return page;
}

std::vector<Result<Done>> PrefixStore::remove(std::span<const ObjectKey> keys,
                                              const CallLimits& limits) {
  return Translation(prefix_).batch<Done>(
      keys, [&](std::span<const ObjectKey> moved) { return inner_->remove(moved, limits); });
}

std::unique_ptr<Upload> PrefixStore::start_upload(const ObjectKey& key,
                                                  const std::string& content_type,
                                                  const CallLimits& limits) {
  Translation keys(prefix_);
  auto inner =
      keys.call([&] { return inner_->start_upload(keys.inner(key), content_type, limits); });
  return std::make_unique<PrefixUpload>(std::move(inner), std::move(keys));
}

PresignedUrl PrefixStore::link(const LinkRequest& request, const CallLimits& limits) {
  const Translation keys(prefix_);
  LinkRequest moved = request;
  moved.key = keys.inner(request.key);
  PresignedUrl made = keys.call([&] { return link_one(*inner_, moved, limits); });
  made.key = keys.outer(made.key);
  return made;
}

Capabilities PrefixStore::capabilities() const {
  Capabilities told = inner_->capabilities();
  told.stack = "prefix(" + prefix_.substr(0, prefix_.size() - 1) + ") > " + told.stack;
  return told;
}

}  // namespace stepstore
