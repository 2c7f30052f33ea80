#include "manager/adopter.h"

#include "base/errors.h"
#include "layout/keys.h"
#include "manager/legacy.h"

namespace stepstore {

AdoptReport Adopter::adopt(const AdoptOptions& options, const CallLimits& limits) {
  AdoptReport report;
  if (options.session) {
    adopt_session(*options.session, options.dry_run, report, limits);
    return report;
  }
  for (const std::string& session_id : lister_.sessions({}, limits).ids) {
    adopt_session(session_id, options.dry_run, report, limits);
  }
  return report;
}

void Adopter::adopt_session(const std::string& session_id, bool dry_run, AdoptReport& report,
                            const CallLimits& limits) {
  const std::uint64_t generation = roots_.read_session(session_id, limits).root.generation;
  ListOptions all;
  all.legacy = true;
  for (const std::string& step_id : lister_.steps(session_id, all, limits).ids) {
    check_limits(limits, clock_, "adopt");
    const std::string folder = step_folder(session_id, generation, step_id);
    const auto files = find_legacy_files(store_, clock_, folder, limits);
    if (files.empty()) continue;  // it has a manifest
    if (dry_run) {
      report.adopted.push_back({session_id, step_id});
      continue;
    }
    Manifest manifest = legacy_manifest(store_, files, session_id, step_id, folder, limits);
    manifest.commit_id = roots_.new_id();
    manifest.write_id = roots_.new_id();
    const std::string body = to_json(manifest);
    const Commit commit = roots_.commit({.session_id = session_id,
                                         .generation = generation,
                                         .key = manifest_key(folder),
                                         .body = body,
                                         .condition = Condition::absent()},
                                        limits);
    if (commit.outcome == Commit::Outcome::done) {
      report.adopted.push_back({session_id, step_id});
    } else {
      report.skipped.push_back(
          {Finding::Kind::foreign, folder, "somebody else stored the step meanwhile"});
    }
  }
}

}  // namespace stepstore
