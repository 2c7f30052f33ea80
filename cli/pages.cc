#include "pages.h"

#include <algorithm>

namespace stepstore::cli {
namespace {

template <class List>
void walk(const Context& context, ListOptions list, const EachId& each, const List& page_of) {
  std::size_t left = list.limit;
  const bool bounded = left > 0;
  while (true) {
    list.limit = bounded ? std::min(left, kPageIds) : kPageIds;
    list.call = context.call();
    const Listing page = page_of(list);
    for (const std::string& id : page.ids) {
      if (!each(id)) return;
    }
    if (bounded) left -= std::min(left, page.ids.size());
    if (page.next.empty() || (bounded && left == 0)) return;
    list.after = page.next;
  }
}

}  // namespace

void each_session(const Context& context, StorageManager& store, ListOptions list,
                  const EachId& each) {
  walk(context, std::move(list), each,
       [&](const ListOptions& options) { return store.list_sessions(options); });
}

void each_step(const Context& context, StorageManager& store, const std::string& session,
               ListOptions list, const EachId& each) {
  walk(context, std::move(list), each,
       [&](const ListOptions& options) { return store.list_steps_for_session(session, options); });
}

std::uint64_t count_steps(const Context& context, StorageManager& store, const std::string& session,
                          bool legacy) {
  std::uint64_t count = 0;
  each_step(context, store, session, {.legacy = legacy}, [&](const std::string&) {
    ++count;
    return true;
  });
  return count;
}

}  // namespace stepstore::cli
