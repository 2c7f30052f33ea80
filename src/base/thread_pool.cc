#include "base/thread_pool.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "base/fork.h"

namespace stepstore {

class ThreadPool::Threads {
 public:
  explicit Threads(std::size_t most) : most_(most) {}
  ~Threads() {
    {
      const std::lock_guard guard(mutex_);
      closing_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  void add(std::function<void()> task) {
    {
      const std::lock_guard guard(mutex_);
      tasks_.push_back(std::move(task));
      resting_ = false;
      // A thread that was woken is idle until it has the lock again.
      if (tasks_.size() > idle_ && alive_ < most_) start_one();
    }
    wake_.notify_one();
  }

  void rest() {
    {
      const std::lock_guard guard(mutex_);
      resting_ = true;
    }
    wake_.notify_all();
  }

 private:
  // Where the system gives no more threads, those that there are do the work.
  void start_one() {
    try {
      threads_.emplace_back([this] { serve(); });
      ++alive_;
    } catch (const std::system_error&) {
      if (alive_ == 0) {
        tasks_.pop_back();
        throw;
      }
    }
  }

  void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      ++idle_;
      wake_.wait(lock, [this] { return closing_ || resting_ || !tasks_.empty(); });
      --idle_;
      if (tasks_.empty()) {
        --alive_;
        return;
      }
      {
        const auto task = std::move(tasks_.front());
        tasks_.pop_front();
        lock.unlock();
        task();
        // What the task holds goes before the next lock.
      }
      lock.lock();
    }
  }

  const std::size_t most_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  std::size_t idle_ = 0;
  std::size_t alive_ = 0;  // of threads_; the others have come to their end
  bool closing_ = false;
  bool resting_ = false;
  std::vector<std::thread> threads_;
};

struct ThreadPool::Owner {
  ForkMutex mutex;
  std::unique_ptr<Threads> threads;
  pid_t pid = 0;

  // The threads of a parent do not exist in its child: there is nobody to join, and their locks
  // may be held for ever.
  void forget_a_parents() {
    if (threads && pid != this_process()) {
      [[maybe_unused]] const Threads* const left_behind = threads.release();
    }
  }
};

ThreadPool::ThreadPool(std::size_t threads_max)
    : threads_max_(threads_max), owner_(std::make_unique<Owner>()) {}

ThreadPool::~ThreadPool() { finish(); }

void ThreadPool::finish() {
  std::unique_ptr<Threads> threads;
  {
    const std::lock_guard guard(owner_->mutex);
    owner_->forget_a_parents();
    threads = std::move(owner_->threads);
  }
}

void ThreadPool::rest() {
  const std::lock_guard guard(owner_->mutex);
  owner_->forget_a_parents();
  if (owner_->threads) owner_->threads->rest();
}

void ThreadPool::add(std::function<void()> task) {
  const std::lock_guard guard(owner_->mutex);
  owner_->forget_a_parents();
  if (!owner_->threads) {
    owner_->threads = std::make_unique<Threads>(threads_max_);
    owner_->pid = this_process();
  }
  // Its lock may be taken here: who holds that takes no ForkMutex.
  owner_->threads->add(std::move(task));
}

}  // namespace stepstore
