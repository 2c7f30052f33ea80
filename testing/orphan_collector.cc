#include "testing/orphan_collector.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/ulid.h"
#include "layout/keys.h"
#include "model/manifest.h"
#include "model/session_root.h"

namespace stepstore {
namespace {

// Whether the root is as it was read, and now has another ETag: a writer that has read it before
// and swaps it later is refused.
bool fenced(ObjectStore& store, const ObjectKey& key, Manifest root, const Condition& condition,
            Clock& clock, Random& random) {
  root.write_id = make_ulid(clock, random);
  const std::string body = to_json(root);
  return put_one(
             store,
             {.key = key, .body = body, .content_type = "application/json", .condition = condition})
      .ok();
}

}  // namespace

Collected collect_orphans_in(ObjectStore& store, std::string_view folder, Clock& clock,
                             Random& random, Fence fence) {
  // Listed before the root is read: what a writer sends later is no candidate.
  const std::vector<ObjectInfo> there = list_all(store, {.prefix = std::string(folder) + "/"});
  const ObjectKey key = manifest_key(folder);
  const auto object = get_one(store, key);
  if (!object.ok() && !object.is(ErrorCode::NotFound)) return {.refused = true};
  Manifest root;
  root.state = RootState::deleted;
  if (object.ok()) {
    root = parse_manifest(object->body.text(), key.text());
    if (root.state == RootState::deleting) return {};
  } else {
    root.commit_id = make_ulid(clock, random);
  }
  const std::vector<std::string> named = root.named_locations();
  std::vector<ObjectKey> candidates;
  for (const ObjectInfo& info : there) {
    const ParsedKey parsed = parse_key(info.key.text());
    if (parsed.role == FileRole::manifest || parsed.role == FileRole::foreign) continue;
    if (!std::ranges::binary_search(named, parsed.location)) candidates.push_back(info.key);
  }
  Collected result{.candidates = candidates.size()};
  if (candidates.empty()) return result;
  if (fence == Fence::swap_root) {
    const Condition condition =
        object.ok() ? Condition::unchanged(object->info.etag) : Condition::absent();
    if (!fenced(store, key, root, condition, clock, random)) {
      result.refused = true;
      return result;
    }
  }
  for (const auto& outcome : store.remove(candidates, {})) result.removed += outcome.ok() ? 1 : 0;
  return result;
}

Collected collect_orphans(ObjectStore& store, std::string_view session_id, std::string_view step_id,
                          Clock& clock, Random& random, Fence fence) {
  const auto session = get_one(store, session_root_key(session_id));
  if (!session.ok() && !session.is(ErrorCode::NotFound)) return {.refused = true};
  const std::uint64_t generation =
      session.ok() ? parse_session_root(session->body.text(), "").generation : 0;
  return collect_orphans_in(store, step_folder(session_id, generation, step_id), clock, random,
                            fence);
}

}  // namespace stepstore
