// ReadSizes: how much reads hold. The size of a step is known when it is there; until then those
// before speak for it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>

namespace stepstore {

// Thread-safe; shared by the reads of one caller.
class ReadSizes {
 public:
  using One = std::shared_ptr<std::atomic<std::uint64_t>>;

  One begin() const { return std::make_shared<std::atomic<std::uint64_t>>(kUnknown); }
  void ended(const One& one, std::uint64_t bytes) {
    *one = bytes;
    // Larger ones are believed at once, smaller ones by and by: better too few at once than too
    // many.
    if (bytes > 0) typical_ = std::max(bytes, (typical_ + bytes) / 2);
  }
  // What to ask for its size; must not outlive this.
  std::function<std::uint64_t()> size_of(One one) const {
    return [this, one = std::move(one)] {
      const std::uint64_t bytes = *one;
      return bytes == kUnknown ? typical_.load() : bytes;
    };
  }

 private:
  static constexpr std::uint64_t kUnknown = std::numeric_limits<std::uint64_t>::max();
  std::atomic<std::uint64_t> typical_ = 0;
};

}  // namespace stepstore
