// FaultPlan: what goes wrong, request by request, and a journal of all that came.
//
//   plan.on("PUT", "step.json").nth(1).lose_answer();          // done, but nobody hears of it
//   plan.on("DELETE", "observation.html").late();              // lost now, done at release()
//   plan.on("PUT").when([](const Call& call) { return call.header("If-Match"); }).late(3);
//   auto gate = plan.on("PUT", "step.json").nth(2).hold();     // waits until gate->open()
//   plan.on("GET").share(0.1, seed).fault("flipped_bit");      // any of the catalogue (faults.h)
//   plan.on("").between(2s, 8s).above_per_s(100).fault("slow_down");
//   plan.load(json);                                           // all of that as text (README.md)
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "http/server.h"
#include "testing/fault_server/call.h"
#include "testing/fault_server/fault.h"
#include "testing/fault_server/faults.h"

namespace stepstore::fault {

// One line of the journal.
struct Entry {
  std::string method{}, key{};  // of a bucket's request: no key
  std::string query{};          // "list-type=2&prefix=a", plain
  Fate fate = Fate::normal;
  int status = 0;  // of the answer that was made
  std::chrono::steady_clock::time_point arrived{}, answered{};
  std::chrono::steady_clock::duration since_start{};  // of the plan, at its arrival
};

// Holds requests back. Thread-safe.
class Gate {
 public:
  void wait_until_reached(std::size_t requests = 1);  // throws std::runtime_error after a minute
  void open();

 private:
  friend class FaultPlan;
  void pass();
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t reached_ = 0;
  bool open_ = false;
};

// Thread-safe. Rules may be added while requests are under way. The first rule that applies to a
// request decides what becomes of it; those about requests of which only the beginning is read are
// asked before all others.
class FaultPlan {
 public:
  explicit FaultPlan(bool keep_journal = true, Clock& clock = system_clock());
  class Rule;
  struct RuleData;
  using Apply = fault::Apply;

  // Requests of this method (empty: any) whose key or query contains the text.
  Rule on(std::string method, std::string contains = {});
  // Adds the rules of a plan in JSON; README.md describes it. Throws std::invalid_argument, and
  // adds none, when it is not understood.
  void load(std::string_view json);
  // From now on, by chance: each request has one of these fates with the given probability.
  void at_random(std::uint64_t seed, double lost_requests, double lost_answers, double errors,
                 double late);
  void clear();       // no more faults; what is late stays late
  void open_gates();  // lets everything go on that a gate holds, so that a server can stop

  // The times of rules count from here on: from the plan's making, unless told otherwise.
  void start_now();
  void start_at_first_request();
  std::chrono::steady_clock::time_point started() const;

  // Does what was held back for later, in the order of its coming; how many requests those were.
  std::size_t release();
  std::vector<Entry> journal() const;
  void forget_journal();
  // Told of each entry, one at a time, whether a journal is kept or not.
  void on_entry(std::function<void(const Entry&)> listener);

  // For the server: decides by a request's head whether the rest of it is read at all. That may be
  // left out where no rule is about it.
  bool judges_heads() const noexcept { return has_early_; }
  std::optional<http::Early> at_head(const Call& head);
  // For the server: decides, does and tells.
  http::Reply carry_out(const Call& call, const Apply& apply);

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Decision {
    Fault fault{};
    std::shared_ptr<Gate> gate{};
  };
  struct HeldBack {
    Call call{};
    std::size_t overtaken_by = SIZE_MAX;
  };
  // `early`: by the rules about beginnings of requests, else by the others.
  Decision decide(const Call& call, bool early, Time now);
  static bool matches(const RuleData& rule, const Call& call, const std::string& query);
  bool is_time_for(const RuleData& rule, Time now) const;
  void note(const Call& call, Fate fate, int status, Time arrived);
  // Takes those whose time has come now that one more request was done. Under the lock.
  std::vector<Call> take_overtaken();
  Fault by_chance();

  const bool keep_journal_;
  Clock& clock_;
  std::atomic<bool> has_early_ = false;
  mutable std::mutex mutex_;  // of what follows
  Time started_;
  bool waits_for_first_ = false;
  std::vector<std::shared_ptr<RuleData>> rules_;
  std::vector<HeldBack> held_back_;
  std::vector<std::weak_ptr<Gate>> gates_;
  std::vector<Entry> journal_;
  std::function<void(const Entry&)> listener_{};
  Apply apply_{};
  std::optional<std::mt19937_64> random_{};
  double lost_requests_ = 0, lost_answers_ = 0, errors_ = 0, late_ = 0;
};

// What on() gives: which of the requests, then what becomes of them.
class FaultPlan::Rule {
 public:
  using Milliseconds = std::chrono::milliseconds;

  // Only those of which it is true. Called while others wait: it must be quick.
  Rule& when(std::function<bool(const Call&)> predicate);
  Rule& nth(std::size_t n) { return from(n).times(1); }  // only the n-th that matches
  Rule& from(std::size_t n);
  Rule& times(std::size_t n);
  // Only at that time, since the plan's start. What comes at other times is not counted.
  Rule& between(Milliseconds from, Milliseconds until);
  // Of those that are left, this part, by chance.
  Rule& share(double part, std::uint64_t seed = 1);
  // Of those that are left, what goes beyond so many a second. The server is generous by a tenth of
  // a second.
  Rule& above_per_s(double requests);

  // One of the catalogue. Throws std::invalid_argument when there is none of that name.
  void fault(std::string_view kind, const FaultSettings& settings = {});
  void fault(Fault made);

  void lose_request() { set(Fate::lose_request); }
  void lose_answer() { set(Fate::lose_answer); }
  void reset_answer() { set(Fate::reset_answer); }
  void cut_answer() { set(Fate::cut_answer); }
  void stall() { set(Fate::stall); }
  // `overtaken_by`: it, or its second time, is done after so many further requests; else at
  // release().
  void late(std::size_t overtaken_by = SIZE_MAX) { set(Fate::late, {}, overtaken_by); }
  void twice(std::size_t overtaken_by = SIZE_MAX) { set(Fate::twice, {}, overtaken_by); }
  void answer(http::Response response) { set(Fate::answer, std::move(response)); }
  void do_and_answer(http::Response response) { set(Fate::done_and_answer, std::move(response)); }
  void error(int status, std::string_view code, std::string_view message = "as the test wants") {
    answer(error_answer(status, code, message));
  }
  std::shared_ptr<Gate> hold();

 private:
  friend class FaultPlan;
  Rule(std::shared_ptr<RuleData> data, FaultPlan& plan) : data_(std::move(data)), plan_(plan) {}
  void set(Fate fate, http::Response response = {}, std::size_t overtaken_by = SIZE_MAX);
  std::shared_ptr<RuleData> data_;
  FaultPlan& plan_;
};

}  // namespace stepstore::fault
