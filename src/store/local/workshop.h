// Where a store writes what nobody may see yet: a directory of its own below .stepstore/tmp, which
// it holds with a flock as long as it lives. So a later writer can tell leftovers from work.
#pragma once

#include <string>
#include <utility>

#include "store/local/core.h"

namespace stepstore::local {

class Workshop {
 public:
  explicit Workshop(Core& core) : core_(core) {}
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;
  ~Workshop();

  // A path that nobody has used, in the directory, which exists unless somebody removes it.
  std::string fresh_name(int root, std::string_view operation);
  // The directory has gone: the next name is in a new one.
  void lost();

 private:
  void make(int root, std::string_view operation);

  Core& core_;
  ForkMutex mutex_;  // of what follows
  std::string name_;
  Fd fd_;
  unsigned generation_ = 0;
  std::uint64_t next_ = 0;
};

// Removes what dead writers left, if it is old enough. Never throws; bounded.
void remove_leftovers(Core& core, int root);

}  // namespace stepstore::local
