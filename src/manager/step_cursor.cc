// StepCursor: the steps of a session in order, the next ones read ahead.
#include <algorithm>
#include <deque>
#include <string>
#include <utility>

#include "base/fork.h"
#include "layout/keys.h"
#include "manager/ahead.h"
#include "manager/calls.h"

namespace stepstore {
inline namespace v1 {

struct StepCursor::State {
  using Reads = Ahead<Result<Step>>;

  State(std::shared_ptr<ManagerCore> of, std::string_view session, ListOptions which,
        ReadOptions how)
      : core(std::move(of)),
        session_id(session),
        list(std::move(which)),
        read(std::move(how)),
        left(list.limit > 0 ? list.limit : SIZE_MAX),
        forward(read.call.stop, [this] { stop.request_stop(); }) {}
  ~State() { stop.request_stop(); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  std::optional<Step> next(const CallLimits& limits);
  bool has_id(const CallLimits& limits);
  void begin_more(const CallLimits& limits);
  void begin_one(const std::string& step_id);

  const std::shared_ptr<ManagerCore> core;
  const std::string session_id;
  ListOptions list;
  const ReadOptions read;
  std::size_t left;  // of list.limit

  Listing page{};
  std::size_t next_id = 0;  // in the page
  bool last_page = false;

  std::stop_source stop;
  std::stop_callback<std::function<void()>> forward;
  pid_t pid = this_process();
  std::deque<std::string> ids;      // of the steps that are read ahead
  std::size_t ahead_max = 1;        // twice as many after every step
  std::uint64_t typical_bytes = 0;  // of a step
  std::unique_ptr<Reads> reads = std::make_unique<Reads>(core->pool);
};

// Whether another id is known, after the next page was asked for where that is needed.
bool StepCursor::State::has_id(const CallLimits& limits) {
  constexpr std::size_t kPageSteps = 1000;
  while (next_id == page.ids.size()) {
    if (last_page) return false;
    list.limit = kPageSteps;
    page = core->lister.steps(session_id, list, limits);
    next_id = 0;
    list.after = page.next;
    last_page = page.next.empty();
  }
  return true;
}

void StepCursor::State::begin_one(const std::string& step_id) {
  reads->begin([this, step_id](const std::function<bool()>& interrupted) {
    return attempt<Step>("iter_steps", step_name(session_id, step_id), [&] {
      CallLimits limits = stepstore::begin(read.call, core->clock);
      limits.stop = stop.get_token();
      limits.interrupted = interrupted;
      return core->reader.read(session_id, step_id, read, limits);
    });
  });
}

void StepCursor::State::begin_more(const CallLimits& limits) {
  if (pid != this_process()) {
    // Forked: what the parent's threads read is lost here, and begins again.
    [[maybe_unused]] const Reads* const left_behind = reads.release();
    reads = std::make_unique<Reads>(core->pool);
    pid = this_process();
    for (const std::string& id : ids) begin_one(id);
  }
  const std::size_t most = std::min(ahead_max, left);
  while (reads->size() < most) {
    const bool full = (reads->size() + 1) * typical_bytes > core->options.in_flight_bytes_max;
    if ((full && reads->size() > 0) || !has_id(limits)) return;
    ids.push_back(page.ids[next_id++]);
    begin_one(ids.back());
  }
}

std::optional<Step> StepCursor::State::next(const CallLimits& limits) {
  const auto interrupted = [&] {
    if (limits.interrupted && limits.interrupted()) stop.request_stop();
    return stop.stop_requested();
  };
  for (;;) {
    begin_more(limits);
    if (reads->size() == 0) return std::nullopt;
    ids.pop_front();
    Result<Step> result = reads->take(interrupted);
    ahead_max = std::min(2 * ahead_max, core->options.concurrency);
    if (result.is(ErrorCode::NotFound)) continue;  // deleted since it was listed
    Step step = std::move(result).value();
    typical_bytes = (typical_bytes + step.info().total_size()) / 2;
    if (left != SIZE_MAX) --left;
    return step;
  }
}

StepCursor::StepCursor(std::unique_ptr<State> state) : state_(std::move(state)) {}
StepCursor::StepCursor(StepCursor&&) noexcept = default;
StepCursor& StepCursor::operator=(StepCursor&&) noexcept = default;
StepCursor::~StepCursor() = default;

std::optional<Step> StepCursor::next() {
  return call(*state_->core, "iter_steps", state_->session_id, state_->read.call,
              [&](const CallLimits& limits) { return state_->next(limits); });
}

StepCursor StorageManager::iter_steps(std::string_view session_id, const ListOptions& list,
                                      const ReadOptions& read) {
  return call(
      *core_, "iter_steps", std::string(session_id), read.call, [&](const CallLimits& limits) {
        core_->gate.before_read(limits);
        encode_id(session_id, "session_id");
        return StepCursor(std::make_unique<StepCursor::State>(core_, session_id, list, read));
      });
}

}  // namespace v1
}  // namespace stepstore
