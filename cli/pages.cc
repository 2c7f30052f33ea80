#include "pages.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace stepstore::cli {

Ids::Ids(const Context& context, ListOptions list, Page page_of)
    : context_(context),
      list_(std::move(list)),
      page_of_(std::move(page_of)),
      left_(list_.limit > 0 ? list_.limit : SIZE_MAX) {}

Ids Ids::of_sessions(const Context& context, StorageManager& store, ListOptions list) {
  return {context, std::move(list),
          [&store](const ListOptions& options) { return store.list_sessions(options); }};
}

Ids Ids::of_steps(const Context& context, StorageManager& store, std::string session,
                  ListOptions list) {
  return {context, std::move(list),
          [&store, session = std::move(session)](const ListOptions& options) {
            return store.list_steps_for_session(session, options);
          }};
}

std::optional<std::string> Ids::next() {
  while (at_ == page_.ids.size()) {
    if (last_ || left_ == 0) return std::nullopt;
    list_.limit = std::min(left_, kPageIds);
    list_.call = context_.call();
    page_ = page_of_(list_);
    at_ = 0;
    list_.after = page_.next;
    last_ = page_.next.empty();
  }
  if (left_ == 0) return std::nullopt;
  --left_;
  return page_.ids[at_++];
}

void each_session(const Context& context, StorageManager& store, ListOptions list,
                  const EachId& each) {
  Ids ids = Ids::of_sessions(context, store, std::move(list));
  while (const auto id = ids.next()) {
    if (!each(*id)) return;
  }
}

void each_step(const Context& context, StorageManager& store, const std::string& session,
               ListOptions list, const EachId& each) {
  Ids ids = Ids::of_steps(context, store, session, std::move(list));
  while (const auto id = ids.next()) {
    if (!each(*id)) return;
  }
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
