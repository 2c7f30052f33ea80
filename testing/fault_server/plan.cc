#include "testing/fault_server/plan.h"

#include <algorithm>
#include <stdexcept>

#include "testing/fault_server/plan_rules.h"

namespace stepstore::fault {
namespace {

constexpr std::chrono::minutes kPatience(1);

http::Delivery delivery_of(Fate fate) {
  switch (fate) {
    case Fate::lose_request:
    case Fate::lose_answer:
    case Fate::late:
      return http::Delivery::drop;
    case Fate::reset_answer:
      return http::Delivery::reset;
    case Fate::cut_answer:
      return http::Delivery::truncate;
    case Fate::stall:
      return http::Delivery::stall;
    default:
      return http::Delivery::send;
  }
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

FaultPlan::FaultPlan(bool keep_journal, Clock& clock)
    : keep_journal_(keep_journal), clock_(clock), started_(clock.steady_now()) {}

void FaultPlan::start_now() {
  const std::lock_guard lock(mutex_);
  started_ = clock_.steady_now();
  waits_for_first_ = false;
}

void FaultPlan::start_at_first_request() {
  const std::lock_guard lock(mutex_);
  waits_for_first_ = true;
}

FaultPlan::Time FaultPlan::started() const {
  const std::lock_guard lock(mutex_);
  return started_;
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
  has_early_ = false;
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

void FaultPlan::on_entry(std::function<void(const Entry&)> listener) {
  const std::lock_guard lock(mutex_);
  listener_ = std::move(listener);
}

void FaultPlan::note(const Call& call, Fate fate, int status, Time arrived) {
  if (!keep_journal_ && !listener_) return;
  const Entry entry{.method = call.method,
                    .key = call.key,
                    .query = query_text(call),
                    .fate = fate,
                    .status = status,
                    .arrived = arrived,
                    .answered = clock_.steady_now(),
                    .since_start = arrived - started_};
  if (listener_) listener_(entry);
  if (keep_journal_) journal_.push_back(entry);
}

Fault FaultPlan::by_chance() {
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

bool FaultPlan::is_time_for(const RuleData& rule, Time now) const {
  if (rule.begins.count() <= 0 && rule.ends == std::chrono::milliseconds::max()) return true;
  const auto since = now - started_;
  return since >= rule.begins &&
         (rule.ends == std::chrono::milliseconds::max() || since < rule.ends);
}

FaultPlan::Decision FaultPlan::decide(const Call& call, bool early, Time now) {
  const std::lock_guard lock(mutex_);
  if (std::exchange(waits_for_first_, false)) started_ = now;
  if (!rules_.empty()) {
    const std::string query = query_text(call);
    for (const auto& rule : rules_) {
      const bool about_beginnings = rule->decision.fault.fate == Fate::cut_request;
      if (about_beginnings != early || !matches(*rule, call, query)) continue;
      if (is_time_for(*rule, now) && rule->chooses(now)) return rule->decision;
    }
  }
  return early ? Decision{} : Decision{.fault = by_chance()};
}

std::optional<http::Early> FaultPlan::at_head(const Call& head) {
  if (!has_early_) return std::nullopt;
  const Time arrived = clock_.steady_now();
  Decision decision = decide(head, true, arrived);
  if (decision.fault.fate != Fate::cut_request) return std::nullopt;
  if (decision.gate) decision.gate->pass();
  http::Early early{.body_bytes = decision.fault.request_bytes,
                    .reply = std::move(decision.fault.early)};
  const std::lock_guard lock(mutex_);
  note(head, Fate::cut_request, early.reply.response.status, arrived);
  return early;
}

http::Reply FaultPlan::carry_out(const Call& call, const Apply& apply) {
  const Time arrived = clock_.steady_now();
  Decision decision = decide(call, false, arrived);
  Fault& fault = decision.fault;
  if (decision.gate) decision.gate->pass();
  if (fault.before) fault.before(call, apply);
  const bool done =
      fault.fate != Fate::lose_request && fault.fate != Fate::answer && fault.fate != Fate::late;
  http::Reply reply{.delivery = delivery_of(fault.fate)};
  if (done && fault.change_call) {
    Call changed = call;
    fault.change_call(changed);
    reply.response = apply(changed);
  } else if (done) {
    reply.response = apply(call);
  }
  if (fault.fate == Fate::answer || fault.fate == Fate::done_and_answer) {
    reply.response = std::move(fault.answer);
  }
  if (fault.change_reply) fault.change_reply(call, reply);
  std::vector<Call> overtaken;
  {
    const std::lock_guard lock(mutex_);
    if (!apply_) apply_ = apply;
    if (!held_back_.empty()) overtaken = take_overtaken();
    if (fault.fate == Fate::late || fault.fate == Fate::twice) {
      held_back_.push_back({call, fault.overtaken_by});
    }
    note(call, fault.fate, reply.response.status, arrived);
  }
  // Before the answer goes out, so that what comes after it meets what was late.
  for (const Call& each : overtaken) (void)apply(each);
  return reply;
}

}  // namespace stepstore::fault
