// Ahead: a few things are worked on at once, and their results taken in the order they were asked
// for.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "base/fork.h"
#include "base/thread_pool.h"

namespace stepstore {

// One caller's window over the threads of a manager. Not thread-safe; what it runs must not throw.
template <class T>
class Ahead {
 public:
  explicit Ahead(ThreadPool& pool) : pool_(pool) {}
  // Waits for what runs, unless that was abandoned; what has not begun never does.
  ~Ahead() {
    if (process_ != this_process()) {
      leave_to_the_parent();
      return;
    }
    for (const auto& item : items_) {
      if (item->begin()) continue;
      std::unique_lock lock(item->mutex);
      item->done.wait(lock, [&] { return item->value.has_value(); });
    }
  }
  Ahead(const Ahead&) = delete;
  Ahead& operator=(const Ahead&) = delete;

  std::size_t size() const { return items_.size(); }

  // What has not begun never does, and nobody hears of what runs: it has to keep what it uses.
  void abandon() {
    if (process_ != this_process()) {
      leave_to_the_parent();
      return;
    }
    for (const auto& item : items_) item->begin();
    items_.clear();
  }

  // Says whether the caller was interrupted; only asked on the caller's thread, empty on others.
  using Interrupted = std::function<bool()>;
  using Work = std::function<T(const Interrupted&)>;

  // The work for the next result. It runs on a thread of the pool, or on the caller's in take().
  void begin(Work work) {
    auto item = std::make_shared<Item>(std::move(work));
    items_.push_back(item);
    pool_.add([item] {
      if (item->begin()) item->run({});
    });
  }

  // Whether the oldest result is there already.
  bool ready() const {
    const std::lock_guard guard(items_.front()->mutex);
    return items_.front()->value.has_value();
  }

  // The oldest result. Does the work itself when no thread has begun it, so that windows may nest;
  // else waits for it and asks every 50 ms whether the caller was interrupted: whoever answers has
  // to make the work end.
  T take(const Interrupted& interrupted) {
    const std::shared_ptr<Item> item = std::move(items_.front());
    items_.pop_front();
    if (item->begin()) item->run(interrupted);
    std::unique_lock lock(item->mutex);
    const auto there = [&] { return item->value.has_value(); };
    while (!item->done.wait_for(lock, std::chrono::milliseconds(50), there)) {
      if (!interrupted) continue;
      lock.unlock();
      interrupted();
      lock.lock();
    }
    return *std::move(item->value);
  }

 private:
  struct Item {
    explicit Item(Work what) : work(std::move(what)) {}
    // True for the one that has to run it.
    bool begin() {
      const std::lock_guard guard(mutex);
      return !std::exchange(begun, true);
    }
    void run(const Interrupted& interrupted) {
      T result = work(interrupted);
      work = nullptr;  // what it holds goes with it
      const std::lock_guard guard(mutex);
      value.emplace(std::move(result));
      done.notify_all();
    }

    std::mutex mutex;
    std::condition_variable done;
    bool begun = false;
    Work work;
    std::optional<T> value;
  };

  // In a forked child nobody is there to end what runs, and its locks may be held for ever.
  void leave_to_the_parent() {
    [[maybe_unused]] const auto* const left_behind =
        new std::deque<std::shared_ptr<Item>>(std::move(items_));
    items_.clear();
  }

  ThreadPool& pool_;
  std::deque<std::shared_ptr<Item>> items_;
  pid_t process_ = this_process();
};

}  // namespace stepstore
