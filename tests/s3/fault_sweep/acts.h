// The calls that a sweep disturbs, and what must be there after each of them.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "stepstore/storage_manager.h"
#include "testing/fault_server/plan.h"

namespace stepstore::sweep {

struct Act {
  std::string name;
  // Before it, without faults.
  std::function<void(StorageManager&)> prepare;
  // Throws std::logic_error when it returns something wrong.
  std::function<void(StorageManager&, const Call&)> run;
  // What a process sees that knows nothing: one of the two, whatever has happened.
  std::function<std::string(StorageManager&)> look;
  std::string before, after;
  // Errors that its documentation names beside those that every call may have.
  std::set<ErrorCode> errors{};
  // Changes nothing, so that one bucket serves all of its runs.
  bool reads = false;
  // Faults that are there anyway, so that there are requests that only these lead to.
  std::function<void(fault::FaultPlan&, const std::string& bucket)> weather{};
};

const std::vector<Act>& acts();
const Act& act_named(const std::string& name);

}  // namespace stepstore::sweep
