#include "manager/batch.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "base/fork.h"

namespace stepstore {
namespace {

// One call of run(): shared by the threads that take part.
struct Work {
  const std::size_t count;
  const std::function<void(std::size_t, const CallLimits&)>& job;
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t done = 0;  // guarded by mutex

  // Does jobs until none is left to begin.
  void take_part(const CallLimits& limits) {
    std::size_t finished = 0;
    for (std::size_t i = next++; i < count; i = next++) {
      job(i, limits);
      ++finished;
    }
    if (finished == 0) return;
    const std::lock_guard guard(mutex);
    done += finished;
    changed.notify_all();
  }
};

}  // namespace

class Batch::Pool {
 public:
  explicit Pool(std::size_t threads) {
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { serve(); });
  }
  ~Pool() {
    {
      const std::lock_guard guard(mutex_);
      closing_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  void add(std::function<void()> task) {
    {
      const std::lock_guard guard(mutex_);
      tasks_.push_back(std::move(task));
    }
    wake_.notify_one();
  }

 private:
  void serve() {
    for (;;) {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return closing_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      const auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

struct Batch::Owner {
  ForkMutex mutex;
  std::shared_ptr<Pool> pool;
  pid_t pid = 0;
};

Batch::Batch(std::size_t threads)
    : threads_(std::max<std::size_t>(1, threads)), owner_(std::make_unique<Owner>()) {}

Batch::~Batch() {
  // The threads of a parent do not exist in its child: there is nobody to join.
  if (owner_->pool && owner_->pid != ::getpid()) {
    new std::shared_ptr<Pool>(std::move(owner_->pool));  // NOLINT: left behind on purpose
  }
}

std::shared_ptr<Batch::Pool> Batch::pool() {
  const std::lock_guard guard(owner_->mutex);
  if (owner_->pool && owner_->pid != ::getpid()) {
    new std::shared_ptr<Pool>(std::move(owner_->pool));  // NOLINT: left behind on purpose
  }
  if (!owner_->pool) {
    owner_->pool = std::make_shared<Pool>(threads_ - 1);
    owner_->pid = ::getpid();
  }
  return owner_->pool;
}

void Batch::run(std::size_t count, const CallLimits& limits,
                const std::function<void(std::size_t, const CallLimits&)>& job) {
  std::stop_source stop;
  const std::stop_callback forward(limits.stop, [&stop] { stop.request_stop(); });
  // Only the caller's thread may ask whether the caller was interrupted; the others hear of it by
  // the token.
  const CallLimits shared{.deadline = limits.deadline, .stop = stop.get_token(), .interrupted = {}};
  CallLimits own = shared;
  if (limits.interrupted) {
    own.interrupted = [&] {
      if (limits.interrupted()) stop.request_stop();
      return stop.stop_requested();
    };
  }
  const auto work = std::make_shared<Work>(count, job);
  const std::size_t helpers = std::min(threads_, count) - std::min<std::size_t>(1, count);
  if (helpers > 0) {
    const auto threads = pool();
    for (std::size_t i = 0; i < helpers; ++i) {
      threads->add([work, shared] { work->take_part(shared); });
    }
  }
  work->take_part(own);
  std::unique_lock lock(work->mutex);
  const auto all_done = [&] { return work->done == work->count; };
  while (!work->changed.wait_for(lock, std::chrono::milliseconds(50), all_done)) {
    if (!own.interrupted) continue;
    lock.unlock();
    own.interrupted();
    lock.lock();
  }
}

}  // namespace stepstore
