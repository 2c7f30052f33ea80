// Steps of the older layout: a folder with the usual files and no manifest.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/manifest.h"
#include "stepstore/object_store.h"

namespace stepstore {

// A folder younger than this may be a step whose manifest is still on its way.
inline constexpr std::chrono::hours kLegacyAgeMin{24};

// The usual files directly in the folder; empty when it has a manifest, none of these files, or one
// that is too young.
std::vector<ObjectInfo> find_legacy_files(ObjectStore& store, Clock& clock,
                                          const std::string& folder, const CallLimits& limits);

// The manifest that such a folder would have. Reads the files, for their checksums. Throws NotFound
// when one vanishes.
Manifest legacy_manifest(ObjectStore& store, const std::vector<ObjectInfo>& files,
                         std::string_view session_id, std::string_view step_id,
                         const std::string& folder, const CallLimits& limits);

}  // namespace stepstore
