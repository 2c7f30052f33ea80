#include "base/blocks.h"

#include <algorithm>
#include <array>
#include <bit>
#include <mutex>
#include <new>
#include <vector>

#include "base/fork.h"

namespace stepstore {
namespace {

// Smaller ones the allocator keeps itself; larger ones are rare, and would fill the store of them.
constexpr std::size_t kSmallest = std::size_t{64} << 10U;
constexpr std::size_t kLargest = std::size_t{8} << 20U;
constexpr unsigned kSmallestBits = 16;
constexpr std::size_t kSteps = 4;  // sizes between a power of two and the next: a fifth is wasted
constexpr std::size_t kKinds = 7 * kSteps + 1;
constexpr std::size_t kLookEvery = 256;  // blocks that come back

// The sanitizers look for what is used after it was given back; kept blocks would hide that.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kKeeps = false;
#else
constexpr bool kKeeps = true;
#endif

struct Kind {
  std::size_t index;
  std::size_t bytes;
};

// The smallest kind of block that holds so many bytes.
Kind kind_of(std::size_t size) {
  const auto power = static_cast<unsigned>(std::bit_width(size) - 1);
  const std::size_t base = std::size_t{1} << power;
  const std::size_t step = base / kSteps;
  const std::size_t steps = (size - base + step - 1) / step;  // up to kSteps: the next power
  return {(power - kSmallestBits) * kSteps + steps, base + steps * step};
}

class Kept {
 public:
  void* take(const Kind& kind) {
    const std::lock_guard lock(mutex_);
    Shelf& shelf = shelves_[kind.index];
    if (shelf.blocks.empty()) return nullptr;
    void* const block = shelf.blocks.back();  // the one whose bytes are most likely in a cache
    shelf.blocks.pop_back();
    shelf.fewest = std::min(shelf.fewest, shelf.blocks.size());
    bytes_ -= kind.bytes;
    return block;
  }

  bool give_back(const Kind& kind, void* block) noexcept {
    const std::lock_guard lock(mutex_);
    if (++given_back_ % kLookEvery == 0) let_go_of_the_unused();
    if (bytes_ + kind.bytes > kBlocksKeptBytes) return false;
    Shelf& shelf = shelves_[kind.index];
    try {
      shelf.blocks.push_back(block);
    } catch (const std::bad_alloc&) {
      return false;
    }
    shelf.bytes = kind.bytes;
    bytes_ += kind.bytes;
    return true;
  }

  std::size_t bytes() {
    const std::lock_guard lock(mutex_);
    return bytes_;
  }

 private:
  // Those of one kind.
  struct Shelf {
    std::vector<void*> blocks;
    std::size_t bytes = 0;   // of each
    std::size_t fewest = 0;  // that lay there at any moment since the last look
  };

  // Half of what nobody has needed since the last look: one busy moment must not hold on to memory
  // for good.
  void let_go_of_the_unused() noexcept {
    for (Shelf& shelf : shelves_) {
      for (std::size_t unused = (shelf.fewest + 1) / 2; unused > 0; --unused) {
        ::operator delete(shelf.blocks.front());
        shelf.blocks.erase(shelf.blocks.begin());
        bytes_ -= shelf.bytes;
      }
      shelf.fewest = shelf.blocks.size();
    }
  }

  ForkMutex mutex_;  // of what follows
  std::array<Shelf, kKinds> shelves_;
  std::size_t bytes_ = 0;
  std::size_t given_back_ = 0;
};

// Never destroyed: a body may outlive every static object.
Kept& kept() {
  static auto* const all = new Kept;
  return *all;
}

}  // namespace

std::shared_ptr<std::byte[]> take_block(std::size_t size) {
  if (!kKeeps || size < kSmallest || size > kLargest) {
    return std::make_shared_for_overwrite<std::byte[]>(size);
  }
  const Kind kind = kind_of(size);
  void* block = kept().take(kind);
  if (block == nullptr) block = ::operator new(kind.bytes);
  return {static_cast<std::byte*>(block), [kind](std::byte* done) {
            if (!kept().give_back(kind, done)) ::operator delete(done);
          }};
}

std::size_t kept_block_bytes() { return kept().bytes(); }

}  // namespace stepstore
