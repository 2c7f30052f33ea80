// The parts of a script: gates, late requests and rules.
#include <chrono>
#include <ostream>
#include <stdexcept>
#include <utility>

#include "testing/scripted_store.h"

namespace stepstore {
namespace {

constexpr std::chrono::minutes kPatience{1};

constexpr std::string_view kOperations[] = {"put",    "get",   "head",    "remove", "list",
                                            "commit", "guard", "publish", "upload"};

}  // namespace

void PrintTo(const ScriptedRequest& request, std::ostream* out) {
  *out << kOperations[static_cast<std::size_t>(request.operation)] << " " << request.key;
}

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
  if (!changed_.wait_for(lock, kPatience, [&] { return open_; })) {
    throw std::runtime_error("nobody has opened the gate for a minute");
  }
}

bool Late::sent() {
  const std::lock_guard lock(mutex_);
  return effect_ != nullptr;
}

void Late::send(std::function<void()> effect) {
  const std::lock_guard lock(mutex_);
  effect_ = std::move(effect);
}

void Late::apply() {
  std::function<void()> effect;
  {
    const std::lock_guard lock(mutex_);
    effect = effect_;
  }
  if (!effect) throw std::runtime_error("the late request has not been sent");
  effect();
}

struct Script::Rule::State {
  ScriptedOperation operation;
  std::string suffix;
  std::mutex mutex{};
  std::size_t seen = 0;
  std::size_t number = 0;  // 0: each
  std::optional<ScriptedAction> action{};

  std::optional<ScriptedAction> judge(const ScriptedRequest& request) {
    if (request.operation != operation || !request.key.ends_with(suffix)) return std::nullopt;
    const std::lock_guard lock(mutex);
    ++seen;
    if (number != 0 && seen != number) return std::nullopt;
    return action;
  }
};

Script::Rule& Script::Rule::nth(std::size_t number) {
  const std::lock_guard lock(state_->mutex);
  state_->number = number;
  return *this;
}

void Script::Rule::act(ScriptedAction action) {
  const std::lock_guard lock(state_->mutex);
  state_->action = std::move(action);
}

std::shared_ptr<Gate> Script::Rule::block() {
  auto gate = std::make_shared<Gate>();
  block(gate);
  return gate;
}

void Script::Rule::block(std::shared_ptr<Gate> gate) { act({.gate = std::move(gate)}); }

void Script::Rule::lose_answer() { act({.kind = ScriptedAction::Kind::lost_answer}); }

std::shared_ptr<Late> Script::Rule::make_late() {
  auto late = std::make_shared<Late>();
  act({.kind = ScriptedAction::Kind::late, .late = late});
  return late;
}

void Script::Rule::fail(ErrorCode code, bool definite) {
  act({.kind = ScriptedAction::Kind::fail, .code = code, .definite = definite});
}

void Script::Rule::duplicate() { act({.kind = ScriptedAction::Kind::duplicate}); }

struct Script::Rules {
  std::mutex mutex;
  std::vector<std::shared_ptr<Rule::State>> all;
};

Script::Script() : rules_(std::make_shared<Rules>()) {}

Script::Rule Script::on(ScriptedOperation operation, std::string suffix) {
  auto state = std::make_shared<Rule::State>(operation, std::move(suffix));
  const std::lock_guard lock(rules_->mutex);
  rules_->all.push_back(state);
  return Rule(std::move(state));
}

ScriptedAction Script::operator()(const ScriptedRequest& request) {
  const std::lock_guard lock(rules_->mutex);
  ScriptedAction chosen;
  for (const auto& rule : rules_->all) {
    std::optional<ScriptedAction> action = rule->judge(request);
    if (!action) continue;
    std::shared_ptr<Gate> gate = chosen.gate ? chosen.gate : action->gate;
    if (chosen.kind == ScriptedAction::Kind::pass) chosen = *std::move(action);
    chosen.gate = std::move(gate);
  }
  return chosen;
}

}  // namespace stepstore
