// Reading and writing the two kinds of roots. Everything that changes what exists goes through
// Roots::commit.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/errors.h"
#include "base/random.h"
#include "manager/bounded_map.h"
#include "model/manifest.h"
#include "model/session_root.h"
#include "stepstore/object_store.h"

namespace stepstore {

struct StepRoot {
  ETag etag;
  Bytes text;  // as stored
  Manifest manifest;
};

struct SessionState {
  std::optional<ETag> etag;  // none: there is no session root
  SessionRoot root{};        // as it is, or generation 0 with nothing set
};

// What became of a commit.
struct Commit {
  enum class Outcome : std::uint8_t {
    done,
    refused,  // the condition did not hold: somebody else was first, or an earlier try of ours was
    moved,    // the session has another generation now
    not_tried,  // a part was not taken; see `parts`
  };
  Outcome outcome = Outcome::not_tried;
  std::vector<Result<ETag>> parts{};
  ETag etag{};                   // done: of the root that was written
  std::uint64_t generation = 0;  // moved: the session's generation
  bool ever_unknown = false;  // an answer was lost on the way, so `refused` may be our own success
};

struct CommitRequest {
  std::string_view session_id;
  std::uint64_t generation;
  ObjectKey key;
  std::string_view body;
  Condition condition;
  std::span<const PutRequest> parts{};
};

// Does the work. Once a write may have happened, whatever ends the call leaves its outcome unknown.
template <class Work>
auto told_unknown_if(bool maybe_done, Work&& work) {
  try {
    return work();
  } catch (const StorageManagerError& stopped) {
    if (maybe_done && !stopped.outcome_unknown()) unknown_outcome(stopped).raise();
    throw;
  }
}

class Roots {
 public:
  Roots(ObjectStore& store, Clock& clock, Random& random)
      : store_(store), clock_(clock), random_(random) {}

  // None: there is no root, so the step was never stored in this generation.
  std::optional<StepRoot> read_step(const std::string& folder, const CallLimits& limits);
  SessionState read_session(std::string_view session_id, const CallLimits& limits);

  // Publishes the parts and writes the root, if the session is still in `generation`. When the
  // answer to the root's write is lost, the same write is repeated until it is known; throws with
  // outcome_unknown() when the limits end that. Throws what the store definitely failed with.
  Commit commit(const CommitRequest& request, const CallLimits& limits);
  // The same for a session root, which has no guard of its own. True: done; false: refused.
  bool swap_session(std::string_view session_id, const SessionState& from, const SessionRoot& to,
                    const CallLimits& limits);

  // Removes objects that no root names, repeating what got no answer. Outcomes as of
  // ObjectStore::remove.
  std::vector<Result<Done>> remove(std::span<const ObjectKey> keys, const CallLimits& limits);

  // The generation that the session had when this process last looked; 0 when it never did.
  std::uint64_t generation_hint(const std::string& session_id) const;
  void remember_generation(const std::string& session_id, std::uint64_t generation);
  // A root that this process has just read or written; it saves a read, and a stale one is only
  // refused.
  std::optional<StepRoot> cached(const std::string& folder) const { return steps_.get(folder); }
  void remember(const std::string& folder, StepRoot root) { steps_.set(folder, std::move(root)); }

  std::string new_id() { return make_id(); }
  // A pause before trying again, random and longer with each try.
  void back_off(unsigned tries, const CallLimits& limits);

 private:
  std::string make_id();

  ObjectStore& store_;
  Clock& clock_;
  Random& random_;
  BoundedMap<std::uint64_t> generations_{4096};
  BoundedMap<StepRoot> steps_{256};
};

// Parsing, with the key for the error.
StepRoot to_step_root(const Object& object);
SessionState to_session_state(const Result<Object>& outcome);  // throws unless found or absent

}  // namespace stepstore
