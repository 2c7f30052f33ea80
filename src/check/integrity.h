// Is everything there that the manifests name, and is it what they say? Plain functions over any
// store.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "stepstore/object_store.h"
#include "stepstore/storage_manager.h"

namespace stepstore {

// Reads every manifest, asks for the size of every object it names, and with options.data reads
// them too. Changes nothing.
CheckReport check_integrity(ObjectStore& store, Clock& clock, const CheckOptions& options,
                            const CallLimits& limits);

}  // namespace stepstore
