// FaultPlan: what goes wrong, request by request, and a journal of all that came.
//
//   plan.on("PUT", "step.json").nth(1).lose_answer();          // done, but nobody hears of it
//   plan.on("DELETE", "observation.html").late();              // lost now, done at release()
//   plan.on("PUT").when([](const Call& call) { return call.header("If-Match"); }).late(3);
//   auto gate = plan.on("PUT", "step.json").nth(2).hold();     // waits until gate->open()
#pragma once

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

#include "http/server.h"
#include "testing/fault_server/call.h"

namespace stepstore::fault {

// What becomes of a request.
enum class Fate : std::uint8_t {
  normal,
  lose_request,     // not done; the connection is closed
  lose_answer,      // done; the connection is closed
  reset_answer,     // done; the connection is reset
  cut_answer,       // done; half of the answer's body comes
  stall,            // done; no answer, and the connection stays open
  answer,           // not done; another answer
  done_and_answer,  // done; another answer
  late,             // not done now; the connection is closed; done at release() or some requests on
  twice,            // done, and once more like one that is late
};

// One line of the journal.
struct Entry {
  std::string method{}, key{};  // of a bucket's request: no key
  std::string query{};          // "list-type=2&prefix=a", plain
  Fate fate = Fate::normal;
  int status = 0;  // of the answer that was made
  std::chrono::steady_clock::time_point arrived{}, answered{};
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

// Thread-safe. Rules may be added while requests are under way.
class FaultPlan {
 public:
  explicit FaultPlan(bool keep_journal = true) : keep_journal_(keep_journal) {}
  class Rule;
  using Apply = std::function<http::Response(const Call&)>;

  // Requests of this method (empty: any) whose key or query contains the text.
  Rule on(std::string method, std::string contains = {});
  // From now on, by chance: each request has one of these fates with the given probability.
  void at_random(std::uint64_t seed, double lost_requests, double lost_answers, double errors,
                 double late);
  void clear();       // no more faults; what is late stays late
  void open_gates();  // lets everything go on that a gate holds, so that a server can stop

  // Does what was held back for later, in the order of its coming; how many requests those were.
  std::size_t release();
  std::vector<Entry> journal() const;
  void forget_journal();

  // For the server: decides, does and tells.
  http::Reply carry_out(const Call& call, const Apply& apply);

 private:
  struct Decision {
    Fate fate = Fate::normal;
    http::Response answer{};
    std::shared_ptr<Gate> gate{};
    std::size_t overtaken_by = SIZE_MAX;  // of late and twice: done after so many further requests
  };
  struct HeldBack {
    Call call{};
    std::size_t overtaken_by = SIZE_MAX;
  };
  struct RuleData {
    std::string method{}, contains{};
    std::function<bool(const Call&)> when{};
    std::size_t from = 1, times = SIZE_MAX;  // which of the requests that match
    std::size_t seen = 0;
    bool set = false;
    Decision decision{};
  };
  Decision decide(const Call& call);
  static bool matches(const RuleData& rule, const Call& call, const std::string& query);
  // Takes those whose time has come now that one more request was done. Under the lock.
  std::vector<Call> take_overtaken();
  Decision by_chance();

  const bool keep_journal_;
  mutable std::mutex mutex_;  // of what follows
  std::vector<std::shared_ptr<RuleData>> rules_;
  std::vector<HeldBack> held_back_;
  std::vector<std::weak_ptr<Gate>> gates_;
  std::vector<Entry> journal_;
  Apply apply_{};
  std::optional<std::mt19937_64> random_{};
  double lost_requests_ = 0, lost_answers_ = 0, errors_ = 0, late_ = 0;
};

// What on() gives: which of the requests, then what becomes of them.
class FaultPlan::Rule {
 public:
  // Only those of which it is true. Called while others wait: it must be quick.
  Rule& when(std::function<bool(const Call&)> predicate) {
    data_->when = std::move(predicate);
    return *this;
  }
  Rule& nth(std::size_t n) {  // only the n-th that matches
    data_->from = n;
    data_->times = 1;
    return *this;
  }
  Rule& from(std::size_t n) {
    data_->from = n;
    return *this;
  }
  Rule& times(std::size_t n) {
    data_->times = n;
    return *this;
  }
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
