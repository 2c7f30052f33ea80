#include "http/pool.h"

#include <algorithm>
#include <iterator>
#include <mutex>

#include "base/fork.h"

namespace stepstore::http {

std::map<Endpoint, Pool::Idle> Pool::leave_parent() {
  std::map<Endpoint, Idle> theirs;
  if (const pid_t mine = this_process(); owner_ != mine) {
    owner_ = mine;
    theirs.swap(idle_);
    count_ = 0;
  }
  return theirs;
}

std::unique_ptr<Connection> Pool::take(const Endpoint& endpoint) {
  std::map<Endpoint, Idle> theirs;
  Idle stale;  // closed outside the lock
  while (true) {
    std::unique_ptr<Connection> connection;
    {
      const std::lock_guard lock(mutex_);
      if (auto left = leave_parent(); !left.empty()) theirs = std::move(left);
      const auto found = idle_.find(endpoint);
      if (found == idle_.end() || found->second.empty()) return nullptr;
      if (clock_.steady_now() - found->second.back()->idle_since > idle_max_) {
        // The others have been idle for longer still.
        count_ -= found->second.size();
        stale.swap(found->second);
        return nullptr;
      }
      connection = std::move(found->second.back());
      found->second.pop_back();
      --count_;
    }
    if (connection->stream->quiet()) return connection;
  }
}

void Pool::give_back(const Endpoint& endpoint, std::unique_ptr<Connection> connection) {
  connection->idle_since = clock_.steady_now();
  std::map<Endpoint, Idle> theirs;
  Idle stale;  // closed outside the lock
  const std::lock_guard lock(mutex_);
  theirs = leave_parent();
  drop_stale(connection->idle_since - idle_max_, stale);
  if (count_ >= connections_max_) return;  // closed by the caller's pointer
  idle_[endpoint].push_back(std::move(connection));
  ++count_;
}

// The last one of an endpoint is used again and again; those below it, and those of endpoints that
// nobody asks for any more, would stay open for ever.
void Pool::drop_stale(std::chrono::steady_clock::time_point before, Idle& stale) {
  for (auto at = idle_.begin(); at != idle_.end();) {
    Idle& idle = at->second;
    const auto fit = std::ranges::find_if(
        idle, [before](const auto& each) { return each->idle_since >= before; });
    count_ -= static_cast<std::size_t>(fit - idle.begin());
    std::move(idle.begin(), fit, std::back_inserter(stale));
    idle.erase(idle.begin(), fit);
    at = idle.empty() ? idle_.erase(at) : std::next(at);
  }
}

}  // namespace stepstore::http
