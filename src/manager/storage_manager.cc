// The public methods: each checks that the manager is open, begins the call's time, and hands over
// to the part that does the work. Errors leave with the method's name in them.
#include "stepstore/storage_manager.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "base/errors.h"
#include "check/integrity.h"
#include "layout/keys.h"
#include "manager/manager_core.h"

namespace stepstore {
namespace {

std::string step_name(std::string_view session_id, std::string_view step_id) {
  return std::string(session_id) + "/" + std::string(step_id);
}

// Runs one public call. `name`: what the error is about, where the error itself does not say.
template <class Work>
auto call(ManagerCore& core, std::string_view operation, const std::string& name,
          const Call& bounds, Work&& work) {
  try {
    if (core.closed) error(ErrorCode::Closed, "", "", "the StorageManager was closed").raise();
    const CallLimits limits = begin(bounds, core.clock);
    check_limits(limits, core.clock, operation);
    return work(limits);
  } catch (const StorageManagerError& failure) {
    told_as(failure, operation, failure.key().empty() ? name : failure.key()).raise();
  }
}

// One item of a batch: its error becomes its result.
template <class T, class Work>
Result<T> attempt(std::string_view operation, const std::string& name, Work&& work) {
  try {
    return work();
  } catch (const StorageManagerError& failure) {
    return told_as(failure, operation, failure.key().empty() ? name : failure.key());
  } catch (const std::exception& failure) {
    ErrorDetails details =
        error(ErrorCode::Io, operation, name, std::string("a source failed: ") + failure.what())
            .details();
    details.cause = std::current_exception();
    return StorageManagerError(std::move(details));
  }
}

}  // namespace

StorageManager::StorageManager(std::shared_ptr<ManagerCore> core) : core_(std::move(core)) {}

StorageManager::StorageManager(std::shared_ptr<ObjectStore> store, Options options) {
  const Capabilities about = store->capabilities();
  core_ = std::make_shared<ManagerCore>(
      std::move(store), std::move(options),
      StorageInfo{.backend = "custom", .stack = about.stack, .reason = "a store was passed in"});
}

StorageManager::StorageManager(StorageManager&&) noexcept = default;
StorageManager& StorageManager::operator=(StorageManager&&) noexcept = default;
StorageManager::~StorageManager() {
  if (core_) core_->closed = true;
}

void StorageManager::close() { core_->closed = true; }

// --- Steps
// ------------------------------------------------------------------------------------------------------------

Receipt StorageManager::store_step_data(std::string_view session_id, std::string_view step_id,
                                        const StepData& data, const StoreOptions& options) {
  const std::string name = step_name(session_id, step_id);
  return call(*core_, "store_step_data", name, options.call, [&](const CallLimits& limits) {
    return attempt<Receipt>("store_step_data", name,
                            [&] {
                              core_->gate.before_write(limits);
                              return core_->writer.store(session_id, step_id, data, options,
                                                         limits);
                            })
        .value();
  });
}

std::vector<Result<Receipt>> StorageManager::store_steps(std::span<const StepRequest> steps,
                                                         const StoreOptions& options) {
  return call(*core_, "store_steps", "", options.call, [&](const CallLimits& limits) {
    if (!steps.empty()) core_->gate.before_write(limits);
    std::vector<std::optional<Result<Receipt>>> results(steps.size());
    core_->batch.run(steps.size(), limits, [&](std::size_t i, const CallLimits& own) {
      const StepRequest& step = steps[i];
      results[i] = attempt<Receipt>("store_steps", step_name(step.session_id, step.step_id), [&] {
        check_limits(own, core_->clock, "store_steps");
        return core_->writer.store(step.session_id, step.step_id, step.data, options, own);
      });
    });
    std::vector<Result<Receipt>> out;
    for (auto& result : results) out.push_back(*std::move(result));
    return out;
  });
}

Step StorageManager::retrieve_step_data(std::string_view session_id, std::string_view step_id,
                                        const ReadOptions& options) {
  return call(*core_, "retrieve_step_data", step_name(session_id, step_id), options.call,
              [&](const CallLimits& limits) {
                core_->gate.before_read(limits);
                return core_->reader.read(session_id, step_id, options, limits);
              });
}

std::vector<Result<Step>> StorageManager::retrieve_steps(std::span<const StepName> steps,
                                                         const ReadOptions& options) {
  return call(*core_, "retrieve_steps", "", options.call, [&](const CallLimits& limits) {
    if (!steps.empty()) core_->gate.before_read(limits);
    std::vector<std::optional<Result<Step>>> results(steps.size());
    core_->batch.run(steps.size(), limits, [&](std::size_t i, const CallLimits& own) {
      const StepName& step = steps[i];
      results[i] = attempt<Step>("retrieve_steps", step_name(step.session_id, step.step_id), [&] {
        check_limits(own, core_->clock, "retrieve_steps");
        return core_->reader.read(step.session_id, step.step_id, options, own);
      });
    });
    std::vector<Result<Step>> out;
    for (auto& result : results) out.push_back(*std::move(result));
    return out;
  });
}

StepInfo StorageManager::stat_step(std::string_view session_id, std::string_view step_id,
                                   const ReadOptions& options) {
  return call(*core_, "stat_step", step_name(session_id, step_id), options.call,
              [&](const CallLimits& limits) {
                core_->gate.before_read(limits);
                return core_->reader.stat(session_id, step_id, options, limits);
              });
}

// --- Listings
// ---------------------------------------------------------------------------------------------------------

Listing StorageManager::list_sessions(const ListOptions& options) {
  return call(*core_, "list_sessions", "", options.call, [&](const CallLimits& limits) {
    core_->gate.before_read(limits);
    return core_->lister.sessions(options, limits);
  });
}

Listing StorageManager::list_steps_for_session(std::string_view session_id,
                                               const ListOptions& options) {
  return call(*core_, "list_steps_for_session", std::string(session_id), options.call,
              [&](const CallLimits& limits) {
                core_->gate.before_read(limits);
                return core_->lister.steps(session_id, options, limits);
              });
}

struct StepCursor::State {
  std::shared_ptr<ManagerCore> core;
  std::string session_id;
  ListOptions list;
  ReadOptions read;
  std::size_t left;  // of list.limit; 0 with `bounded` false means all
  bool bounded;
  Listing page{};
  std::size_t next = 0;
  bool last_page = false;
};

StepCursor::StepCursor(std::unique_ptr<State> state) : state_(std::move(state)) {}
StepCursor::StepCursor(StepCursor&&) noexcept = default;
StepCursor& StepCursor::operator=(StepCursor&&) noexcept = default;
StepCursor::~StepCursor() = default;

std::optional<Step> StepCursor::next() {
  constexpr std::size_t kPageSteps = 1000;
  State& state = *state_;
  return call(*state.core, "iter_steps", state.session_id, state.read.call,
              [&](const CallLimits& limits) -> std::optional<Step> {
                for (;;) {
                  if (state.bounded && state.left == 0) return std::nullopt;
                  if (state.next == state.page.ids.size()) {
                    if (state.last_page) return std::nullopt;
                    state.list.limit = kPageSteps;
                    state.page = state.core->lister.steps(state.session_id, state.list, limits);
                    state.next = 0;
                    state.list.after = state.page.next;
                    state.last_page = state.page.next.empty();
                    continue;
                  }
                  const std::string& step_id = state.page.ids[state.next++];
                  try {
                    Step step =
                        state.core->reader.read(state.session_id, step_id, state.read, limits);
                    if (state.bounded) --state.left;
                    return step;
                  } catch (const NotFound&) {
                    // Deleted since it was listed.
                  }
                }
              });
}

StepCursor StorageManager::iter_steps(std::string_view session_id, const ListOptions& list,
                                      const ReadOptions& read) {
  return call(*core_, "iter_steps", std::string(session_id), read.call,
              [&](const CallLimits& limits) {
                core_->gate.before_read(limits);
                encode_id(session_id, "session_id");
                return StepCursor(std::make_unique<StepCursor::State>(
                    StepCursor::State{.core = core_,
                                      .session_id = std::string(session_id),
                                      .list = list,
                                      .read = read,
                                      .left = list.limit,
                                      .bounded = list.limit > 0}));
              });
}

// --- Deletion, care, information
// --------------------------------------------------------------------------------------

DeleteResult StorageManager::delete_step(std::string_view session_id, std::string_view step_id,
                                         const DeleteOptions& options) {
  return call(*core_, "delete_step", step_name(session_id, step_id), options.call,
              [&](const CallLimits& limits) {
                encode_id(step_id, "step_id");
                core_->gate.before_write(limits);
                return core_->remover.remove_step(session_id, step_id, limits);
              });
}

DeleteResult StorageManager::delete_session(std::string_view session_id,
                                            const DeleteOptions& options) {
  return call(*core_, "delete_session", std::string(session_id), options.call,
              [&](const CallLimits& limits) {
                core_->gate.before_write(limits);
                return core_->remover.remove_session(session_id, limits);
              });
}

CheckReport StorageManager::check(const CheckOptions& options) {
  return call(*core_, "check", options.session.value_or(""), options.call,
              [&](const CallLimits& limits) {
                core_->gate.before_read(limits);
                return check_integrity(*core_->store, core_->clock, options, limits);
              });
}

AdoptReport StorageManager::adopt(const AdoptOptions& options) {
  return call(*core_, "adopt", options.session.value_or(""), options.call,
              [&](const CallLimits& limits) {
                if (options.dry_run) {
                  core_->gate.before_read(limits);
                } else {
                  core_->gate.before_write(limits);
                }
                return core_->adopter.adopt(options, limits);
              });
}

StorageInfo StorageManager::get_storage_info() const {
  StorageInfo info = core_->info;
  const Capabilities now = core_->store->capabilities();
  info.stack = now.stack;
  info.durable = now.durable;
  info.notes.insert(info.notes.end(), now.notes.begin(), now.notes.end());
  info.format = kFormatVersion;
  return info;
}

}  // namespace stepstore
