// The fakes do what tests rely on: time stands still, and numbers repeat.
#include "testing/fakes.h"

#include <gtest/gtest.h>

#include <array>

namespace stepstore {
namespace {

TEST(SetClock, StandsStillUntilItIsTold) {
  SetClock clock;
  const auto wall = clock.now();
  const auto steady = clock.steady_now();
  EXPECT_EQ(clock.now(), wall);
  clock.sleep(std::chrono::seconds(90));
  EXPECT_EQ(clock.now() - wall, std::chrono::seconds(90));
  EXPECT_EQ(clock.steady_now() - steady, std::chrono::seconds(90));
}

TEST(SetClock, WallTimeMayJumpBack) {
  SetClock clock;
  const auto steady = clock.steady_now();
  const Timestamp past{std::chrono::milliseconds(1469918176385)};
  clock.set_wall(past);
  EXPECT_EQ(clock.now_ms(), past);
  EXPECT_EQ(clock.steady_now(), steady);
}

TEST(SeededRandom, RepeatsForTheSameSeedOnly) {
  std::array<std::byte, 32> one{}, same{}, other{};
  SeededRandom(7).fill(one);
  SeededRandom(7).fill(same);
  SeededRandom(8).fill(other);
  EXPECT_EQ(one, same);
  EXPECT_NE(one, other);
}

}  // namespace
}  // namespace stepstore
