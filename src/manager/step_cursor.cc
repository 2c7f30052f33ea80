// StepCursor: the steps of a session in order, the next ones read ahead.
#include <algorithm>
#include <deque>
#include <string>
#include <utility>

#include "base/fork.h"
#include "base/stop_link.h"
#include "layout/keys.h"
#include "manager/ahead.h"
#include "manager/calls.h"
#include "manager/read_sizes.h"
#include "manager/reads_together.h"

namespace stepstore {
inline namespace v1 {

struct StepCursor::State {
  using Reads = Ahead<Result<Step>>;

  State(std::shared_ptr<ManagerCore> of, std::string_view session, ListOptions which,
        ReadOptions how)
      : core(std::move(of)),
        list(std::move(which)),
        left(list.limit > 0 ? list.limit : SIZE_MAX),
        plan(std::make_shared<Plan>(*core, std::string(session), std::move(how))),
        link(link_stops(plan->read.call.stop, plan->stop)) {}
  // Waits for nothing, since it may go where nobody may wait: what runs keeps its plan.
  ~State() {
    plan->stop.request_stop();
    reads->abandon();
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  std::optional<Step> next(const CallLimits& limits);
  bool has_id(const CallLimits& limits);
  void begin_more(const CallLimits& limits);
  void begin_one(const std::string& step_id);
  void begin_again_after_fork();

  // What reads use that are under way, also when the cursor has gone. The manager waits for them.
  struct Plan {
    Plan(ManagerCore& of, std::string session, ReadOptions how)
        : core(of), session_id(std::move(session)), read(std::move(how)) {}
    ManagerCore& core;
    const std::string session_id;
    const ReadOptions read;
    std::stop_source stop{};
    ReadSizes sizes{};
    ReadsTogether together{};
  };

  const std::shared_ptr<ManagerCore> core;
  ListOptions list;
  std::size_t left;  // of list.limit

  Listing page{};
  std::size_t next_id = 0;  // in the page
  bool last_page = false;
  std::optional<std::uint64_t> generation{};  // once the first page has told it

  std::shared_ptr<Plan> plan;
  StopLink link;
  pid_t pid = this_process();
  struct Begun {
    std::string step_id;
    std::function<std::uint64_t()> bytes;
  };
  std::deque<Begun> begun;    // what is read ahead
  std::size_t ahead_max = 1;  // twice as many after every step
  std::unique_ptr<Reads> reads = std::make_unique<Reads>(core->pool);
};

// Whether another id is known, after the next page was asked for where that is needed.
bool StepCursor::State::has_id(const CallLimits& limits) {
  constexpr std::size_t kPageSteps = 1000;
  while (next_id == page.ids.size()) {
    if (last_page) return false;
    core->gate.before_read(limits);
    list.limit = kPageSteps;
    page = core->lister.steps(plan->session_id, list, limits, &generation);
    plan->together.is_in(plan->session_id, *generation);
    next_id = 0;
    list.after = page.next;
    last_page = page.next.empty();
  }
  return true;
}

void StepCursor::State::begin_one(const std::string& step_id) {
  ReadSizes::One size = plan->sizes.begin();
  begun.push_back({step_id, plan->sizes.size_of(size)});
  reads->begin([plan = plan, step_id, size](const std::function<bool()>& interrupted) {
    ManagerCore& parts = plan->core;
    std::uint64_t bytes = 0;
    auto result = attempt<Step>("iter_steps", step_name(plan->session_id, step_id), [&] {
      CallLimits limits = stepstore::begin(plan->read.call, parts.clock);
      limits.stop = plan->stop.get_token();
      limits.interrupted = interrupted;
      Step step = plan->together.read(parts.reader, parts.roots, parts.clock, plan->session_id,
                                      step_id, plan->read, limits);
      bytes = step.info().total_size();
      return step;
    });
    plan->sizes.ended(size, bytes);
    return result;
  });
}

// What the parent's threads read is lost here, and begins again. What they use is left behind:
// their locks may be held for ever, and stopping would call what stands on their stacks.
void StepCursor::State::begin_again_after_fork() {
  reads->abandon();
  reads = std::make_unique<Reads>(core->pool);
  [[maybe_unused]] const auto* const kept = new std::shared_ptr<Plan>(plan);
  [[maybe_unused]] const auto* const parents_link = link.release();
  plan = std::make_shared<Plan>(*core, plan->session_id, plan->read);
  if (generation) plan->together.is_in(plan->session_id, *generation);
  link = link_stops(plan->read.call.stop, plan->stop);
  pid = this_process();
  for (const Begun& each : std::exchange(begun, {})) begin_one(each.step_id);
}

void StepCursor::State::begin_more(const CallLimits& limits) {
  const std::size_t most = std::min(ahead_max, left);
  while (reads->size() < most) {
    // The one that comes has the size of those before.
    std::uint64_t held = plan->sizes.size_of(plan->sizes.begin())();
    for (const Begun& each : begun) held += each.bytes();
    const bool full = held > core->options.in_flight_bytes_max;
    if ((full && reads->size() > 0) || !has_id(limits)) return;
    begin_one(page.ids[next_id++]);
  }
}

std::optional<Step> StepCursor::State::next(const CallLimits& limits) {
  if (pid != this_process()) begin_again_after_fork();
  std::stop_source& stop = plan->stop;
  const StopLink with_this_call = link_stops(limits.stop, stop);
  const auto interrupted = [&] {
    if (limits.interrupted && limits.interrupted()) stop.request_stop();
    if (core->clock.steady_now() >= limits.deadline) stop.request_stop();
    return stop.stop_requested();
  };
  const CallLimits listing{
      .deadline = limits.deadline, .stop = stop.get_token(), .interrupted = limits.interrupted};
  for (;;) {
    begin_more(listing);
    if (reads->size() == 0) return std::nullopt;
    begun.pop_front();
    Result<Step> result = reads->take(interrupted);
    ahead_max = std::min(2 * ahead_max, core->options.concurrency);
    if (result.is(ErrorCode::NotFound)) continue;  // deleted since it was listed
    // It was this call's time that stopped the reads.
    if (result.is(ErrorCode::Cancelled)) check_limits(limits, core->clock, "iter_steps");
    Step step = std::move(result).value();
    if (left != SIZE_MAX) --left;
    return step;
  }
}

StepCursor::StepCursor(std::unique_ptr<State> state) : state_(std::move(state)) {}
StepCursor::StepCursor(StepCursor&&) noexcept = default;
StepCursor& StepCursor::operator=(StepCursor&& other) noexcept {
  const StepCursor before(std::exchange(state_, std::move(other.state_)));
  return *this;
}
StepCursor::~StepCursor() {
  // A forked child that never went on with it has nothing of it to end.
  if (state_ && state_->pid != this_process()) {
    [[maybe_unused]] const State* const left_behind = state_.release();
  }
}

std::optional<Step> StepCursor::next() { return next(state_->plan->read.call); }

std::optional<Step> StepCursor::next(const Call& bounds) {
  return call(*state_->core, "iter_steps", state_->plan->session_id, bounds,
              [&](const CallLimits& limits) { return state_->next(limits); });
}

StepCursor StorageManager::iter_steps(std::string_view session_id, const ListOptions& list,
                                      const ReadOptions& read) {
  return call(*core_, "iter_steps", std::string(session_id), read.call, [&](const CallLimits&) {
    encode_id(session_id, "session_id");
    return StepCursor(std::make_unique<StepCursor::State>(core_, session_id, list, read));
  });
}

}  // namespace v1
}  // namespace stepstore
