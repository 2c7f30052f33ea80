// Reads objects. One open file is one object: files are never written in place.
#pragma once

#include "store/local/core.h"

namespace stepstore::local {

std::vector<Result<Object>> get(Core& core, std::span<const GetRequest> items,
                                const CallLimits& limits);
std::vector<Result<ObjectInfo>> head(Core& core, std::span<const ObjectKey> keys,
                                     const CallLimits& limits);
ListPage list(Core& core, const ListRequest& request, const CallLimits& limits);

}  // namespace stepstore::local
