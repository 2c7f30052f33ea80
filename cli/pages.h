// Walks a listing page by page, so that memory does not grow with what is stored.
#pragma once

#include <functional>
#include <string>

#include "context.h"

namespace stepstore::cli {

inline constexpr std::size_t kPageIds = 1000;

// Calls `each` for every session (or step of `session`) from `list` on; stops when it returns
// false, and throws Cancelled after ctrl-C. `list.limit` bounds how many; `list.call` is replaced.
using EachId = std::function<bool(const std::string& id)>;
void each_session(const Context& context, StorageManager& store, ListOptions list,
                  const EachId& each);
void each_step(const Context& context, StorageManager& store, const std::string& session,
               ListOptions list, const EachId& each);

std::uint64_t count_steps(const Context& context, StorageManager& store, const std::string& session,
                          bool legacy);

}  // namespace stepstore::cli
