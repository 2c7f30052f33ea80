// What must be put in order around fork(): locks that another thread holds at that moment would
// stay locked in the child for ever, and descriptors with a flock would keep it.
#pragma once

#include <sys/types.h>

#include <mutex>

namespace stepstore {

// getpid() without a system call: asked again after each fork().
pid_t this_process();

// Enrolled between enroll() and withdraw(); the methods are called in the thread that forks. They
// may not allocate or log.
class ForkAware {
 public:
  ForkAware() = default;
  virtual ~ForkAware() = default;
  ForkAware(const ForkAware&) = delete;
  ForkAware& operator=(const ForkAware&) = delete;

  virtual void before_fork() noexcept = 0;           // take what must not be held by another thread
  virtual void after_fork_in_parent() noexcept = 0;  // let it go
  virtual void
  after_fork_in_child() noexcept = 0;  // let it go, and forget what belongs to the parent

 protected:
  // The last act of the constructor and the first of the destructor of the final class: another
  // thread may fork at any moment, and must find the object whole.
  void enroll();
  void withdraw() noexcept;

 private:
  friend struct ForkRegistry;
  ForkAware* next_ = nullptr;
  ForkAware* previous_ = nullptr;
};

// A mutex that no other thread holds across a fork(). Leaf lock: take no other lock, and call
// nothing that may, while holding it; else two of them could deadlock in before_fork().
class ForkMutex final : private ForkAware {
 public:
  ForkMutex() { enroll(); }
  ~ForkMutex() override { withdraw(); }

  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }
  bool try_lock() { return mutex_.try_lock(); }

 private:
  void before_fork() noexcept override { mutex_.lock(); }
  void after_fork_in_parent() noexcept override { mutex_.unlock(); }
  void after_fork_in_child() noexcept override { mutex_.unlock(); }
  std::mutex mutex_;
};

}  // namespace stepstore
