// Walks a listing page by page, so that memory does not grow with what is stored.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "context.h"

namespace stepstore::cli {

inline constexpr std::size_t kPageIds = 1000;

// The ids of a listing one by one, from `list` on. `list.limit` bounds how many; `list.call` is
// replaced. next() throws Cancelled after ctrl-C.
class Ids {
 public:
  static Ids of_sessions(const Context& context, StorageManager& store, ListOptions list);
  static Ids of_steps(const Context& context, StorageManager& store, std::string session,
                      ListOptions list);
  std::optional<std::string> next();

 private:
  using Page = std::function<Listing(const ListOptions&)>;
  Ids(const Context& context, ListOptions list, Page page_of);

  const Context& context_;
  ListOptions list_;
  Page page_of_;
  std::size_t left_;
  Listing page_{};
  std::size_t at_ = 0;
  bool last_ = false;
};

// Calls `each` for every session (or step of `session`), and stops when it returns false.
using EachId = std::function<bool(const std::string& id)>;
void each_session(const Context& context, StorageManager& store, ListOptions list,
                  const EachId& each);
void each_step(const Context& context, StorageManager& store, const std::string& session,
               ListOptions list, const EachId& each);

std::uint64_t count_steps(const Context& context, StorageManager& store, const std::string& session,
                          bool legacy);

}  // namespace stepstore::cli
