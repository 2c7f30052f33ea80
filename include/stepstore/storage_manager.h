// StorageManager: store the steps of recorded sessions and get them back. Start here.
//
//   stepstore::StorageManager store("./recordings");
//   store.store_step_data("login-test", "0001", {.html_content = html, .screenshot_bytes = png,
//   .action_data = json}); auto [html, screenshot, action] = store.retrieve_step_data("login-test",
//   "0001");
//
// Promises: a step is there whole or not at all, for every reader at every moment; what a store
// call has acknowledged is not lost. docs/storage_manager.md is the manual.
//
// Thread-safety: one manager serves any number of threads. Any number of processes may use the same
// store. Usable after
//                fork() in the parent and the child.
// Errors: every method throws StorageManagerError or a class derived from it; Closed after close().
// All methods may throw
//         Unavailable, Throttled, Timeout, Io, PermissionDenied, Unauthenticated, Cancelled,
//         ConfigError, and Corrupt when a manifest, a session's root or format.json cannot be read;
//         what they throw beside these stands with the method.
// Ids: session_id and step_id are any non-empty valid UTF-8 whose encoded form has at most 200
// bytes; else InvalidArgument.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stepstore/doctor.h"
#include "stepstore/options.h"
#include "stepstore/presign.h"
#include "stepstore/reports.h"
#include "stepstore/result.h"
#include "stepstore/step.h"

namespace stepstore {
inline namespace v1 {

class ObjectStore;
class ManagerCore;

struct StepRequest {
  std::string session_id;
  std::string step_id;
  StepData data;
};

// StepData that owns its bytes, for calls that return before they are done.
struct OwnedStepData {
  std::optional<Bytes> html_content{};
  std::optional<Bytes> screenshot_bytes{};
  std::optional<std::string> action_data{};  // JSON text
  std::optional<std::string> metadata{};     // JSON text
  std::vector<Component> components{};       // of Bytes, files or readers
};

struct Listing {
  std::vector<std::string> ids{};  // ordered by encoded id + "/", as S3 orders prefixes
  std::string next{};              // ListOptions::after of the next page; empty: nothing is left
  bool complete = true;            // false: the store could not be asked for everything
};

// Reads the steps of a session one after the other, in order, while the next ones are read ahead:
// more of them the longer it goes on, up to Options::concurrency and in_flight_bytes_max. Not
// thread-safe; must not outlive its manager.
class StepCursor {
 public:
  StepCursor(StepCursor&&) noexcept;
  StepCursor& operator=(StepCursor&&) noexcept;
  ~StepCursor();  // stops what is read ahead, and does not wait for it
  // The next step; none at the end. A step deleted after it was listed is left out. It has the time
  // and the stop token that iter_steps was given.
  std::optional<Step> next();
  // The same, with bounds of its own. What ends it, ends what is read ahead too: the cursor gives
  // no more steps.
  std::optional<Step> next(const Call& bounds);

 private:
  friend class StorageManager;
  struct State;
  explicit StepCursor(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class StorageManager {
 public:
  // `uri`: a path, "file:///path", "memory:" (private) or "memory:name" (shared in the process).
  // Empty: local_base_path. Does not touch the store: a wrong path is reported by the first call.
  // Throws ConfigError, InvalidArgument.
  explicit StorageManager(std::string_view uri = {}, Options options = {});
  // Over a store of your own.
  explicit StorageManager(std::shared_ptr<ObjectStore> store, Options options = {});
  StorageManager(StorageManager&&) noexcept;
  StorageManager& operator=(StorageManager&&) noexcept;
  ~StorageManager();

  // Stores a step: all of it or nothing. After it returns, every reader sees the step and a crash
  // does not lose it. Throws InvalidArgument (ids, JSON, names, sizes; before anything is written),
  // TooLarge, NoSpace, AlreadyExists (if_exists=fail), Conflict (if_version). On any error the step
  // is as it was before, unless outcome_unknown(): then it is whole and either the old or the new
  // one. Storing again is always safe.
  Receipt store_step_data(std::string_view session_id, std::string_view step_id,
                          const StepData& data, const StoreOptions& options = {});
  // Stores many steps, several at a time; a result per step, in order. Throws only Cancelled,
  // Timeout before the first step, and Closed; steps that were not begun then are Cancelled or
  // Timeout in their result.
  std::vector<Result<Receipt>> store_steps(std::span<const StepRequest> steps,
                                           const StoreOptions& options = {});

  // Stores what `next` gives until it gives nothing, several at a time, and tells `done` each
  // result in their order; both run on the calling thread. Never more than twice
  // Options::concurrency steps and in_flight_bytes_max bytes are on their way. What a request
  // borrows must live until its result was told. Throws Cancelled, Timeout and Closed after the
  // results of what was begun, and what `next` and `done` throw.
  void store_steps(const std::function<std::optional<StepRequest>()>& next,
                   const std::function<void(Result<Receipt>)>& done,
                   const StoreOptions& options = {});
  // Stores on one of the manager's threads. The bytes of readers are pulled there.
  std::future<Receipt> store_step_data_async(std::string session_id, std::string step_id,
                                             OwnedStepData data, StoreOptions options = {});

  // Reads a step, whole and verified. Throws NotFound, Corrupt.
  Step retrieve_step_data(std::string_view session_id, std::string_view step_id,
                          const ReadOptions& options = {});
  std::vector<Result<Step>> retrieve_steps(std::span<const StepName> steps,
                                           const ReadOptions& options = {});
  // As store_steps: what `next` names, told to `done`.
  void retrieve_steps(const std::function<std::optional<StepName>()>& next,
                      const std::function<void(Result<Step>)>& done,
                      const ReadOptions& options = {});
  std::future<Step> retrieve_step_data_async(std::string session_id, std::string step_id,
                                             ReadOptions options = {});
  // Reads only the manifest. Throws NotFound, Corrupt.
  StepInfo stat_step(std::string_view session_id, std::string_view step_id,
                     const ReadOptions& options = {});

  // Sessions by their folders: one whose steps were all deleted singly is still listed. An empty
  // store gives none.
  Listing list_sessions(const ListOptions& options = {});
  // Committed steps only. An unknown session gives an empty list.
  Listing list_steps_for_session(std::string_view session_id, const ListOptions& options = {});
  // Reads step after step. `list.limit` bounds how many.
  StepCursor iter_steps(std::string_view session_id, const ListOptions& list = {},
                        const ReadOptions& read = {});

  // Deletes a step. Deleting what is not there succeeds. Throws Held. After any error the step is
  // there as before, unless outcome_unknown(): then it is whole or gone.
  DeleteResult delete_step(std::string_view session_id, std::string_view step_id,
                           const DeleteOptions& options = {});
  // Deletes all of a session; recording may go on under the same id at once. Throws Held;
  // PartialFailure when its steps are gone but objects of theirs are left. Other errors as above.
  DeleteResult delete_session(std::string_view session_id, const DeleteOptions& options = {});

  // Looks for damage. Changes nothing.
  CheckReport check(const CheckOptions& options = {});
  // Tries out what the store really does, by small writes below a folder of its own that it removes
  // again, and tells whether that is enough for stepstore's promises. What it finds out about a
  // bucket is kept there and used by every writer. A row that fails is `unknown` and says why; it
  // throws PermissionDenied, Unauthenticated, Unavailable, Throttled and ConfigError only when
  // nothing at all can be tried.
  DoctorReport doctor(const DoctorOptions& options = {});
  // Writes manifests for folders of the older layout without one (24 h old at least). Moves
  // nothing.
  AdoptReport adopt(const AdoptOptions& options = {});
  // Makes a link to one component, for somebody without credentials. get: of a step that is there;
  // throws NotFound when there is no such step, version or component. put: an upload of html,
  // screenshot, action or metadata under its plain name in the folder of a step that is not there,
  // to be adopted later; throws AlreadyExists when the step is there or was deleted. Stores that
  // are not in S3, and those whose objects a link could not open safely, throw Unsupported.
  PresignedUrl presign(std::string_view session_id, std::string_view step_id,
                       std::string_view component, const PresignOptions& options = {});
  StorageInfo get_storage_info() const;

  // Runs `work` on one of the manager's threads, of which there are at most Options::concurrency:
  // how bindings make calls that nobody waits for. It may call this manager; it must not throw,
  // destroy or move it. The destructor waits for it. Throws Closed.
  void post(std::function<void()> work);

  // Lets running calls end; later calls throw Closed. Idempotent; the destructor does it too, and
  // waits for what was posted and for asynchronous calls. Threads end when they have nothing to do.
  void close();

 private:
  friend class ManagerCore;
  explicit StorageManager(std::shared_ptr<ManagerCore> core);
  std::shared_ptr<ManagerCore> core_;
};

}  // namespace v1
}  // namespace stepstore
