// Many steps: store_steps and retrieve_steps, of what the caller has and of what it gives bit by
// bit.
#include <algorithm>
#include <string>
#include <utility>

#include "manager/calls.h"
#include "manager/read_sizes.h"
#include "manager/reads_together.h"
#include "manager/stream.h"

namespace stepstore {
namespace {

// What is in memory of it while it is stored. Files and readers are read bit by bit only when they
// are large.
std::uint64_t held_by(const Source& source, std::uint64_t stream_threshold) {
  if (source.in_memory()) return source.view().size();
  return std::min(source.size().value_or(stream_threshold), stream_threshold);
}

std::uint64_t held_by(const StepData& data, std::uint64_t stream_threshold) {
  std::uint64_t bytes = data.action_data ? data.action_data->size() : 0;
  if (data.metadata) bytes += data.metadata->size();
  if (data.html_content) bytes += held_by(*data.html_content, stream_threshold);
  if (data.screenshot_bytes) bytes += held_by(*data.screenshot_bytes, stream_threshold);
  for (const Component& each : data.components) bytes += held_by(each.data, stream_threshold);
  return bytes;
}

StreamItem<Result<Receipt>> storing(ManagerCore& core, StepRequest request,
                                    const StoreOptions& options) {
  const std::uint64_t bytes = held_by(request.data, core.options.stream_threshold);
  auto work = [&core, &options, request = std::move(request)](const CallLimits& limits) {
    const std::string name = step_name(request.session_id, request.step_id);
    return attempt<Receipt>("store_steps", name, [&] {
      check_limits(limits, core.clock, "store_steps");
      return core.writer.store(request.session_id, request.step_id, request.data, options, limits);
    });
  };
  return {std::move(work), [bytes] { return bytes; }};
}

// The reads of one batch.
class Reading {
 public:
  Reading(ManagerCore& core, const ReadOptions& options) : core_(core), options_(options) {}

  StreamItem<Result<Step>> item(StepName name) {
    ReadSizes::One size = sizes_.begin();
    auto work = [this, name = std::move(name), size](const CallLimits& limits) {
      std::uint64_t bytes = 0;
      auto result = attempt<Step>("retrieve_steps", step_name(name.session_id, name.step_id), [&] {
        check_limits(limits, core_.clock, "retrieve_steps");
        Step step = together_.read(core_.reader, core_.roots, core_.clock, name.session_id,
                                   name.step_id, options_, limits);
        bytes = step.info().total_size();
        return step;
      });
      sizes_.ended(size, bytes);
      return result;
    };
    return {std::move(work), sizes_.size_of(size)};
  }

  // One read shows how large they are.
  StreamBounds bounds() const {
    StreamBounds bounds = core_.bounds();
    bounds.begin_with_one = true;
    return bounds;
  }

 private:
  ManagerCore& core_;
  const ReadOptions& options_;
  ReadSizes sizes_;
  ReadsTogether together_;
};

// Gives what `next` gives until the caller's limits are exceeded, and remembers whether that was
// so.
template <class T>
class WithinLimits {
 public:
  WithinLimits(const CallLimits& limits, Clock& clock,
               const std::function<std::optional<T>()>& next)
      : limits_(limits), clock_(clock), next_(next) {}

  std::optional<T> operator()() {
    if (exceeded_ || !within()) return std::nullopt;
    return next_();
  }
  void throw_if_exceeded() const {
    if (exceeded_) exceeded_->raise();
  }

 private:
  bool within() {
    try {
      check_limits(limits_, clock_, "");
      return true;
    } catch (const StorageManagerError& failure) {
      exceeded_ = failure;
      return false;
    }
  }
  const CallLimits& limits_;
  Clock& clock_;
  const std::function<std::optional<T>()>& next_;
  std::optional<StorageManagerError> exceeded_;
};

template <class T, class Value, class MakeItem>
void stream(ManagerCore& core, StreamBounds bounds, const CallLimits& limits,
            const std::function<std::optional<T>()>& next,
            const std::function<void(Result<Value>)>& done, MakeItem&& make_item) {
  WithinLimits<T> pull(limits, core.clock, next);
  run_stream<Result<Value>>(
      core.pool, bounds, limits,
      [&]() -> std::optional<StreamItem<Result<Value>>> {
        std::optional<T> given = pull();
        if (!given) return std::nullopt;
        return make_item(*std::move(given));
      },
      done);
  pull.throw_if_exceeded();
}

// All of a span, also when the limits are exceeded: each item has its result.
template <class Value, class T, class MakeItem>
std::vector<Result<Value>> all_of(ManagerCore& core, StreamBounds bounds, const CallLimits& limits,
                                  std::span<const T> given, MakeItem&& make_item) {
  std::vector<Result<Value>> results;
  results.reserve(given.size());
  std::size_t i = 0;
  run_stream<Result<Value>>(
      core.pool, bounds, limits,
      [&]() -> std::optional<StreamItem<Result<Value>>> {
        if (i == given.size()) return std::nullopt;
        return make_item(given[i++]);
      },
      [&](Result<Value> result) { results.push_back(std::move(result)); });
  return results;
}

}  // namespace

std::vector<Result<Receipt>> StorageManager::store_steps(std::span<const StepRequest> steps,
                                                         const StoreOptions& options) {
  return call(*core_, "store_steps", "", options.call, [&](const CallLimits& limits) {
    if (!steps.empty()) core_->gate.before_write(limits);
    return all_of<Receipt>(*core_, core_->bounds(), limits, steps, [&](const StepRequest& request) {
      return storing(*core_, request, options);
    });
  });
}

void StorageManager::store_steps(const std::function<std::optional<StepRequest>()>& next,
                                 const std::function<void(Result<Receipt>)>& done,
                                 const StoreOptions& options) {
  call(*core_, "store_steps", "", options.call, [&](const CallLimits& limits) {
    core_->gate.before_write(limits);
    stream<StepRequest, Receipt>(
        *core_, core_->bounds(), limits, next, done,
        [&](StepRequest request) { return storing(*core_, std::move(request), options); });
  });
}

std::vector<Result<Step>> StorageManager::retrieve_steps(std::span<const StepName> steps,
                                                         const ReadOptions& options) {
  return call(*core_, "retrieve_steps", "", options.call, [&](const CallLimits& limits) {
    if (!steps.empty()) core_->gate.before_read(limits);
    Reading reading(*core_, options);
    return all_of<Step>(*core_, reading.bounds(), limits, steps,
                        [&](const StepName& name) { return reading.item(name); });
  });
}

void StorageManager::retrieve_steps(const std::function<std::optional<StepName>()>& next,
                                    const std::function<void(Result<Step>)>& done,
                                    const ReadOptions& options) {
  call(*core_, "retrieve_steps", "", options.call, [&](const CallLimits& limits) {
    core_->gate.before_read(limits);
    Reading reading(*core_, options);
    stream<StepName, Step>(*core_, reading.bounds(), limits, next, done,
                           [&](StepName name) { return reading.item(std::move(name)); });
  });
}

}  // namespace stepstore
