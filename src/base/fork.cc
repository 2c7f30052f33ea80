#include "base/fork.h"

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <system_error>

namespace stepstore {
namespace {

std::atomic<pid_t> process{0};  // 0: not asked yet

}  // namespace

// A linked list through the objects, so that nothing is allocated between before and after a fork.
struct ForkRegistry {
  std::mutex mutex;
  ForkAware* first = nullptr;

  // Never destroyed: objects with static storage may withdraw after any destructor of ours.
  static ForkRegistry& get() {
    static auto* const registry = new ForkRegistry;
    return *registry;
  }

  ForkRegistry() {
    const int failed = ::pthread_atfork(&before, &in_parent, &in_child);
    if (failed != 0) throw std::system_error(failed, std::generic_category(), "pthread_atfork");
  }

  static void before() {
    ForkRegistry& self = get();
    self.mutex.lock();
    for (ForkAware* each = self.first; each; each = each->next_) each->before_fork();
  }
  static void in_parent() {
    ForkRegistry& self = get();
    for (ForkAware* each = self.first; each; each = each->next_) each->after_fork_in_parent();
    self.mutex.unlock();
  }
  static void in_child() {
    process = ::getpid();
    ForkRegistry& self = get();
    for (ForkAware* each = self.first; each; each = each->next_) each->after_fork_in_child();
    self.mutex.unlock();
  }
};

pid_t this_process() {
  if (const pid_t known = process.load(std::memory_order_relaxed)) return known;
  ForkRegistry::get();  // from now on a fork is noticed
  const pid_t mine = ::getpid();
  process = mine;
  return mine;
}

void ForkAware::enroll() {
  ForkRegistry& registry = ForkRegistry::get();
  const std::lock_guard lock(registry.mutex);
  next_ = registry.first;
  if (next_) next_->previous_ = this;
  registry.first = this;
}

void ForkAware::withdraw() noexcept {
  ForkRegistry& registry = ForkRegistry::get();
  const std::lock_guard lock(registry.mutex);
  (previous_ ? previous_->next_ : registry.first) = next_;
  if (next_) next_->previous_ = previous_;
  next_ = previous_ = nullptr;
}

}  // namespace stepstore
