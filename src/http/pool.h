// Pool: connections that are open and idle between calls.
#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/fork.h"
#include "http/message_reader.h"
#include "http/stream.h"

namespace stepstore::http {

// A connection with the space in which its answers' heads are read.
struct Connection {
  std::unique_ptr<Stream> stream;
  std::unique_ptr<std::byte[]> scratch;
  std::chrono::steady_clock::time_point idle_since{};

  std::span<std::byte> space() const { return {scratch.get(), kScratchBytes}; }
};

// Thread-safe. A forked child does not use its parent's connections.
class Pool {
 public:
  Pool(Clock& clock, std::chrono::milliseconds idle_max, std::size_t connections_max)
      : clock_(clock), idle_max_(idle_max), connections_max_(connections_max) {}

  // The connection that was used last, if it is fit to be used; null: none.
  std::unique_ptr<Connection> take(const Endpoint& endpoint);
  void give_back(const Endpoint& endpoint, std::unique_ptr<Connection> connection);

 private:
  using Idle = std::vector<std::unique_ptr<Connection>>;  // the last one was used last
  // What belongs to the parent, to be closed outside the lock. With the mutex held.
  std::map<Endpoint, Idle> leave_parent();
  // Moves what was given back before that time to `stale`. With the mutex held.
  void drop_stale(std::chrono::steady_clock::time_point before, Idle& stale);

  Clock& clock_;
  const std::chrono::milliseconds idle_max_;
  const std::size_t connections_max_;
  ForkMutex mutex_;  // of what follows
  std::map<Endpoint, Idle> idle_;
  std::size_t count_ = 0;
  pid_t owner_ = 0;
};

}  // namespace stepstore::http
