#include "base/held_descriptors.h"

namespace stepstore {

void HeldDescriptors::add(int fd) {
  const std::lock_guard lock(mutex_);
  fds_.push_back(fd);
}

void HeldDescriptors::remove(int fd) {
  const std::lock_guard lock(mutex_);
  std::erase(fds_, fd);
}

// Closing does not unlock: the parent's descriptor is of the same open file.
void HeldDescriptors::after_fork_in_child() noexcept {
  for (const int fd : fds_) (void)files_.close(fd);
  fds_.clear();
  ++generation_;
  mutex_.unlock();
}

}  // namespace stepstore
