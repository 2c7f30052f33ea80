#include "testing/fault_server/plan.h"

#include <algorithm>
#include <stdexcept>

namespace stepstore::fault {
namespace {

constexpr std::chrono::minutes kPatience(1);

std::string query_text(const Call& call) {
  std::string text;
  for (const auto& [name, value] : call.query) {
    text += (text.empty() ? "" : "&") + name + (value.empty() ? "" : "=" + value);
  }
  return text;
}

}  // namespace

void Gate::wait_until_reached(std::size_t requests) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, kPatience, [&] { return reached_ >= requests; })) {
    throw std::runtime_error("no request has reached the gate for a minute");
  }
}

void Gate::open() {
  const std::lock_guard lock(mutex_);
  open_ = true;
  changed_.notify_all();
}

void Gate::pass() {
  std::unique_lock lock(mutex_);
  ++reached_;
  changed_.notify_all();
  (void)changed_.wait_for(lock, kPatience, [&] { return open_; });
}

void FaultPlan::Rule::set(Fate fate, http::Response response, std::size_t overtaken_by) {
  const std::lock_guard lock(plan_.mutex_);
  data_->decision.fate = fate;
  data_->decision.overtaken_by = std::max<std::size_t>(overtaken_by, 1);
  data_->decision.answer = std::move(response);
  data_->set = true;
}

std::shared_ptr<Gate> FaultPlan::Rule::hold() {
  auto gate = std::make_shared<Gate>();
  const std::lock_guard lock(plan_.mutex_);
  plan_.gates_.push_back(gate);
  data_->decision.gate = gate;
  data_->set = true;
  return gate;
}

FaultPlan::Rule FaultPlan::on(std::string method, std::string contains) {
  auto data = std::make_shared<RuleData>();
  data->method = std::move(method);
  data->contains = std::move(contains);
  const std::lock_guard lock(mutex_);
  rules_.push_back(data);
  return {data, *this};
}

void FaultPlan::at_random(std::uint64_t seed, double lost_requests, double lost_answers,
                          double errors, double late) {
  const std::lock_guard lock(mutex_);
  random_.emplace(seed);
  lost_requests_ = lost_requests;
  lost_answers_ = lost_answers;
  errors_ = errors;
  late_ = late;
}

void FaultPlan::clear() {
  const std::lock_guard lock(mutex_);
  rules_.clear();
  random_.reset();
}

void FaultPlan::open_gates() {
  std::vector<std::weak_ptr<Gate>> gates;
  {
    const std::lock_guard lock(mutex_);
    gates = gates_;
  }
  for (const auto& each : gates) {
    if (const auto gate = each.lock()) gate->open();
  }
}

std::size_t FaultPlan::release() {
  std::vector<HeldBack> held_back;
  Apply apply;
  {
    const std::lock_guard lock(mutex_);
    held_back.swap(held_back_);
    apply = apply_;
  }
  for (const HeldBack& each : held_back) (void)apply(each.call);
  return held_back.size();
}

std::vector<Call> FaultPlan::take_overtaken() {
  std::vector<Call> calls;
  std::erase_if(held_back_, [&calls](HeldBack& each) {
    if (each.overtaken_by == SIZE_MAX || --each.overtaken_by > 0) return false;
    calls.push_back(std::move(each.call));
    return true;
  });
  return calls;
}

std::vector<Entry> FaultPlan::journal() const {
  const std::lock_guard lock(mutex_);
  return journal_;
}

void FaultPlan::forget_journal() {
  const std::lock_guard lock(mutex_);
  journal_.clear();
}

FaultPlan::Decision FaultPlan::by_chance() {
  if (!random_) return {};
  double dice = std::uniform_real_distribution<double>()(*random_);
  const auto falls_into = [&dice](double part) {
    dice -= part;
    return dice < 0;
  };
  if (falls_into(lost_requests_)) return {.fate = Fate::lose_request};
  if (falls_into(lost_answers_)) return {.fate = Fate::lose_answer};
  if (falls_into(late_)) return {.fate = Fate::late};
  if (falls_into(errors_)) {
    // A failure after the write was done is as common as one before.
    const bool done = std::uniform_int_distribution<int>(0, 1)(*random_) == 1;
    return {.fate = done ? Fate::done_and_answer : Fate::answer,
            .answer = error_answer(500, "InternalError", "by chance")};
  }
  return {};
}

bool FaultPlan::matches(const RuleData& rule, const Call& call, const std::string& query) {
  if (!rule.set) return false;
  if (!rule.method.empty() && rule.method != call.method) return false;
  if (call.key.find(rule.contains) == std::string::npos &&
      query.find(rule.contains) == std::string::npos) {
    return false;
  }
  return !rule.when || rule.when(call);
}

FaultPlan::Decision FaultPlan::decide(const Call& call) {
  const std::lock_guard lock(mutex_);
  if (rules_.empty()) return by_chance();
  const std::string query = query_text(call);
  for (const auto& rule : rules_) {
    if (!matches(*rule, call, query)) continue;
    ++rule->seen;
    if (rule->seen >= rule->from && rule->seen - rule->from < rule->times) return rule->decision;
  }
  return by_chance();
}

http::Reply FaultPlan::carry_out(const Call& call, const Apply& apply) {
  const auto arrived = std::chrono::steady_clock::now();
  Decision decision = decide(call);
  if (decision.gate) decision.gate->pass();
  http::Reply reply;
  const bool done = decision.fate != Fate::lose_request && decision.fate != Fate::answer &&
                    decision.fate != Fate::late;
  if (done) reply.response = apply(call);
  switch (decision.fate) {
    case Fate::lose_request:
    case Fate::lose_answer:
    case Fate::late:
      reply.delivery = http::Delivery::drop;
      break;
    case Fate::reset_answer:
      reply.delivery = http::Delivery::reset;
      break;
    case Fate::cut_answer:
      reply.delivery = http::Delivery::truncate;
      break;
    case Fate::stall:
      reply.delivery = http::Delivery::stall;
      break;
    case Fate::answer:
    case Fate::done_and_answer:
      reply.response = std::move(decision.answer);
      break;
    case Fate::twice:
    case Fate::normal:
      break;
  }
  std::vector<Call> overtaken;
  {
    const std::lock_guard lock(mutex_);
    if (!apply_) apply_ = apply;
    if (!held_back_.empty()) overtaken = take_overtaken();
    if (decision.fate == Fate::late || decision.fate == Fate::twice) {
      held_back_.push_back({call, decision.overtaken_by});
    }
    if (keep_journal_) {
      journal_.push_back({.method = call.method,
                          .key = call.key,
                          .query = query_text(call),
                          .fate = decision.fate,
                          .status = reply.response.status,
                          .arrived = arrived,
                          .answered = std::chrono::steady_clock::now()});
    }
  }
  // Before the answer goes out, so that what comes after it meets what was late.
  for (const Call& each : overtaken) (void)apply(each);
  return reply;
}

}  // namespace stepstore::fault
