// What a rule of a FaultPlan is made of.
#pragma once

#include <limits>
#include <random>

#include "testing/fault_server/plan.h"

namespace stepstore::fault {

// Lets so many through a second, a tenth of a second's worth at once at most. Not thread-safe.
class Rate {
 public:
  explicit Rate(double per_s);
  bool has_room(std::chrono::steady_clock::time_point now);

 private:
  double per_s_, tokens_;
  std::optional<std::chrono::steady_clock::time_point> filled_{};
};

struct FaultPlan::RuleData {
  // Whether the request gets the fault, of those that match at this time. Counts it.
  bool chooses(Time now);

  std::string method{}, contains{};
  std::function<bool(const Call&)> when{};
  std::size_t from = 1, times = std::numeric_limits<std::size_t>::max();  // of those that match
  std::size_t seen = 0;
  std::chrono::milliseconds begins{0}, ends{std::chrono::milliseconds::max()};
  double share = 1;
  std::mt19937_64 dice{};
  std::optional<Rate> rate{};
  bool set = false;
  Decision decision{};
};

}  // namespace stepstore::fault
