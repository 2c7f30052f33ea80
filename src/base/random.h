// Randomness comes in through here, so that tests can repeat it.
#pragma once

#include <cstddef>
#include <span>

namespace stepstore {

// Thread-safe.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::byte> out) = 0;
};

// The kernel's random numbers; good after fork(). Never destroyed.
Random& system_random();

}  // namespace stepstore
