#include "json_out.h"

#include "text.h"

namespace stepstore::cli {

std::string json_line(const Json& value) {
  return value.dump(-1, ' ', true, Json::error_handler_t::replace);
}

Json json_of(const Receipt& receipt) {
  Json out = {{"state", receipt.state == Receipt::State::committed ? "committed" : "spooled"},
              {"version", receipt.version},
              {"commit_id", receipt.commit_id},
              {"skipped", receipt.skipped},
              {"paths", Json::object()}};
  for (const auto& [name, path] : receipt.paths) out["paths"][name] = path;
  return out;
}

Json json_of(const StepInfo& info) {
  Json out = {{"session", info.session_id},
              {"step", info.step_id},
              {"version", info.version},
              {"commit_id", info.commit_id},
              {"created_at", shown_time(info.created_at)},
              {"path", info.path},
              {"size", info.total_size()},
              {"legacy", info.legacy},
              {"components", Json::array()}};
  if (info.expires_at) out["expires_at"] = shown_time(*info.expires_at);
  for (const ComponentInfo& component : info.components) {
    out["components"].push_back({{"name", component.name},
                                 {"path", component.path},
                                 {"content_type", component.content_type},
                                 {"size", component.size},
                                 {"crc64nvme", shown_crc(component.crc64)}});
  }
  return out;
}

Json json_of(const Finding& finding) {
  return {{"kind", std::string(name_of(finding.kind))},
          {"key", finding.key},
          {"message", finding.message}};
}

}  // namespace stepstore::cli
