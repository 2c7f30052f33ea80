// Drainer: takes entries out of the spool and stores them, oldest first, for as long as it takes.
//
// An entry leaves the spool only once its step is known to be stored; should the process die in
// between, it is tried again and found to be there. Entries of one step go one after the other.
// While the store is away one entry at a time is tried, later and later; when it is back, several
// go at once. Of several processes on a spool one drains; the others look after it again.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "spool/breaker.h"
#include "spool/spool.h"

namespace stepstore::spool {

// What became of an entry that was tried.
struct Delivery {
  enum class Fate : std::uint8_t {
    stored,  // or found to be stored
    away,    // the store cannot be reached: it will be
    paused,  // the store refuses everything: somebody has to mend that
    failed,  // this entry cannot be stored as it is
  };
  Fate fate = Fate::stored;
  std::string reason{};  // of the others, for people
};

struct DrainOptions {
  std::size_t at_once = 4;
  unsigned tries_max = 5;  // of an entry that fails by itself; then it is rejected
  std::chrono::milliseconds between_tries{1'000};
  // How soon a drainer notices what other processes have put, and that they drain no more.
  std::chrono::milliseconds look_again{1'000};
};

struct DrainState {
  Breaker::Known store{};
  std::uint64_t delivered = 0, rejected = 0, tries = 0;  // by this process
  bool draining = false;                                 // it is this process that drains
};

// Thread-safe; usable after fork() in the child, which begins to drain when it is nudged.
class Drainer {
 public:
  using Deliver = std::function<Delivery(EntryFile&, const CallLimits&)>;

  // `deliver` may be called from several threads at once. It may not throw.
  Drainer(Spool& spool, Breaker& breaker, Deliver deliver, DrainOptions options, Clock& clock);
  ~Drainer();  // stop()
  Drainer(const Drainer&) = delete;
  Drainer& operator=(const Drainer&) = delete;

  // Something may be there to be drained. Starts a thread, which ends when nothing is left.
  void nudge();
  // Drains until nothing is left or the limits end it; what is still there. Does not throw for
  // want of time.
  std::vector<EntryName> flush(const CallLimits& limits);
  // Ends what is under way: entries that were not stored stay. Idempotent.
  void stop();

  // One pass over what can be tried now. True: something was tried. For the thread, and for tests.
  bool round(const CallLimits& limits);
  // When the next pass is worth while, if nothing is put before.
  std::chrono::steady_clock::time_point next_round() const;
  DrainState state() const;

 private:
  class Pass;
  struct Tried {
    unsigned times = 0;
    std::chrono::steady_clock::time_point next{};
  };

  void run();
  void settle(const EntryName& name, const Delivery& delivery);
  bool waits(const EntryName& name) const;
  std::chrono::steady_clock::time_point next_round_locked() const;

  Spool& spool_;
  Breaker& breaker_;
  const Deliver deliver_;
  const DrainOptions options_;
  Clock& clock_;
  std::stop_source stop_{};

  mutable std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  bool running_ = false;
  pid_t runs_in_ = 0;
  bool nudged_ = false;
  bool stopped_ = false;
  std::map<std::string, Tried> tried_;  // by order; of entries that fail by themselves
  DrainState state_{};
  std::chrono::steady_clock::time_point swept_at_{};

  ThreadPool pool_;  // after all that its threads use
};

}  // namespace stepstore::spool
