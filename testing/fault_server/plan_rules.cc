#include "testing/fault_server/plan_rules.h"

#include <algorithm>

namespace stepstore::fault {

Rate::Rate(double per_s) : per_s_(per_s), tokens_(std::max(1.0, per_s / 10)) {}

bool Rate::has_room(std::chrono::steady_clock::time_point now) {
  const std::chrono::duration<double> passed = filled_ ? now - *filled_ : now - now;
  filled_ = now;
  tokens_ = std::min(std::max(1.0, per_s_ / 10), tokens_ + passed.count() * per_s_);
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

bool FaultPlan::RuleData::chooses(Time now) {
  ++seen;
  if (seen < from || seen - from >= times) return false;
  if (share < 1 && std::uniform_real_distribution<double>()(dice) >= share) return false;
  return !rate || !rate->has_room(now);
}

FaultPlan::Rule& FaultPlan::Rule::when(std::function<bool(const Call&)> predicate) {
  const std::lock_guard lock(plan_.mutex_);
  data_->when = std::move(predicate);
  return *this;
}

FaultPlan::Rule& FaultPlan::Rule::from(std::size_t n) {
  const std::lock_guard lock(plan_.mutex_);
  data_->from = n;
  return *this;
}

FaultPlan::Rule& FaultPlan::Rule::times(std::size_t n) {
  const std::lock_guard lock(plan_.mutex_);
  data_->times = n;
  return *this;
}

FaultPlan::Rule& FaultPlan::Rule::between(Milliseconds from, Milliseconds until) {
  const std::lock_guard lock(plan_.mutex_);
  data_->begins = from;
  data_->ends = until;
  return *this;
}

FaultPlan::Rule& FaultPlan::Rule::share(double part, std::uint64_t seed) {
  const std::lock_guard lock(plan_.mutex_);
  data_->share = part;
  data_->dice.seed(seed);
  return *this;
}

FaultPlan::Rule& FaultPlan::Rule::above_per_s(double requests) {
  const std::lock_guard lock(plan_.mutex_);
  data_->rate.emplace(requests);
  return *this;
}

void FaultPlan::Rule::fault(std::string_view kind, const FaultSettings& settings) {
  fault(make_fault(kind, settings));
}

void FaultPlan::Rule::fault(Fault made) {
  const std::lock_guard lock(plan_.mutex_);
  if (made.fate == Fate::cut_request) plan_.has_early_ = true;
  data_->decision.fault = std::move(made);
  data_->set = true;
}

void FaultPlan::Rule::set(Fate fate, http::Response response, std::size_t overtaken_by) {
  fault(Fault{.fate = fate,
              .answer = std::move(response),
              .overtaken_by = std::max<std::size_t>(overtaken_by, 1)});
}

std::shared_ptr<Gate> FaultPlan::Rule::hold() {
  auto gate = std::make_shared<Gate>();
  const std::lock_guard lock(plan_.mutex_);
  plan_.gates_.push_back(gate);
  data_->decision.gate = gate;
  data_->set = true;
  return gate;
}

}  // namespace stepstore::fault
