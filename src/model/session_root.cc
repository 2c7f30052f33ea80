#include "model/session_root.h"

#include <algorithm>

#include "model/json_io.h"
#include "model/manifest.h"

namespace stepstore {

bool SessionRoot::holds_step(std::string_view step_id) const noexcept {
  return held || std::find(held_steps.begin(), held_steps.end(), step_id) != held_steps.end();
}

std::string to_json(const SessionRoot& root, std::string_view session_id) {
  nlohmann::ordered_json document;
  document["format"] = kFormatVersion;
  document["session"] = session_id;
  document["generation"] = root.generation;
  document["write"] = root.write_id;
  nlohmann::ordered_json holds = nlohmann::ordered_json::array();
  if (root.held) holds.push_back(nlohmann::ordered_json::object());
  for (const std::string& step : root.held_steps) holds.push_back({{"step", step}});
  if (!holds.empty()) document["holds"] = std::move(holds);
  if (!root.others.empty()) {
    const auto others = nlohmann::ordered_json::parse(root.others);
    for (const auto& [name, value] : others.items()) document[name] = value;
  }
  return document.dump(1) + "\n";
}

SessionRoot parse_session_root(std::string_view json, std::string_view key) {
  nlohmann::json document = parse_object(json, key);
  check_format(document, key);
  SessionRoot root;
  root.generation = member<std::uint64_t>(document, "generation", key);
  root.write_id = member<std::string>(document, "write", key);
  for (const auto& hold : array_member(document, "holds", key)) {
    if (!hold.is_object()) throw_corrupt(key, "a hold is not an object");
    if (hold.contains("step")) {
      root.held_steps.push_back(member<std::string>(hold, "step", key));
    } else {
      root.held = true;
    }
  }
  for (const char* known : {"format", "session", "generation", "write", "holds"}) {
    document.erase(known);
  }
  if (!document.empty()) root.others = document.dump();
  return root;
}

}  // namespace stepstore
