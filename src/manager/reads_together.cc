#include "manager/reads_together.h"

#include <utility>

#include "base/errors.h"
#include "layout/keys.h"

namespace stepstore {
inline namespace v1 {
namespace {

std::optional<std::uint64_t> generation_of(const Step& step) {
  const std::string& path = step.info().path;
  const auto folder = parse_session_folder(std::string_view(path).substr(0, path.find('/')));
  return folder ? std::optional(folder->generation) : std::nullopt;
}

}  // namespace

std::shared_ptr<ReadsTogether> reads_together() { return std::make_shared<ReadsTogether>(); }

void ReadsTogether::Session::answer(std::optional<std::uint64_t> found) {
  const std::lock_guard guard(mutex);
  asked = false;
  if (found) generation = found;
  answered.notify_all();
}

bool ReadsTogether::Session::begin_to_ask() {
  const std::lock_guard guard(mutex);
  return !generation && !std::exchange(asked, true);
}

std::optional<std::uint64_t> ReadsTogether::Session::wait(const CallLimits& limits, Clock& clock) {
  std::unique_lock lock(mutex);
  while (asked && !generation) {
    answered.wait_for(lock, std::chrono::milliseconds(50));
    lock.unlock();
    check_limits(limits, clock, "retrieve_steps");
    lock.lock();
  }
  return generation;
}

std::shared_ptr<ReadsTogether::Session> ReadsTogether::session(const std::string& id) {
  if (auto known = sessions_.get(id)) return *known;
  const std::lock_guard guard(between_);
  if (auto known = sessions_.get(id)) return *known;
  auto made = std::make_shared<Session>();
  sessions_.set(id, made);
  return made;
}

void ReadsTogether::is_in(const std::string& session_id, std::uint64_t generation) {
  session(session_id)->answer(generation);
}

Step ReadsTogether::read(Reader& reader, const Roots& roots, Clock& clock,
                         std::string_view session_id, std::string_view step_id,
                         const ReadOptions& options, const CallLimits& limits) {
  const std::string name(session_id);
  const std::shared_ptr<Session> of = session(name);
  if (of->begin_to_ask()) {
    try {
      Step step = reader.read(session_id, step_id, options, limits);
      of->answer(generation_of(step));
      return step;
    } catch (...) {
      of->answer(std::nullopt);
      throw;
    }
  }
  std::optional<std::uint64_t> known;
  {
    const std::lock_guard guard(of->mutex);
    known = of->generation;
  }
  if (known) return reader.read(session_id, step_id, options, limits, known);
  const std::uint64_t guess = roots.generation_hint(name);
  std::optional<Step> step;
  std::exception_ptr failure;
  try {
    step = reader.read(session_id, step_id, options, limits, guess);
  } catch (...) {
    failure = std::current_exception();
  }
  known = of->wait(limits, clock);
  if (known != guess) return reader.read(session_id, step_id, options, limits, known);
  if (failure) std::rethrow_exception(failure);
  return *std::move(step);
}

}  // namespace v1
}  // namespace stepstore
