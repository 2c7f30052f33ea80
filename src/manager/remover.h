// Remover: deletes steps and sessions, as protocol.md says under "Delete a step" and "Delete a
// session".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "manager/roots.h"
#include "stepstore/storage_manager.h"

namespace stepstore {

class Remover {
 public:
  Remover(ObjectStore& store, Roots& roots, Clock& clock)
      : store_(store), roots_(roots), clock_(clock) {}

  // Thread-safe. Throws Held.
  DeleteResult remove_step(std::string_view session_id, std::string_view step_id,
                           const CallLimits& limits);
  // Throws Held; PartialFailure when something could not be removed, after everything was tried.
  DeleteResult remove_session(std::string_view session_id, const CallLimits& limits);

 private:
  enum class Swap : std::uint8_t {
    done,
    refused,    // somebody else changed the root first
    overtaken,  // done, and somebody has changed the root since
  };
  Swap swap(const std::string& folder, const StepRoot& from, Manifest to, StepRoot* written,
            const CallLimits& limits);
  enum class End : std::uint8_t {
    done,
    held,       // the step is back
    overtaken,  // somebody else has changed the root since
  };
  End finish(std::string_view session_id, std::string_view step_id, const std::string& folder,
             const StepRoot& root, DeleteResult& result, const CallLimits& limits);
  std::uint64_t remove_left_over(const std::string& folder, const StepRoot& root,
                                 const CallLimits& limits);
  std::uint64_t remove_all(const std::vector<ObjectKey>& keys, const CallLimits& limits);
  // False: nothing was recorded since the last deletion.
  bool leave_generation(std::string_view session_id, const CallLimits& limits);
  std::vector<std::string> dead_folders(std::string_view session_id, std::uint64_t generation,
                                        const CallLimits& limits);
  void sweep(const std::string& folder, DeleteResult& result,
             std::vector<StorageManagerError>& failures, const CallLimits& limits);

  ObjectStore& store_;
  Roots& roots_;
  Clock& clock_;
};

}  // namespace stepstore
