#include "base/fork.h"

#include <pthread.h>

#include <system_error>

namespace stepstore {

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
    ForkRegistry& self = get();
    for (ForkAware* each = self.first; each; each = each->next_) each->after_fork_in_child();
    self.mutex.unlock();
  }
};

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
