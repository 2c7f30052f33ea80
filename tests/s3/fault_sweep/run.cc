#include "tests/s3/fault_sweep/run.h"

#include <algorithm>
#include <array>
#include <functional>
#include <random>
#include <regex>
#include <sstream>
#include <stdexcept>

namespace stepstore::sweep {
namespace {

using namespace std::chrono_literals;

// What every call may end with (stepstore/storage_manager.h).
const std::set<ErrorCode> kCommonErrors{ErrorCode::Unavailable,      ErrorCode::Throttled,
                                        ErrorCode::Timeout,          ErrorCode::Io,
                                        ErrorCode::PermissionDenied, ErrorCode::Unauthenticated,
                                        ErrorCode::ConfigError,      ErrorCode::Corrupt};

constexpr std::string_view kEither = "either";

// Nothing but the transport guards the bytes of a root on their way: it has no checksum that a
// reader could compare. So a flipped bit is only for components.
bool is_guarded(const fault::Kind& kind, const fault::Call& call) {
  return kind.name != "flipped_bit" || !is_root(call);
}

// Faults that look like other writers, for whom a call waits less.
bool is_rivalry(const fault::Kind& kind) {
  return kind.name == "raced" || kind.name == "wrong_etag" || kind.name == "conflict";
}

// For faults that are silence the clients wait only for a moment.
bool is_silence(const fault::Kind& kind) {
  return kind.name == "silence" || kind.name.starts_with("stall_");
}

}  // namespace

bool is_root(const fault::Call& call) {
  return call.key.ends_with("step.json") || call.key.starts_with(".stepstore/");
}

std::string looks_of(const fault::Call& call) {
  static const std::regex used_once("[0-9A-HJKMNP-TV-Z]{26}");
  std::string query;
  for (const auto& [name, value] : call.query) {
    const bool each_time = name == "uploadId" || name == "start-after" || name.ends_with("token");
    query += (query.empty() ? "?" : "&") + name;
    if (!value.empty()) query += "=" + (each_time ? "*" : value);
  }
  std::string text = call.method + ' ' + std::regex_replace(call.key, used_once, "*") + query;
  if (call.header("Range") != nullptr) text += " (range)";
  return text;
}

std::string Disturbance::text() const {
  std::ostringstream out;
  out << kind->name << (for_ever ? " for ever" : " once") << ", at request " << target.nth
      << " of '" << target.looks << "'";
  if (settings.at_byte) {
    out << ", byte " << *settings.at_byte << (settings.in_head ? " of the head" : " of the body");
  }
  return out.str();
}

Runs::Runs(World& world, const Act& act) : world_(world), act_(act) { count_requests(); }

std::string Runs::prepared_bucket() {
  if (!shared_bucket_.empty()) return shared_bucket_;
  const std::string bucket = world_.new_bucket();
  act_.prepare(*world_.open(bucket, 10s));
  if (act_.reads) shared_bucket_ = bucket;
  return bucket;
}

void Runs::count_requests() {
  const std::string bucket = prepared_bucket();
  std::vector<fault::Call> calls;
  fault::FaultPlan& plan = world_.server.plan();
  plan.clear();
  plan.on("")
      .when([&](const fault::Call& call) {
        if (call.bucket != bucket) return false;
        calls.push_back(call);
        calls.back().body = {};
        return false;
      })
      .stall();
  if (act_.weather) act_.weather(plan, bucket);
  act_.run(*world_.open(bucket, 10s), {});
  plan.clear();
  std::map<std::string, std::size_t> seen;
  for (fault::Call& call : calls) {
    std::string looks = looks_of(call);
    const std::size_t nth = ++seen[looks];
    targets_.push_back({.looks = std::move(looks), .nth = nth, .sample = std::move(call)});
  }
  // Those that are sent at once come in any order; a seed shall choose the same ones each time.
  std::ranges::stable_sort(targets_, {}, [](const Target& each) { return each.looks; });
  if (!act_.reads) world_.forget_bucket(bucket);
}

std::vector<Disturbance> Runs::disturbances() const {
  std::vector<Disturbance> all;
  for (const Target& target : targets_) {
    for (const fault::Kind& kind : fault::catalogue()) {
      if (!kind.fits(target.sample) || !is_guarded(kind, target.sample)) continue;
      for (const bool for_ever : {false, true}) {
        all.push_back({.target = target, .kind = &kind, .for_ever = for_ever});
      }
    }
  }
  return all;
}

void Runs::disturb(const std::string& bucket, const Disturbance& disturbance, bool& met) {
  fault::FaultPlan& plan = world_.server.plan();
  // Asked under the plan's lock, one request after the other.
  plan.on("")
      .when([&disturbance, &met, bucket, seen = std::size_t{0},
             begun = false](const fault::Call& call) mutable {
        if (call.bucket != bucket || call.method != disturbance.target.sample.method) return false;
        const bool is_target =
            looks_of(call) == disturbance.target.looks && ++seen == disturbance.target.nth;
        begun = begun || is_target;
        const bool fits = disturbance.kind->fits(call) && is_guarded(*disturbance.kind, call);
        const bool hit = disturbance.for_ever ? begun && fits : is_target;
        met = met || hit;
        return hit;
      })
      .fault(disturbance.kind->name, disturbance.settings);
  if (act_.weather) act_.weather(plan, bucket);
}

// No storm: each request goes as often as the policy allows. What has an unknown outcome is sent
// anew until the call's time is over, after waits that grow to a second; that makes a dozen times.
std::size_t Runs::requests_max(const Disturbance& disturbance) const {
  if (!disturbance.for_ever) return 3 * targets_.size() + 4 * kAttemptsMax;
  // Pages that bring nothing new, as many as a list bears.
  const std::size_t pages = disturbance.kind->name == "endless_list" ? 1'010 : 0;
  // The same against others who seem to write all the time; these waits grow to 64 ms only.
  if (is_rivalry(*disturbance.kind)) return 30 * (targets_.size() + kAttemptsMax);
  return kAttemptsMax * (targets_.size() + 40) + pages;
}

void Runs::call(const std::string& bucket, const Disturbance& disturbance, Account& account,
                std::string& wanted) {
  const auto manager = world_.open(bucket, is_silence(*disturbance.kind) ? 60ms : 5'000ms);
  const std::chrono::milliseconds timeout = disturbance.for_ever ? 700ms : 3'000ms;
  const auto begun = std::chrono::steady_clock::now();
  wanted = kEither;
  try {
    act_.run(*manager, {.timeout = timeout});
    account.succeeded = true;
    wanted = act_.after;
  } catch (const StorageManagerError& failed) {
    account.error = failed.what();
    if (!kCommonErrors.contains(failed.code()) && !act_.errors.contains(failed.code())) {
      account.wrong.push_back("the error is not documented: " + account.error);
    }
    if (failed.code() == ErrorCode::PartialFailure) {
      wanted = act_.after;
    } else if (!failed.outcome_unknown()) {
      wanted = act_.before;
    }
  } catch (const std::exception& other) {
    account.wrong.emplace_back(other.what());
  }
  account.took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - begun);
  // What the call tidies up when its time is over has the time of one request more.
  if (account.took > timeout + 2'000ms) {
    account.wrong.push_back("it took " + std::to_string(account.took.count()) + " ms of " +
                            std::to_string(timeout.count()));
  }
}

void Runs::look(const std::string& bucket, std::string_view when, const std::string& wanted,
                Account& account) {
  const auto manager = world_.open(bucket, 10s);
  std::string seen;
  try {
    seen = act_.look(*manager);
    // A list of many steps is not damaged by reading it, and takes long to check.
    const CheckReport report = act_.reads ? CheckReport{} : manager->check({.data = true});
    for (const Finding& finding : report.findings) {
      if (finding.kind == Finding::Kind::missing || finding.kind == Finding::Kind::corrupt) {
        account.wrong.push_back(std::string(when) + ", check: " + finding.key + ' ' +
                                finding.message);
      }
    }
  } catch (const std::exception& failed) {
    seen = failed.what();
  }
  const bool right = wanted == kEither ? seen == act_.before || seen == act_.after : seen == wanted;
  if (!right) account.wrong.push_back(std::string(when) + ", there is " + seen + ", not " + wanted);
}

Account Runs::run(const Disturbance& disturbance, std::uint64_t seed) {
  Account account;
  const std::string bucket = prepared_bucket();
  fault::FaultPlan& plan = world_.server.plan();
  plan.clear();
  Disturbance varied = disturbance;
  varied.settings.stall_max = 400ms;
  varied.settings.retry_after_s = 0;
  varied.settings.drip_bytes = 400;
  std::mt19937_64 dice(seed ^ std::hash<std::string>()(disturbance.text()));
  if (const auto choice = dice() % 4; choice > 0) {
    varied.settings.at_byte = std::array<std::uint64_t, 3>{0, 1, 400}[choice - 1];
    varied.settings.in_head = varied.kind->name.ends_with("_answer") && dice() % 2 == 0;
  }
  std::size_t requests = 0;
  plan.on_entry([&](const fault::Entry&) { ++requests; });
  disturb(bucket, varied, account.met);
  std::string wanted;
  call(bucket, varied, account, wanted);
  plan.on_entry({});
  account.requests = requests;
  if (requests > requests_max(varied)) {
    account.wrong.push_back(std::to_string(requests) + " requests, more than " +
                            std::to_string(requests_max(varied)));
  }
  plan.clear();
  look(bucket, "afterwards", wanted, account);
  if (plan.release() > 0) look(bucket, "after what was late", wanted, account);
  if (std::string left = world_.left_over(); !left.empty())
    account.wrong.push_back(std::move(left));
  if (!act_.reads) world_.forget_bucket(bucket);
  return account;
}

}  // namespace stepstore::sweep
