#include "testing/interleaver.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/errors.h"

namespace stepstore {

struct Interleaver::Client {
  std::string name;
  std::function<void(std::shared_ptr<ObjectStore>)> body;
  std::thread thread;
  bool finished = false;
  std::exception_ptr failure;
};

namespace {

StorageManagerError no_answer(const char* operation, const ObjectKey& key) {
  return unknown_outcome(
      error(ErrorCode::Unavailable, operation, key.text(), "the answer was lost"));
}

}  // namespace

// The store that one client sees.
class InterleavedStore final : public ObjectStore {
 public:
  InterleavedStore(Interleaver& owner, Interleaver::Client& client)
      : owner_(owner), client_(client) {}

  std::vector<Result<ETag>> put(std::span<const PutRequest> items, const CallLimits&) override {
    return each<ETag>(items.size(), [&](std::size_t i) { return put_item(items[i]); });
  }

  PublishResult publish(const PublishRequest& request, const CallLimits&) override {
    PublishResult result;
    const std::size_t count = request.parts.size();
    std::optional<Result<Object>> guard;
    // The guard is read at the same time as the parts are written.
    result.parts = each<ETag>(count + 1, [&](std::size_t i) -> Result<ETag> {
      if (i < count) return put_item(request.parts[i]);
      if (request.guard) guard = get_item({.key = request.guard->key});
      return ETag();
    });
    result.parts.erase(result.parts.begin() + static_cast<std::ptrdiff_t>(count));
    if (guard) {
      if (guard->ok()) result.guard = **guard;
      result.guard_held = request.guard->holds(guard->ok() ? &**guard : nullptr);
    }
    const bool all = std::all_of(result.parts.begin(), result.parts.end(),
                                 [](const Result<ETag>& part) { return part.ok(); });
    if (all && result.guard_held) result.commit = put_item(request.commit);
    return result;
  }

  std::vector<Result<Object>> get(std::span<const GetRequest> items, const CallLimits&) override {
    return each<Object>(items.size(), [&](std::size_t i) { return get_item(items[i]); });
  }

  std::vector<Result<ObjectInfo>> head(std::span<const ObjectKey> keys,
                                       const CallLimits&) override {
    return each<ObjectInfo>(keys.size(), [&](std::size_t i) {
      owner_.request(client_, "head " + keys[i].text(), false);
      return head_one(*owner_.inner_, keys[i]);
    });
  }

  ListPage list(const ListRequest& request, const CallLimits&) override {
    owner_.request(client_, "list " + request.prefix, false);
    return owner_.inner_->list(request, {});
  }

  std::vector<Result<Done>> remove(std::span<const ObjectKey> keys, const CallLimits&) override {
    return each<Done>(keys.size(), [&](std::size_t i) -> Result<Done> {
      const ObjectKey& key = keys[i];
      const auto effect = [inner = owner_.inner_, key] { return remove_one(*inner, key); };
      return write<Done>("remove", key, effect);
    });
  }

  std::unique_ptr<Upload> start_upload(const ObjectKey& key, const std::string& content_type,
                                       const CallLimits&) override {
    owner_.request(client_, "upload " + key.text(), false);
    return owner_.inner_->start_upload(key, content_type, {});
  }

  Capabilities capabilities() const override { return owner_.inner_->capabilities(); }

 private:
  // The items of a batch, in an order drawn by lot.
  template <class T, class Item>
  std::vector<Result<T>> each(std::size_t count, Item&& item) {
    std::vector<std::size_t> order(count);
    for (std::size_t i = 0; i < count; ++i) order[i] = i;
    std::shuffle(order.begin(), order.end(), owner_.dice_);
    std::vector<std::optional<Result<T>>> outcomes(count);
    for (const std::size_t i : order) outcomes[i] = item(i);
    std::vector<Result<T>> out;
    for (auto& outcome : outcomes) out.push_back(*std::move(outcome));
    return out;
  }

  template <class T, class Effect>
  Result<T> write(const char* operation, const ObjectKey& key, const Effect& effect) {
    switch (owner_.request(client_, std::string(operation) + " " + key.text(), true)) {
      case Interleaver::Fate::lost:
        static_cast<void>(effect());
        return no_answer(operation, key);
      case Interleaver::Fate::late:
        owner_.postpone(std::string(operation) + " " + key.text(),
                        [effect] { static_cast<void>(effect()); });
        return no_answer(operation, key);
      default:
        return effect();
    }
  }

  Result<ETag> put_item(const PutRequest& item) {
    // A late put outlives the caller's bytes.
    const auto effect = [inner = owner_.inner_, item, body = Bytes::copy(item.body)] {
      PutRequest own = item;
      own.body = body.view();
      return put_one(*inner, own);
    };
    constexpr const char* kNames[] = {"put", "create", "swap"};
    return write<ETag>(kNames[static_cast<int>(item.condition.kind)], item.key, effect);
  }

  Result<Object> get_item(const GetRequest& item) {
    owner_.request(client_, "get " + item.key.text(), false);
    return std::move(owner_.inner_->get({&item, 1}, {}).front());
  }

  Interleaver& owner_;
  Interleaver::Client& client_;
};

Interleaver::Interleaver(std::shared_ptr<ObjectStore> inner, std::uint64_t seed, Faults faults)
    : inner_(std::move(inner)), dice_(seed), faults_(faults) {}

Interleaver::~Interleaver() {
  {
    const std::lock_guard guard(mutex_);
    abandoned_ = true;
  }
  // Clients that still wait die one after the other.
  for (const auto& client : clients_) {
    if (!client->thread.joinable()) continue;
    give_turn(*client);
    client->thread.join();
  }
}

void Interleaver::add(std::string name, std::function<void(std::shared_ptr<ObjectStore>)> body) {
  clients_.push_back(
      std::make_unique<Client>(Client{std::move(name), std::move(body), {}, false, {}}));
}

void Interleaver::run() {
  for (const auto& client : clients_) {
    client->thread = std::thread([this, &client] { run_client(*client); });
  }
  for (;;) {
    std::vector<Client*> ready;
    for (const auto& client : clients_) {
      if (client->failure) std::rethrow_exception(client->failure);
      if (!client->finished) ready.push_back(client.get());
    }
    const std::size_t choices = ready.size() + late_.size();
    if (choices == 0) return;
    const std::size_t choice = dice_() % choices;
    if (choice < ready.size()) {
      give_turn(*ready[choice]);
    } else {
      const auto late = late_.begin() + static_cast<std::ptrdiff_t>(choice - ready.size());
      note("late: " + late->first);
      late->second();
      late_.erase(late);
    }
    if (check_) check_();
  }
}

// Lets a client run until its next request has been decided, or to its end.
void Interleaver::give_turn(Client& client) {
  std::unique_lock lock(mutex_);
  if (client.finished) return;
  running_ = &client;
  changed_.notify_all();
  changed_.wait(lock, [this] { return running_ == nullptr; });
}

void Interleaver::run_client(Client& client) {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return running_ == &client; });
  }
  try {
    if (!abandoned_) client.body(std::make_shared<InterleavedStore>(*this, client));
  } catch (const ClientCrash&) {
    note(client.name + " died");
  } catch (...) {
    client.failure = std::current_exception();
  }
  const std::lock_guard guard(mutex_);
  client.finished = true;
  running_ = nullptr;
  changed_.notify_all();
}

// Called on the client's thread: gives the turn back, and comes back when it is drawn again.
Interleaver::Fate Interleaver::request(Client& client, const std::string& what, bool is_write) {
  {
    std::unique_lock lock(mutex_);
    running_ = nullptr;
    changed_.notify_all();
    changed_.wait(lock, [&] { return running_ == &client; });
  }
  if (abandoned_ || chance(faults_.crashes, 30)) throw ClientCrash();
  Fate fate = Fate::normal;
  if (is_write && chance(faults_.lost, 12))
    fate = Fate::lost;
  else if (is_write && chance(faults_.late, 12))
    fate = Fate::late;
  constexpr const char* kFates[] = {"", " (answer lost)", " (late)", ""};
  note(client.name + ": " + what + kFates[static_cast<int>(fate)]);
  return fate;
}

void Interleaver::postpone(std::string what, std::function<void()> effect) {
  late_.emplace_back(std::move(what), std::move(effect));
}

bool Interleaver::chance(int& left, int one_in) {
  if (left <= 0 || dice_() % static_cast<std::uint64_t>(one_in) != 0) return false;
  --left;
  return true;
}

void Interleaver::note(const std::string& line) { trace_.push_back(line); }

std::string Interleaver::trace() const {
  std::string out;
  for (const std::string& line : trace_) out += "  " + line + "\n";
  return out;
}

}  // namespace stepstore
