// The public methods: each checks that the manager is open, begins the call's time, and hands over
// to the part that does the work. Errors leave with the method's name in them.
#include "stepstore/storage_manager.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "base/errors.h"
#include "check/doctor.h"
#include "check/integrity.h"
#include "layout/keys.h"
#include "manager/calls.h"
#include "manager/linker.h"
#include "manager/reads_together.h"

namespace stepstore {
namespace {

Receipt store(ManagerCore& core, std::string_view session_id, std::string_view step_id,
              const StepData& data, const StoreOptions& options) {
  const std::string name = step_name(session_id, step_id);
  return call(core, "store_step_data", name, options.call, [&](const CallLimits& limits) {
    const auto work = [&] {
      core.gate.before_write(limits);
      return core.writer.store(session_id, step_id, data, options, limits);
    };
    return attempt<Receipt>("store_step_data", name, work).value();
  });
}

Step retrieve(ManagerCore& core, std::string_view session_id, std::string_view step_id,
              const ReadOptions& options) {
  return call(core, "retrieve_step_data", step_name(session_id, step_id), options.call,
              [&](const CallLimits& limits) {
                core.gate.before_read(limits);
                if (options.together) {
                  return options.together->read(core.reader, core.roots, core.clock, session_id,
                                                step_id, options, limits);
                }
                return core.reader.read(session_id, step_id, options, limits);
              });
}

// Work for another thread, and where its outcome will be.
template <class Work>
auto posted(ManagerCore& core, Work&& work) {
  auto task = std::make_shared<std::packaged_task<decltype(work())()>>(std::forward<Work>(work));
  auto outcome = task->get_future();
  core.pool.add([task] { (*task)(); });
  return outcome;
}

void check_open(const ManagerCore& core, std::string_view operation) {
  if (core.closed) error(ErrorCode::Closed, operation, "", "the StorageManager was closed").raise();
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
StorageManager& StorageManager::operator=(StorageManager&& other) noexcept {
  const StorageManager before(std::exchange(core_, std::move(other.core_)));
  return *this;
}
StorageManager::~StorageManager() {
  if (!core_) return;
  core_->closed = true;
  core_->pool.finish();  // not left to the core, which cursors may keep
}

void StorageManager::close() {
  core_->closed = true;
  core_->pool.rest();
}

// --- Steps
// ------------------------------------------------------------------------------------------------------------

Receipt StorageManager::store_step_data(std::string_view session_id, std::string_view step_id,
                                        const StepData& data, const StoreOptions& options) {
  return store(*core_, session_id, step_id, data, options);
}

Step StorageManager::retrieve_step_data(std::string_view session_id, std::string_view step_id,
                                        const ReadOptions& options) {
  return retrieve(*core_, session_id, step_id, options);
}

StepInfo StorageManager::stat_step(std::string_view session_id, std::string_view step_id,
                                   const ReadOptions& options) {
  return call(*core_, "stat_step", step_name(session_id, step_id), options.call,
              [&](const CallLimits& limits) {
                core_->gate.before_read(limits);
                return core_->reader.stat(session_id, step_id, options, limits);
              });
}

std::future<Receipt> StorageManager::store_step_data_async(std::string session_id,
                                                           std::string step_id, OwnedStepData data,
                                                           StoreOptions options) {
  check_open(*core_, "store_step_data_async");
  return posted(*core_,
                [core = core_.get(), session = std::move(session_id), step = std::move(step_id),
                 data = std::move(data), options = std::move(options)] {
                  return store(*core, session, step,
                               {.html_content = data.html_content,
                                .screenshot_bytes = data.screenshot_bytes,
                                .action_data = data.action_data,
                                .metadata = data.metadata,
                                .components = data.components},
                               options);
                });
}

std::future<Step> StorageManager::retrieve_step_data_async(std::string session_id,
                                                           std::string step_id,
                                                           ReadOptions options) {
  check_open(*core_, "retrieve_step_data_async");
  return posted(*core_,
                [core = core_.get(), session = std::move(session_id), step = std::move(step_id),
                 options = std::move(options)] { return retrieve(*core, session, step, options); });
}

void StorageManager::post(std::function<void()> work) {
  check_open(*core_, "post");
  core_->pool.add(std::move(work));
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

DoctorReport StorageManager::doctor(const DoctorOptions& options) {
  DoctorReport report = call(*core_, "doctor", "", options.call, [&](const CallLimits& limits) {
    return examine_store(*core_->store, core_->exam.get(), core_->clock, core_->random, options,
                         limits);
  });
  const StorageInfo info = get_storage_info();
  report.location = info.location;
  report.notes = info.notes;
  return report;
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

PresignedUrl StorageManager::presign(std::string_view session_id, std::string_view step_id,
                                     std::string_view component, const PresignOptions& options) {
  return call(*core_, "presign", step_name(session_id, step_id), options.call,
              [&](const CallLimits& limits) {
                if (options.method == LinkMethod::get) {
                  core_->gate.before_read(limits);
                } else {
                  core_->gate.before_write(limits);
                }
                return Linker(*core_->store, core_->roots, core_->reader)
                    .link(session_id, step_id, component, options, limits);
              });
}

StorageInfo StorageManager::get_storage_info() const {
  StorageInfo info = core_->info;
  const Capabilities now = core_->store->capabilities();
  info.stack = now.stack;
  info.durable = now.durable;
  // What the store has found out itself is newer than what the marker says.
  const auto weaker = now.notes.empty() ? core_->gate.notes() : now.notes;
  info.notes.insert(info.notes.end(), weaker.begin(), weaker.end());
  info.format = kFormatVersion;
  return info;
}

}  // namespace stepstore
