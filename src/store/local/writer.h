// Gives staged files their names: the one place where objects appear, change and go.
#pragma once

#include "store/local/core.h"
#include "store/local/locks.h"
#include "store/local/staged.h"
#include "store/local/workshop.h"

namespace stepstore::local {

// Renames the staged file to the key if the condition holds. With the key's lock held.
Result<ETag> place(Core& core, int root, Staged& staged, const ObjectKey& key,
                   const Condition& condition, std::string_view operation);

// Lock, place, make durable: a staged file becomes the object.
Result<ETag> commit(Core& core, int root, Staged& staged, const ObjectKey& key,
                    const Condition& condition, std::string_view operation,
                    const CallLimits& limits);

// Throws where the object's name may not be durable; it is visible already.
void sync_entry(Core& core, int root, const std::string& dir, std::string_view operation);

Result<ETag> put(Core& core, Workshop& workshop, const PutRequest& request,
                 const CallLimits& limits);
PublishResult publish(Core& core, Workshop& workshop, const PublishRequest& request,
                      const CallLimits& limits);
std::vector<Result<Done>> remove(Core& core, std::span<const ObjectKey> keys,
                                 const CallLimits& limits);
std::unique_ptr<Upload> start_upload(std::shared_ptr<Core> core, std::shared_ptr<Workshop> workshop,
                                     const ObjectKey& key, const CallLimits& limits);

}  // namespace stepstore::local
