// The collector of orphans that the storage protocol describes, for tests: every object counts as
// old enough, so each writer has slept past its grace.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "stepstore/object_store.h"

namespace stepstore {

enum class Fence : std::uint8_t {
  swap_root,
  none,  // the rule left out that makes collecting safe, to show that a test notices
};

struct Collected {
  std::size_t candidates = 0;  // objects that no root named
  std::size_t removed = 0;
  bool refused = false;  // somebody changed the root first, so nothing was removed
};

// Removes from the folder of a step (without a slash at its end) what its root does not name, after
// it has swapped that root for an equal one with a fresh id, or has created one that says
// `deleted`. Leaves a root that says `deleting` to whoever is deleting.
Collected collect_orphans_in(ObjectStore& store, std::string_view folder, Clock& clock,
                             Random& random, Fence fence = Fence::swap_root);

// The same for a step of the session's living generation.
Collected collect_orphans(ObjectStore& store, std::string_view session_id, std::string_view step_id,
                          Clock& clock, Random& random, Fence fence = Fence::swap_root);

}  // namespace stepstore
