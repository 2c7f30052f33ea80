// The session root: what is set for a session as a whole. Usually there is none, which means
// generation 0 and nothing set.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stepstore {

struct SessionRoot {
  std::uint64_t generation = 0;
  bool held = false;                      // nothing of the session may be deleted
  std::vector<std::string> held_steps{};  // these may not be deleted
  std::string write_id;                   // fresh for every write
  std::string others;  // members that this release does not know, as a JSON object: kept when the
                       // root is swapped

  bool holds_step(std::string_view step_id) const noexcept;
  bool holds_anything() const noexcept { return held || !held_steps.empty(); }
};

std::string to_json(const SessionRoot& root, std::string_view session_id);
// Throws Corrupt, or Unsupported for a newer major format.
SessionRoot parse_session_root(std::string_view json, std::string_view key);

}  // namespace stepstore
