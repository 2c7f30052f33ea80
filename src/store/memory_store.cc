#include "store/memory_store.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>

#include "base/errors.h"
#include "base/fork.h"

namespace stepstore {
namespace {

// As many as S3 gives at once.
constexpr std::size_t kPageMax = 1'000;

struct Stored {
  Bytes body{};
  ETag etag{};
  Timestamp modified{};
};

ObjectInfo info_of(const ObjectKey& key, const Stored& stored) {
  return {.key = key, .size = stored.body.size(), .etag = stored.etag, .modified = stored.modified};
}

StorageManagerError not_found(std::string_view operation, const ObjectKey& key) {
  return error(ErrorCode::NotFound, operation, key.text(), "there is no such object");
}

StorageManagerError bad_range(const ObjectKey& key, std::string message) {
  return error(ErrorCode::InvalidArgument, "get", key.text(), std::move(message));
}

// The part of the body that the range names.
Result<Bytes> cut(const ObjectKey& key, const Bytes& body, const ObjectRange& range) {
  if (range.size == 0) return bad_range(key, "a range of no bytes cannot be read");
  std::uint64_t offset = range.offset;
  if (range.from_end) {
    if (!range.size || range.offset != 0) {
      return bad_range(key, "a range from the end needs a size, and no offset");
    }
    offset = body.size() - std::min<std::uint64_t>(body.size(), *range.size);
  }
  if (offset >= body.size()) {
    return bad_range(key, "the range begins at byte " + std::to_string(offset) +
                              ", and the object has " + std::to_string(body.size()) + " bytes");
  }
  const std::uint64_t size = std::min<std::uint64_t>(
      range.size.value_or(body.size()), static_cast<std::uint64_t>(body.size()) - offset);
  return body.slice(offset, size);
}

// Does one item's work. Being late is told in the item's outcome; being stopped ends the call.
template <class T, class Work>
Result<T> do_item(const CallLimits& limits, Clock& clock, std::string_view operation,
                  const ObjectKey& key, Work&& work) {
  try {
    check_limits(limits, clock, operation);
  } catch (const Timeout& late) {
    return told_as(late, operation, key.text());
  }
  return work();
}

}  // namespace

// The mutex is a leaf: bodies are copied and freed, and guards are judged, outside it.
struct MemoryStore::State {
  explicit State(Clock& time) : clock(time) {}

  Clock& clock;
  ForkMutex mutex;
  std::map<std::string, Stored, std::less<>> objects;
  std::uint64_t writes = 0;

  std::optional<Stored> find(const ObjectKey& key) {
    const std::lock_guard lock(mutex);
    const auto found = objects.find(key.text());
    if (found == objects.end()) return std::nullopt;
    return found->second;
  }

  // Makes `made` the key's object if the condition holds. With the mutex held. The object that it
  // replaces is left in `made`.
  Result<ETag> replace(const ObjectKey& key, const Condition& condition, Stored& made) {
    const auto found = objects.find(key.text());
    const bool there = found != objects.end();
    if (condition.kind == Condition::Kind::absent && there) {
      return error(ErrorCode::AlreadyExists, "put", key.text(), "the key is taken");
    }
    if (condition.kind == Condition::Kind::unchanged &&
        (!there || found->second.etag != condition.etag)) {
      return error(ErrorCode::Conflict, "put", key.text(),
                   there ? "the object has changed" : "the object has gone");
    }
    made.etag = ETag("memory-" + std::to_string(++writes));
    Stored& place = there ? found->second : objects[key.text()];
    std::swap(place, made);
    return place.etag;
  }

  Result<ETag> put(const ObjectKey& key, Bytes body, const Condition& condition) {
    Stored made{.body = std::move(body), .etag = {}, .modified = clock.now_ms()};
    const std::lock_guard lock(mutex);
    return replace(key, condition, made);
  }
};

namespace {

// Writes pieces into memory of its own; finish() joins them.
template <class Shared>
class MemoryUpload final : public Upload {
 public:
  MemoryUpload(std::shared_ptr<Shared> state, ObjectKey key)
      : state_(std::move(state)), key_(std::move(key)) {}

  void write(BytesView piece, const CallLimits& limits) override {
    check_limits(limits, state_->clock, "upload");
    if (finished_) ended().raise();
    pieces_.push_back(Bytes::copy(piece));
    size_ += piece.size();
  }

  Result<ETag> finish(const Condition& condition, const CallLimits& limits) override {
    return do_item<ETag>(limits, state_->clock, "upload", key_, [&]() -> Result<ETag> {
      if (finished_) return ended();
      finished_ = true;
      Result<ETag> outcome = state_->put(key_, joined(), condition);
      pieces_.clear();
      if (!outcome) return told_as(outcome.error(), "upload", key_.text());
      return outcome;
    });
  }

 private:
  StorageManagerError ended() const {
    return error(ErrorCode::InvalidArgument, "upload", key_.text(),
                 "the upload was finished already", "Start another upload.");
  }

  Bytes joined() const {
    return Bytes::filled(size_, [this](std::span<std::byte> out) {
      for (const Bytes& piece : pieces_) {
        std::ranges::copy(piece, out.begin());
        out = out.subspan(piece.size());
      }
    });
  }

  std::shared_ptr<Shared> state_;
  ObjectKey key_;
  std::vector<Bytes> pieces_{};
  std::size_t size_ = 0;
  bool finished_ = false;
};

}  // namespace

MemoryStore::MemoryStore(Clock& clock) : state_(std::make_shared<State>(clock)) {}
MemoryStore::~MemoryStore() = default;

std::vector<Result<ETag>> MemoryStore::put(std::span<const PutRequest> items,
                                           const CallLimits& limits) {
  std::vector<Result<ETag>> outcomes;
  outcomes.reserve(items.size());
  for (const PutRequest& item : items) {
    outcomes.push_back(do_item<ETag>(limits, state_->clock, "put", item.key, [&] {
      return state_->put(item.key, Bytes::copy(item.body), item.condition);
    }));
  }
  return outcomes;
}

PublishResult MemoryStore::publish(const PublishRequest& request, const CallLimits& limits) {
  PublishResult result;
  result.parts = put(request.parts, limits);
  const bool parts_taken = std::ranges::all_of(result.parts, &Result<ETag>::ok);
  const PutRequest& commit = request.commit;
  Stored made{.body = parts_taken ? Bytes::copy(commit.body) : Bytes{}, .etag = {}, .modified = {}};
  // The guard is judged outside the lock, since it is foreign code; it still holds under the lock
  // if its object is the one that was judged.
  while (true) {
    try {
      check_limits(limits, state_->clock, "publish");
    } catch (const Timeout& late) {
      if (parts_taken) result.commit = told_as(late, "publish", commit.key.text());
      return result;
    }
    std::optional<Stored> judged;
    if (request.guard) {
      const Guard& guard = *request.guard;
      judged = state_->find(guard.key);
      result.guard.reset();
      if (judged) result.guard = Object{.info = info_of(guard.key, *judged), .body = judged->body};
      const Object* found = result.guard ? &*result.guard : nullptr;
      result.guard_held = guard.holds ? guard.holds(found) : found == nullptr;
    }
    if (!parts_taken || !result.guard_held) return result;

    made.modified = state_->clock.now_ms();
    const std::lock_guard lock(state_->mutex);
    if (request.guard) {
      const auto now = state_->objects.find(request.guard->key.text());
      const bool there = now != state_->objects.end();
      const bool same = there ? judged && now->second.etag == judged->etag : !judged;
      if (!same) continue;
    }
    result.commit = state_->replace(commit.key, commit.condition, made);
    return result;
  }
}

std::vector<Result<Object>> MemoryStore::get(std::span<const GetRequest> items,
                                             const CallLimits& limits) {
  std::vector<Result<Object>> outcomes;
  outcomes.reserve(items.size());
  for (const GetRequest& item : items) {
    const auto read = [&]() -> Result<Object> {
      std::optional<Stored> found = state_->find(item.key);
      if (!found) return not_found("get", item.key);
      if (!item.if_match.empty() && found->etag != item.if_match) {
        return error(ErrorCode::Conflict, "get", item.key.text(), "the object has changed");
      }
      Object object{.info = info_of(item.key, *found), .body = std::move(found->body)};
      if (!item.range) return object;
      Result<Bytes> part = cut(item.key, object.body, *item.range);
      if (!part) return part.error();
      object.body = std::move(part).value();
      return object;
    };
    outcomes.push_back(do_item<Object>(limits, state_->clock, "get", item.key, read));
  }
  return outcomes;
}

std::vector<Result<ObjectInfo>> MemoryStore::head(std::span<const ObjectKey> keys,
                                                  const CallLimits& limits) {
  std::vector<Result<ObjectInfo>> outcomes;
  outcomes.reserve(keys.size());
  for (const ObjectKey& key : keys) {
    const auto look = [&]() -> Result<ObjectInfo> {
      const std::optional<Stored> found = state_->find(key);
      if (!found) return not_found("head", key);
      return info_of(key, *found);
    };
    outcomes.push_back(do_item<ObjectInfo>(limits, state_->clock, "head", key, look));
  }
  return outcomes;
}

ListPage MemoryStore::list(const ListRequest& request, const CallLimits& limits) {
  check_limits(limits, state_->clock, "list");
  const std::size_t limit = request.limit == 0 ? kPageMax : std::min(request.limit, kPageMax);
  ListPage page;
  std::string last;  // the object or prefix that was told last
  const std::lock_guard lock(state_->mutex);
  auto next = request.start_after < request.prefix
                  ? state_->objects.lower_bound(request.prefix)
                  : state_->objects.upper_bound(request.start_after);
  while (next != state_->objects.end() && next->first.starts_with(request.prefix)) {
    const std::string& key = next->first;
    const std::size_t slash =
        request.delimited ? key.find('/', request.prefix.size()) : std::string::npos;
    std::string told = slash == std::string::npos ? key : key.substr(0, slash + 1);
    // A page may end at a prefix, or the caller may begin inside one: it has been told then.
    const bool skipped = told <= request.start_after;
    if (!skipped && page.objects.size() + page.prefixes.size() == limit) {
      page.next = std::move(last);
      return page;
    }
    if (slash == std::string::npos) {
      page.objects.push_back(info_of(ObjectKey(key), next->second));
      ++next;
    } else {
      if (!skipped) page.prefixes.push_back(told);
      // '0' is the byte after '/': the first key that does not lie below the prefix.
      next = state_->objects.lower_bound(told.substr(0, slash) + '0');
    }
    last = std::move(told);
  }
  return page;
}

std::vector<Result<Done>> MemoryStore::remove(std::span<const ObjectKey> keys,
                                              const CallLimits& limits) {
  std::vector<Result<Done>> outcomes;
  outcomes.reserve(keys.size());
  for (const ObjectKey& key : keys) {
    const auto take_out = [&]() -> Result<Done> {
      Stored gone;  // freed after the lock
      const std::lock_guard lock(state_->mutex);
      const auto found = state_->objects.find(key.text());
      if (found == state_->objects.end()) return Done{};
      std::swap(gone, found->second);
      state_->objects.erase(found);
      return Done{};
    };
    outcomes.push_back(do_item<Done>(limits, state_->clock, "remove", key, take_out));
  }
  return outcomes;
}

std::unique_ptr<Upload> MemoryStore::start_upload(const ObjectKey& key, const std::string&,
                                                  const CallLimits& limits) {
  check_limits(limits, state_->clock, "upload");
  return std::make_unique<MemoryUpload<State>>(state_, key);
}

Capabilities MemoryStore::capabilities() const {
  return {.stack = "memory",
          .create_if_absent = true,
          .swap_if_unchanged = true,
          .durable = false,
          .shared = false,
          .notes = {"The objects are lost when the process ends."}};
}

}  // namespace stepstore
