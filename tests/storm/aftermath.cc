#include "tests/storm/aftermath.h"

#include <algorithm>
#include <iostream>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "layout/keys.h"
#include "model/manifest.h"
#include "stepstore/stepstore.h"
#include "testing/orphan_collector.h"
#include "tests/storm/place.h"
#include "tests/storm/worker.h"

namespace stepstore::storm {
namespace {

// Everybody stored whole steps only, so every step that is listed reads as one.
void read_all(StorageManager& manager, Tally& tally) {
  for (const std::string& session : manager.list_sessions().ids) {
    if (session == kOwnSession || session == "before") continue;  // of one part each
    for (const std::string& step : manager.list_steps_for_session(session).ids) {
      const std::string name = session + "/" + step;
      try {
        if (!is_whole(manager.retrieve_step_data(session, step))) {
          tally.broken(Broken::half_step, name + ", at the end");
        }
      } catch (const StorageManagerError& error) {
        tally.broken(Broken::damaged_step, name + ", at the end: " + error.what());
      }
    }
  }
}

// Whether the object is of the current version, and not only of a kept one.
bool is_current(ObjectStore& objects, const std::string& key) {
  const ParsedKey parsed = parse_key(key);
  if (parsed.role == FileRole::manifest || parsed.role == FileRole::foreign) return true;
  const std::string folder = key.substr(0, key.size() - parsed.location.size() - 1);
  const auto root = get_one(objects, manifest_key(folder));
  if (!root.ok()) return true;
  const Manifest manifest = parse_manifest(root->body.text(), key);
  return std::ranges::any_of(manifest.components, [&](const ManifestComponent& component) {
    return component.location == parsed.location;
  });
}

// The folders of the steps in which `check` found orphans.
std::set<std::string> folders_of_orphans(const CheckReport& report) {
  std::set<std::string> folders;
  for (const Finding& finding : report.findings) {
    if (finding.kind != Finding::Kind::orphan) continue;
    const ParsedKey parsed = parse_key(finding.key);
    folders.insert(finding.key.substr(0, finding.key.size() - parsed.location.size() - 1));
  }
  return folders;
}

}  // namespace

void look_at_what_is_left(const std::string& uri, bool collect, Tally& tally) {
  StorageManager manager(uri, {.fsync = false});
  read_all(manager, tally);
  const auto objects = open_objects(uri);
  if (collect) {
    std::size_t removed = 0;
    for (const std::string& folder : folders_of_orphans(manager.check({}))) {
      removed += collect_orphans_in(*objects, folder, system_clock(), system_random()).removed;
    }
    std::cout << removed << " orphans were left at the end, and collected" << std::endl;
  }
  const CheckReport report = manager.check({.data = true});
  std::map<std::string_view, int> kinds;
  for (const Finding& finding : report.findings) {
    ++kinds[name_of(finding.kind)];
    const std::string what = finding.key + ": " + finding.message;
    if (finding.kind == Finding::Kind::missing || finding.kind == Finding::Kind::corrupt) {
      tally.broken(
          is_current(*objects, finding.key) ? Broken::damaged_step : Broken::damaged_kept_version,
          what);
    } else if (finding.kind == Finding::Kind::orphan && collect) {
      tally.broken(Broken::orphans, what);
    }
  }
  std::cout << "check: " << report.steps << " steps";
  for (const auto& [kind, count] : kinds) std::cout << ", " << count << " " << kind;
  std::cout << std::endl;
}

}  // namespace stepstore::storm
