// Lister: sessions of a store and steps of a session, in order, page by page.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "manager/roots.h"
#include "stepstore/options.h"
#include "stepstore/storage_manager.h"

namespace stepstore {

class Lister {
 public:
  Lister(ObjectStore& store, Roots& roots, Clock& clock)
      : store_(store), roots_(roots), clock_(clock) {}

  Listing sessions(const ListOptions& options, const CallLimits& limits);
  // `generation`: that of the session, for the pages of one iteration: the first one asks for it,
  // the others take it from there.
  Listing steps(std::string_view session_id, const ListOptions& options, const CallLimits& limits,
                std::optional<std::uint64_t>* generation = nullptr);

 private:
  Listing sessions_in_order(const ListOptions& options, const CallLimits& limits);
  Listing all_sessions(const ListOptions& options, const CallLimits& limits);

  ObjectStore& store_;
  Roots& roots_;
  Clock& clock_;
};

}  // namespace stepstore
