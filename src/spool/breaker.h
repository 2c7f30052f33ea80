// Breaker: what is known of whether the store can be reached, so that not every call waits for a
// timeout to find it out again.
#pragma once

#include <chrono>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/fork.h"
#include "base/random.h"

namespace stepstore::spool {

struct BackOff {
  std::chrono::milliseconds first{1'000};
  std::chrono::milliseconds most{30'000};
  // Of what only somebody can mend: refused credentials, a missing bucket.
  std::chrono::milliseconds paused{60'000};
};

// Thread-safe; usable after fork() in the child.
class Breaker {
 public:
  enum class State : std::uint8_t {
    closed,  // the store answers, as far as is known
    open,    // it is away: tried again at next_try()
    paused,  // it refuses, and somebody has to mend that: tried again at next_try()
  };
  struct Known {
    State state = State::closed;
    std::chrono::steady_clock::time_point next_try{};
    std::string reason{};   // of the last failure
    unsigned failures = 0;  // in a row
  };

  Breaker(BackOff back_off, Clock& clock, Random& random)
      : back_off_(back_off), clock_(clock), random_(random) {}

  // False: it is not worth a try now.
  bool allows() const;
  // True for one caller when the time for a try has come: that one tells how it went.
  bool take_turn();
  void succeeded();
  void failed(State how, std::string reason);
  Known known() const;

 private:
  const BackOff back_off_;
  Clock& clock_;
  Random& random_;
  mutable ForkMutex mutex_;  // of what follows
  Known known_{};
};

}  // namespace stepstore::spool
