// Many steps: store_steps and retrieve_steps, of what the caller has and of what it gives bit by
// bit.
#include <algorithm>
#include <atomic>
#include <string>
#include <utility>

#include "manager/calls.h"
#include "manager/stream.h"

namespace stepstore {
namespace {

std::uint64_t size_of(const std::optional<Source>& source) {
  return source && source->in_memory() ? source->view().size() : 0;
}

// What is in memory of it. Files are read bit by bit when they are large.
std::uint64_t held_by(const StepData& data) {
  std::uint64_t bytes = size_of(data.html_content) + size_of(data.screenshot_bytes);
  for (const Component& component : data.components) bytes += size_of(component.data);
  return bytes;
}

StreamItem<Result<Receipt>> storing(ManagerCore& core, StepRequest request,
                                    const StoreOptions& options) {
  const std::uint64_t bytes = held_by(request.data);
  auto work = [&core, &options, request = std::move(request)](const CallLimits& limits) {
    const std::string name = step_name(request.session_id, request.step_id);
    return attempt<Receipt>("store_steps", name, [&] {
      check_limits(limits, core.clock, "store_steps");
      return core.writer.store(request.session_id, request.step_id, request.data, options, limits);
    });
  };
  return {std::move(work), bytes};
}

// The size of a step is known only when it was read, so the ones before speak for it.
class Reading {
 public:
  Reading(ManagerCore& core, const ReadOptions& options) : core_(core), options_(options) {}

  StreamItem<Result<Step>> item(StepName name) {
    auto work = [this, name = std::move(name)](const CallLimits& limits) {
      return attempt<Step>("retrieve_steps", step_name(name.session_id, name.step_id), [&] {
        check_limits(limits, core_.clock, "retrieve_steps");
        Step step = core_.reader.read(name.session_id, name.step_id, options_, limits);
        // Halfway from the guess to the truth, whoever else does the same at this moment.
        bytes_ = (bytes_ + step.info().total_size()) / 2;
        return step;
      });
    };
    return {std::move(work), bytes_};
  }

 private:
  ManagerCore& core_;
  const ReadOptions& options_;
  std::atomic<std::uint64_t> bytes_ = 0;
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
void stream(ManagerCore& core, const CallLimits& limits,
            const std::function<std::optional<T>()>& next,
            const std::function<void(Result<Value>)>& done, MakeItem&& make_item) {
  WithinLimits<T> pull(limits, core.clock, next);
  run_stream<Result<Value>>(
      core.pool, core.bounds(), limits,
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
std::vector<Result<Value>> all_of(ManagerCore& core, const CallLimits& limits,
                                  std::span<const T> given, MakeItem&& make_item) {
  std::vector<Result<Value>> results;
  results.reserve(given.size());
  std::size_t i = 0;
  run_stream<Result<Value>>(
      core.pool, core.bounds(), limits,
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
    return all_of<Receipt>(*core_, limits, steps, [&](const StepRequest& request) {
      return storing(*core_, request, options);
    });
  });
}

void StorageManager::store_steps(const std::function<std::optional<StepRequest>()>& next,
                                 const std::function<void(Result<Receipt>)>& done,
                                 const StoreOptions& options) {
  call(*core_, "store_steps", "", options.call, [&](const CallLimits& limits) {
    core_->gate.before_write(limits);
    stream<StepRequest, Receipt>(*core_, limits, next, done, [&](StepRequest request) {
      return storing(*core_, std::move(request), options);
    });
  });
}

std::vector<Result<Step>> StorageManager::retrieve_steps(std::span<const StepName> steps,
                                                         const ReadOptions& options) {
  return call(*core_, "retrieve_steps", "", options.call, [&](const CallLimits& limits) {
    if (!steps.empty()) core_->gate.before_read(limits);
    Reading reading(*core_, options);
    return all_of<Step>(*core_, limits, steps,
                        [&](const StepName& name) { return reading.item(name); });
  });
}

void StorageManager::retrieve_steps(const std::function<std::optional<StepName>()>& next,
                                    const std::function<void(Result<Step>)>& done,
                                    const ReadOptions& options) {
  call(*core_, "retrieve_steps", "", options.call, [&](const CallLimits& limits) {
    core_->gate.before_read(limits);
    Reading reading(*core_, options);
    stream<StepName, Step>(*core_, limits, next, done,
                           [&](StepName name) { return reading.item(std::move(name)); });
  });
}

}  // namespace stepstore
