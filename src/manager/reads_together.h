// ReadsTogether: reads of one batch or iteration, which ask for the root of each session once.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "manager/bounded_map.h"
#include "manager/reader.h"

namespace stepstore {
inline namespace v1 {

// Thread-safe. The first read of a session asks for its root along with the step. Those that begin
// meanwhile take the generation that this process saw last, and give their answer only when the
// first one has confirmed it; so nobody waits for a round trip more.
class ReadsTogether {
 public:
  // Known already: a listing has read the session's root.
  void is_in(const std::string& session_id, std::uint64_t generation);
  // As Reader::read().
  Step read(Reader& reader, const Roots& roots, Clock& clock, std::string_view session_id,
            std::string_view step_id, const ReadOptions& options, const CallLimits& limits);

 private:
  struct Session {
    std::mutex mutex;
    std::condition_variable answered;
    bool asked = false;  // by a read that is under way
    std::optional<std::uint64_t> generation{};

    void answer(std::optional<std::uint64_t> found);
    // True for the one that has to ask.
    bool begin_to_ask();
    // None: who asked did not hear it.
    std::optional<std::uint64_t> wait(const CallLimits& limits, Clock& clock);
  };
  std::shared_ptr<Session> session(const std::string& id);

  // Not across a fork: the child's reads begin with new ones.
  std::mutex between_;
  BoundedMap<std::shared_ptr<Session>> sessions_{1024};
};

}  // namespace v1
}  // namespace stepstore
