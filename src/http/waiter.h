// Waiter: waits for sockets, for as long as a call may.
#pragma once

#include <poll.h>

#include <memory>
#include <stop_token>
#include <vector>

#include "base/clock.h"
#include "stepstore/object_store.h"

namespace stepstore::http {

// For one call, on its thread.
class Waiter {
 public:
  Waiter(const CallLimits& limits, Clock& clock) : limits_(limits), clock_(clock) {}
  ~Waiter();
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  // Returns when a descriptor is ready (see revents), at `until`, or after a while. Throws
  // Cancelled and Timeout as the limits say.
  void wait(std::vector<pollfd>& descriptors, std::chrono::steady_clock::time_point until);

 private:
  void listen_to_stop();

  struct Wake {
    int fd;
    pid_t process;
    void operator()() const noexcept;
  };
  const CallLimits& limits_;
  Clock& clock_;
  int wake_ = -1;  // an eventfd, which the thread keeps for its next call
  // On the heap: in a forked child, whoever stops this token must not find another thread's stack
  // where the callback was.
  std::unique_ptr<std::stop_callback<Wake>> on_stop_{};
};

}  // namespace stepstore::http
