#include "testing/scripted_store.h"

#include <algorithm>
#include <utility>

#include "base/errors.h"

namespace stepstore {
namespace {

using Kind = ScriptedAction::Kind;
using Operation = ScriptedOperation;

StorageManagerError no_answer(std::string_view operation, const std::string& key, bool write) {
  const StorageManagerError lost =
      error(ErrorCode::Unavailable, operation, key, "the script has lost the answer");
  return write ? unknown_outcome(lost) : lost;
}

StorageManagerError scripted_failure(const ScriptedAction& action, std::string_view operation,
                                     const std::string& key) {
  const StorageManagerError failed = error(action.code, operation, key, "the script says so");
  return action.definite ? failed : unknown_outcome(failed);
}

// A put that outlives its call.
struct OwnedPut {
  explicit OwnedPut(const PutRequest& item) : body(Bytes::copy(item.body)), request(item) {
    request.body = body.view();
  }
  Bytes body;
  PutRequest request;
};

}  // namespace

struct ScriptedStore::State {
  std::shared_ptr<ObjectStore> inner;
  Hook hook;
  mutable std::mutex mutex{};
  std::vector<ScriptedRequest> requests{};

  ScriptedAction ask(const ScriptedRequest& request) {
    {
      const std::lock_guard lock(mutex);
      requests.push_back(request);
    }
    ScriptedAction action = hook ? hook(request) : ScriptedAction{};
    if (action.gate) action.gate->pass();
    return action;
  }

  // One request under its action. `make_effect` gives a closure that owns all it needs; it is only
  // asked for when the request comes late.
  template <class T, class Work, class MakeEffect>
  Result<T> request(const ScriptedRequest& asked, std::string_view told_as_operation, bool write,
                    Work&& work, MakeEffect&& make_effect) {
    const std::string key = asked.key;
    const ScriptedAction action = ask(asked);
    switch (action.kind) {
      case Kind::pass:
        return work();
      case Kind::duplicate:
        (void)work();
        return work();
      case Kind::lost_answer:
        (void)work();
        return no_answer(told_as_operation, key, write);
      case Kind::late:
        if (write && action.late) action.late->send(make_effect());
        return no_answer(told_as_operation, key, write);
      case Kind::fail:
        return scripted_failure(action, told_as_operation, key);
    }
    return work();
  }

  Result<ETag> put(Operation operation, const PutRequest& item, const CallLimits& limits) {
    return request<ETag>(
        {operation, item.key.text(), item.condition.kind}, "put", true,
        [&] { return put_one(*inner, item, limits); },
        [&]() -> std::function<void()> {
          return [store = inner, owned = std::make_shared<OwnedPut>(item)] {
            (void)put_one(*store, owned->request);
          };
        });
  }

  Result<Object> get(Operation operation, const GetRequest& item, const CallLimits& limits) {
    return request<Object>(
        {operation, item.key.text()}, "get", false,
        [&] { return std::move(inner->get({&item, 1}, limits).at(0)); },
        [] { return std::function<void()>(); });
  }
};

namespace {

template <class State>
class ScriptedUpload final : public Upload {
 public:
  ScriptedUpload(std::shared_ptr<State> state, std::shared_ptr<Upload> inner, std::string key)
      : state_(std::move(state)), inner_(std::move(inner)), key_(std::move(key)) {}

  void write(BytesView piece, const CallLimits& limits) override { inner_->write(piece, limits); }
  Result<ETag> finish(const Condition& condition, const CallLimits& limits) override {
    return state_->template request<ETag>(
        {Operation::upload, key_, condition.kind}, "upload", true,
        [&] { return inner_->finish(condition, limits); },
        [&]() -> std::function<void()> {
          return [upload = inner_, condition] { (void)upload->finish(condition, {}); };
        });
  }

 private:
  std::shared_ptr<State> state_;
  std::shared_ptr<Upload> inner_;
  std::string key_;
};

// A publish that outlives its call.
struct OwnedPublish {
  explicit OwnedPublish(const PublishRequest& from) : guard(from.guard), commit(from.commit) {
    parts.reserve(from.parts.size());
    for (const PutRequest& part : from.parts) parts.emplace_back(part);
  }
  void apply(ObjectStore& store) const {
    std::vector<PutRequest> items;
    for (const OwnedPut& part : parts) items.push_back(part.request);
    (void)store.publish({.parts = items, .guard = guard, .commit = commit.request}, {});
  }
  std::vector<OwnedPut> parts{};
  std::optional<Guard> guard;
  OwnedPut commit;
};

}  // namespace

ScriptedStore::ScriptedStore(std::shared_ptr<ObjectStore> inner, Hook hook, Publish publish)
    : state_(std::make_shared<State>(std::move(inner), std::move(hook))), publish_(publish) {}

std::vector<ScriptedRequest> ScriptedStore::requests() const {
  const std::lock_guard lock(state_->mutex);
  return state_->requests;
}

std::size_t ScriptedStore::count(ScriptedOperation operation, std::string_view suffix) const {
  const auto all = requests();
  return static_cast<std::size_t>(std::ranges::count_if(all, [&](const ScriptedRequest& request) {
    return request.operation == operation && request.key.ends_with(suffix);
  }));
}

void ScriptedStore::forget_requests() {
  const std::lock_guard lock(state_->mutex);
  state_->requests.clear();
}

std::vector<Result<ETag>> ScriptedStore::put(std::span<const PutRequest> items,
                                             const CallLimits& limits) {
  std::vector<Result<ETag>> outcomes;
  for (const PutRequest& item : items) {
    outcomes.push_back(state_->put(Operation::put, item, limits));
  }
  return outcomes;
}

PublishResult ScriptedStore::publish(const PublishRequest& request, const CallLimits& limits) {
  if (publish_ == Publish::whole) return publish_whole(request, limits);
  PublishResult result;
  result.parts = put(request.parts, limits);
  const bool parts_taken = std::ranges::all_of(result.parts, &Result<ETag>::ok);
  if (request.guard) {
    const GetRequest read{.key = request.guard->key, .range = {}, .if_match = {}};
    Result<Object> found = state_->get(Operation::guard, read, limits);
    if (!found && !found.is(ErrorCode::NotFound)) {
      // What the guard says is not known, so nothing may be committed.
      if (parts_taken) {
        result.commit = told_as(found.error(), "publish", request.guard->key.text());
      }
      return result;
    }
    if (found) result.guard = std::move(found).value();
    const Object* const object = result.guard ? &*result.guard : nullptr;
    result.guard_held = request.guard->holds ? request.guard->holds(object) : object == nullptr;
  }
  if (!result.guard_held || !parts_taken) return result;
  result.commit = state_->put(Operation::commit, request.commit, limits);
  return result;
}

PublishResult ScriptedStore::publish_whole(const PublishRequest& request,
                                           const CallLimits& limits) {
  const std::string& key = request.commit.key.text();
  const ScriptedAction action =
      state_->ask({Operation::publish, key, request.commit.condition.kind});
  const auto all_failed = [&](const StorageManagerError& failed, bool tried) {
    PublishResult result;
    for (const PutRequest& part : request.parts) {
      result.parts.emplace_back(told_as(failed, "put", part.key.text()));
    }
    if (tried) result.commit = failed;
    return result;
  };
  switch (action.kind) {
    case Kind::pass:
      break;
    case Kind::duplicate:
      (void)state_->inner->publish(request, limits);
      break;
    case Kind::lost_answer:
      (void)state_->inner->publish(request, limits);
      return all_failed(no_answer("publish", key, true), true);
    case Kind::late:
      if (action.late) {
        action.late->send([store = state_->inner, owned = std::make_shared<OwnedPublish>(request)] {
          owned->apply(*store);
        });
      }
      return all_failed(no_answer("publish", key, true), true);
    case Kind::fail:
      return all_failed(scripted_failure(action, "publish", key), !action.definite);
  }
  return state_->inner->publish(request, limits);
}

std::vector<Result<Object>> ScriptedStore::get(std::span<const GetRequest> items,
                                               const CallLimits& limits) {
  std::vector<Result<Object>> outcomes;
  for (const GetRequest& item : items) {
    outcomes.push_back(state_->get(Operation::get, item, limits));
  }
  return outcomes;
}

std::vector<Result<ObjectInfo>> ScriptedStore::head(std::span<const ObjectKey> keys,
                                                    const CallLimits& limits) {
  std::vector<Result<ObjectInfo>> outcomes;
  for (const ObjectKey& key : keys) {
    outcomes.push_back(state_->request<ObjectInfo>(
        {Operation::head, key.text()}, "head", false,
        [&] { return head_one(*state_->inner, key, limits); },
        [] { return std::function<void()>(); }));
  }
  return outcomes;
}

ListPage ScriptedStore::list(const ListRequest& request, const CallLimits& limits) {
  return state_
      ->request<ListPage>(
          {Operation::list, request.prefix}, "list", false,
          [&]() -> Result<ListPage> { return state_->inner->list(request, limits); },
          [] { return std::function<void()>(); })
      .value();
}

std::vector<Result<Done>> ScriptedStore::remove(std::span<const ObjectKey> keys,
                                                const CallLimits& limits) {
  std::vector<Result<Done>> outcomes;
  for (const ObjectKey& key : keys) {
    outcomes.push_back(state_->request<Done>(
        {Operation::remove, key.text()}, "remove", true,
        [&] { return remove_one(*state_->inner, key, limits); },
        [&]() -> std::function<void()> {
          return [store = state_->inner, key] { (void)remove_one(*store, key); };
        }));
  }
  return outcomes;
}

std::unique_ptr<Upload> ScriptedStore::start_upload(const ObjectKey& key,
                                                    const std::string& content_type,
                                                    const CallLimits& limits) {
  std::shared_ptr<Upload> inner = state_->inner->start_upload(key, content_type, limits);
  return std::make_unique<ScriptedUpload<State>>(state_, std::move(inner), key.text());
}

Capabilities ScriptedStore::capabilities() const {
  Capabilities told = state_->inner->capabilities();
  told.stack = "scripted > " + told.stack;
  return told;
}

}  // namespace stepstore
