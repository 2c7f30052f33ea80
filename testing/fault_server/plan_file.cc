#include "testing/fault_server/plan_file.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "testing/fault_server/plan_rules.h"

namespace stepstore::fault {
namespace {

using Json = nlohmann::json;

// The fields of one object of a plan. What nobody has asked for is not understood.
class Fields {
 public:
  Fields(const Json& object, std::string where) : object_(object), where_(std::move(where)) {
    if (!object.is_object()) wrong("is no object");
  }

  const Json* find(const char* name) {
    known_.insert(name);
    const auto found = object_.find(name);
    return found == object_.end() ? nullptr : &*found;
  }
  std::string text(const char* name, std::string otherwise = {}) {
    const Json* const value = find(name);
    if (value == nullptr) return otherwise;
    if (!value->is_string()) wrong(std::string("'") + name + "' is no text");
    return *value;
  }
  std::optional<double> number(const char* name, double least) {
    const Json* const value = find(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_number() || value->get<double>() < least) {
      wrong(std::string("'") + name + "' is no number of " + Json(least).dump() + " or more");
    }
    return value->get<double>();
  }
  template <class T>
  std::optional<T> whole(const char* name, std::uint64_t least = 0) {
    const auto value = number(name, static_cast<double>(least));
    if (!value) return std::nullopt;
    if (*value != std::floor(*value) || *value > 9e15) {
      wrong(std::string("'") + name + "' is no whole number");
    }
    return static_cast<T>(*value);
  }
  std::optional<std::chrono::milliseconds> ms(const char* name) {
    const auto value = whole<std::int64_t>(name);
    return value ? std::optional(std::chrono::milliseconds(*value)) : std::nullopt;
  }
  bool flag(const char* name) {
    const Json* const value = find(name);
    if (value != nullptr && !value->is_boolean()) wrong(std::string("'") + name + "' is no bool");
    return value != nullptr && value->get<bool>();
  }
  void end() const {
    for (const auto& [name, value] : object_.items()) {
      if (!known_.contains(name)) wrong("nobody knows the field '" + name + "'");
    }
  }
  [[noreturn]] void wrong(const std::string& why) const {
    throw std::invalid_argument(where_ + ": " + why);
  }

 private:
  const Json& object_;
  const std::string where_;
  std::set<std::string, std::less<>> known_{};
};

template <class T>
void set_if(T& to, const std::optional<T>& value) {
  if (value) to = *value;
}

FaultSettings settings_of(Fields& fields) {
  FaultSettings settings;
  settings.at_byte = fields.whole<std::uint64_t>("at_byte");
  settings.in_head = fields.flag("in_head");
  set_if(settings.stall_max, fields.ms("stall_max_ms"));
  set_if(settings.drip_bytes, fields.whole<std::size_t>("drip_bytes", 1));
  set_if(settings.drip_every, fields.ms("drip_every_ms"));
  set_if(settings.spaces, fields.whole<std::size_t>("spaces"));
  set_if(settings.space_every, fields.ms("space_every_ms"));
  settings.status = fields.whole<int>("status", 100);
  settings.code = fields.text("code");
  settings.message = fields.text("message");
  if (fields.find("body") != nullptr) settings.body = fields.text("body");
  if (const Json* const headers = fields.find("headers")) {
    Fields named(*headers, "headers");
    for (const auto& [name, value] : headers->items()) {
      settings.headers.emplace_back(name, named.text(name.c_str()));
    }
  }
  settings.retry_after_s = fields.whole<std::int64_t>("retry_after_s");
  settings.done = fields.flag("done");
  settings.region = fields.text("region", settings.region);
  settings.location = fields.text("location");
  if (const auto ahead = fields.number("clock_ahead_s", -1e9)) {
    settings.clock_ahead = std::chrono::seconds(std::llround(*ahead));
  }
  set_if(settings.overtaken_by, fields.whole<std::size_t>("overtaken_by", 1));
  set_if(settings.keys, fields.whole<std::size_t>("keys", 1));
  return settings;
}

std::shared_ptr<FaultPlan::RuleData> rule_of(Fields& fields) {
  auto rule = std::make_shared<FaultPlan::RuleData>();
  rule->method = fields.text("method");
  rule->contains = fields.text("contains");
  set_if(rule->from, fields.whole<std::size_t>("from", 1));
  set_if(rule->times, fields.whole<std::size_t>("times", 1));
  if (const auto nth = fields.whole<std::size_t>("nth", 1)) {
    rule->from = *nth;
    rule->times = 1;
  }
  set_if(rule->begins, fields.ms("from_ms"));
  set_if(rule->ends, fields.ms("until_ms"));
  if (const auto share = fields.number("share", 0)) {
    if (*share > 1) fields.wrong("'share' is more than 1");
    rule->share = *share;
  }
  if (const auto rate = fields.number("above_per_s", 0)) rule->rate.emplace(*rate);
  const std::string name = fields.text("fault");
  if (name.empty()) fields.wrong("it names no 'fault'");
  const FaultSettings settings = settings_of(fields);
  fields.end();
  try {
    rule->decision.fault = make_fault(name, settings);
  } catch (const std::invalid_argument& unknown) {
    fields.wrong(unknown.what());
  }
  rule->set = true;
  return rule;
}

}  // namespace

void FaultPlan::load(std::string_view json) {
  const Json document = Json::parse(json, nullptr, false);
  if (document.is_discarded()) throw std::invalid_argument("the plan is no JSON");
  Fields plan(document, "the plan");
  const std::uint64_t seed = plan.whole<std::uint64_t>("seed").value_or(1);
  const std::string start = plan.text("start", "server");
  if (start != "server" && start != "first_request") {
    plan.wrong("'start' is neither 'server' nor 'first_request'");
  }
  const Json* const list = plan.find("rules");
  if (list == nullptr || !list->is_array()) plan.wrong("it has no list of 'rules'");
  plan.end();

  std::vector<std::shared_ptr<RuleData>> rules;
  for (const Json& each : *list) {
    Fields fields(each, "rule " + std::to_string(rules.size() + 1));
    rules.push_back(rule_of(fields));
    // Rules of one plan throw different dice.
    rules.back()->dice.seed(seed + rules.size());
  }

  const std::lock_guard lock(mutex_);
  for (auto& rule : rules) {
    if (rule->decision.fault.fate == Fate::cut_request) has_early_ = true;
    rules_.push_back(std::move(rule));
  }
  if (start == "first_request") waits_for_first_ = true;
}

std::string to_json(const Entry& entry) {
  const auto ms = [](std::chrono::steady_clock::duration time) {
    return std::round(std::chrono::duration<double, std::micro>(time).count()) / 1000;
  };
  return nlohmann::ordered_json({{"ms", ms(entry.since_start)},
                                 {"method", entry.method},
                                 {"key", entry.key},
                                 {"query", entry.query},
                                 {"fate", name_of(entry.fate)},
                                 {"status", entry.status},
                                 {"took_ms", ms(entry.answered - entry.arrived)}})
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace stepstore::fault
