#include "store/observe_store.h"

#include <algorithm>
#include <type_traits>
#include <utility>

namespace stepstore {
namespace {

// Measures one call and tells of it when the call ends, also when it ends by throwing.
class Watch {
 public:
  Watch(const std::function<void(const Observation&)>& observe, Clock& clock,
        std::string_view operation, std::size_t items)
      : observe_(observe), clock_(clock), begun_(clock.steady_now()) {
    told.operation = operation;
    told.items = items;
    told.failures = items;  // until the call has returned
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() {
    told.duration = clock_.steady_now() - begun_;
    if (observe_) observe_(told);
  }

  template <class T>
  void returned(const std::vector<Result<T>>& outcomes) {
    told.failures = static_cast<std::size_t>(
        std::ranges::count_if(outcomes, [](const auto& outcome) { return !outcome.ok(); }));
  }

  Observation told;

 private:
  const std::function<void(const Observation&)>& observe_;
  Clock& clock_;
  std::chrono::steady_clock::time_point begun_;
};

// Tells of the upload once, when it ends: how long its calls took, not how long the caller's pauses
// were.
class ObserveUpload final : public Upload {
 public:
  ObserveUpload(std::unique_ptr<Upload> inner, std::function<void(const Observation&)> observe,
                Clock& clock, std::chrono::nanoseconds spent)
      : inner_(std::move(inner)), observe_(std::move(observe)), clock_(clock) {
    told_.operation = "upload";
    told_.items = 1;
    told_.failures = 1;
    told_.duration = spent;
  }
  ~ObserveUpload() override {
    timed([&] { inner_.reset(); });
    if (observe_) observe_(told_);
  }

  void write(BytesView piece, const CallLimits& limits) override {
    timed([&] { inner_->write(piece, limits); });
    told_.bytes_out += piece.size();
  }
  Result<ETag> finish(const Condition& condition, const CallLimits& limits) override {
    return timed([&] {
      Result<ETag> outcome = inner_->finish(condition, limits);
      if (outcome) told_.failures = 0;
      return outcome;
    });
  }

 private:
  template <class Call>
  std::invoke_result_t<Call> timed(Call&& call) {
    struct Stop {
      ObserveUpload& upload;
      std::chrono::steady_clock::time_point begun = upload.clock_.steady_now();
      ~Stop() { upload.told_.duration += upload.clock_.steady_now() - begun; }
    } stop{*this};
    return call();
  }

  std::unique_ptr<Upload> inner_;
  std::function<void(const Observation&)> observe_;
  Clock& clock_;
  Observation told_{};
};

}  // namespace

ObserveStore::ObserveStore(std::shared_ptr<ObjectStore> inner,
                           std::function<void(const Observation&)> observe, Clock& clock)
    : inner_(std::move(inner)), observe_(std::move(observe)), clock_(clock) {}

std::vector<Result<ETag>> ObserveStore::put(std::span<const PutRequest> items,
                                            const CallLimits& limits) {
  Watch watch(observe_, clock_, "put", items.size());
  auto outcomes = inner_->put(items, limits);
  watch.returned(outcomes);
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (outcomes[i]) watch.told.bytes_out += items[i].body.size();
  }
  return outcomes;
}

PublishResult ObserveStore::publish(const PublishRequest& request, const CallLimits& limits) {
  Watch watch(observe_, clock_, "publish", request.parts.size() + 1);
  PublishResult result = inner_->publish(request, limits);
  watch.returned(result.parts);
  for (std::size_t i = 0; i < request.parts.size(); ++i) {
    if (result.parts[i]) watch.told.bytes_out += request.parts[i].body.size();
  }
  if (result.commit && result.commit->ok()) {
    watch.told.bytes_out += request.commit.body.size();
  } else {
    ++watch.told.failures;
  }
  if (result.guard) watch.told.bytes_in += result.guard->body.size();
  return result;
}

std::vector<Result<Object>> ObserveStore::get(std::span<const GetRequest> items,
                                              const CallLimits& limits) {
  Watch watch(observe_, clock_, "get", items.size());
  auto outcomes = inner_->get(items, limits);
  watch.returned(outcomes);
  for (const Result<Object>& outcome : outcomes) {
    if (outcome) watch.told.bytes_in += outcome->body.size();
  }
  return outcomes;
}

std::vector<Result<ObjectInfo>> ObserveStore::head(std::span<const ObjectKey> keys,
                                                   const CallLimits& limits) {
  Watch watch(observe_, clock_, "head", keys.size());
  auto outcomes = inner_->head(keys, limits);
  watch.returned(outcomes);
  return outcomes;
}

ListPage ObserveStore::list(const ListRequest& request, const CallLimits& limits) {
  Watch watch(observe_, clock_, "list", 1);
  ListPage page = inner_->list(request, limits);
  watch.told.items = page.objects.size() + page.prefixes.size();
  watch.told.failures = 0;
  return page;
}

std::vector<Result<Done>> ObserveStore::remove(std::span<const ObjectKey> keys,
                                               const CallLimits& limits) {
  Watch watch(observe_, clock_, "remove", keys.size());
  auto outcomes = inner_->remove(keys, limits);
  watch.returned(outcomes);
  return outcomes;
}

std::unique_ptr<Upload> ObserveStore::start_upload(const ObjectKey& key,
                                                   const std::string& content_type,
                                                   const CallLimits& limits) {
  const auto begun = clock_.steady_now();
  std::unique_ptr<Upload> inner;
  try {
    inner = inner_->start_upload(key, content_type, limits);
  } catch (...) {
    const Observation refused{
        .operation = "upload", .items = 1, .failures = 1, .duration = clock_.steady_now() - begun};
    if (observe_) observe_(refused);
    throw;
  }
  return std::make_unique<ObserveUpload>(std::move(inner), observe_, clock_,
                                         clock_.steady_now() - begun);
}

PresignedUrl ObserveStore::link(const LinkRequest& request, const CallLimits& limits) {
  Watch watch(observe_, clock_, "link", 1);
  PresignedUrl made = link_one(*inner_, request, limits);
  watch.told.failures = 0;
  return made;
}

Capabilities ObserveStore::capabilities() const {
  Capabilities told = inner_->capabilities();
  told.stack = "observe > " + told.stack;
  return told;
}

}  // namespace stepstore
