// ThreadPool: threads that are started when there is work for them.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace stepstore {

// Runs tasks in the order in which they were added, on at most so many threads. Thread-safe. A
// forked child has none of its parent's threads and tasks; its own start when it adds some.
class ThreadPool {
 public:
  explicit ThreadPool(std::size_t threads_max);
  ~ThreadPool();  // as finish()
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // A task must not throw, and must not wait for one that may not have begun.
  void add(std::function<void()> task);
  // Runs what was added before, and ends the threads; the next task starts some again. Not to be
  // called by one of its own threads.
  void finish();
  // Ends its threads as soon as they have nothing to do, and waits for none. The next task starts
  // some again.
  void rest();

 private:
  class Threads;
  struct Owner;
  const std::size_t threads_max_;
  std::unique_ptr<Owner> owner_;
};

}  // namespace stepstore
