// Blocks come back for the next body, never more of them than may be kept, whoever gives them back.
#include "base/blocks.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <thread>
#include <vector>

namespace stepstore {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kKeeps = false;  // under this sanitizer nothing is kept
#else
constexpr bool kKeeps = true;
#endif

TEST(Blocks, HoldTheirBytesWhateverTheirSize) {
  for (const std::size_t size : {1UL, 65'535UL, 65'536UL, 65'537UL, 81'920UL, 81'921UL, 131'071UL,
                                 131'072UL, 500'000UL, 8'388'607UL, 8'388'608UL, 8'388'609UL}) {
    for (int again = 0; again < 3; ++again) {
      const auto block = take_block(size);
      std::memset(block.get(), again, size);
      EXPECT_EQ(std::to_integer<int>(block[size - 1]), again);
    }
  }
}

TEST(Blocks, AreTheNextOnesOfTheirSize) {
  if (!kKeeps) return;
  const std::byte* first = nullptr;
  {
    const auto block = take_block(500'000);
    first = block.get();
  }
  EXPECT_EQ(take_block(500'001).get(), first);
  const auto mine = take_block(500'000);
  EXPECT_NE(take_block(500'000).get(), mine.get()) << "nobody else's while it is owned";
}

TEST(Blocks, AreKeptUpToABound) {
  std::vector<std::shared_ptr<std::byte[]>> many;
  for (int i = 0; i < 100; ++i) many.push_back(take_block(1'000'000));
  many.clear();
  EXPECT_LE(kept_block_bytes(), kBlocksKeptBytes);
  if (kKeeps) {
    EXPECT_GT(kept_block_bytes(), kBlocksKeptBytes / 2);
  }
}

// One busy moment: its blocks go while others come and go, of which enough stay.
TEST(Blocks, GoWhenNobodyNeedsThemAnyMore) {
  if (!kKeeps) return;
  std::vector<std::shared_ptr<std::byte[]>> many;
  for (int i = 0; i < 20; ++i) many.push_back(take_block(1'000'000));
  many.clear();
  ASSERT_GT(kept_block_bytes(), 10'000'000U);
  const std::byte* last = nullptr;
  for (int i = 0; i < 4'000; ++i) last = take_block(100'000).get();
  EXPECT_LT(kept_block_bytes(), 2'000'000U);
  EXPECT_EQ(take_block(100'000).get(), last) << "what is needed stays";
}

TEST(Blocks, PassBetweenThreadsAndIntoAChild) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([i] {
      for (int round = 0; round < 200; ++round) {
        auto block = take_block(70'000 + static_cast<std::size_t>(round) * 1'000);
        std::memset(block.get(), i, 70'000);
        std::thread([moved = std::move(block), i] {
          EXPECT_EQ(std::to_integer<int>(moved[69'999]), i);
        }).join();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  auto block = take_block(100'000);
  const pid_t child = ::fork();
  if (child == 0) {
    block.reset();
    const auto other = take_block(100'000);
    std::memset(other.get(), 1, 100'000);
    ::_exit(0);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace stepstore
