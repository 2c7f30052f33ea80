// One thread at a time has the turn, and a forked child begins without its parent's.
#include "base/single_flight.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace stepstore {
namespace {

TEST(SingleFlight, OneHasTheTurnUntilItEnds) {
  SingleFlight flight;
  {
    const auto turn = flight.take();
    EXPECT_TRUE(turn);
    EXPECT_FALSE(flight.take());
  }
  EXPECT_TRUE(flight.take());
}

// The thread that has the turn is not there in the child, and would never give it back.
TEST(SingleFlight, AForkedChildTakesItsOwnTurn) {
  SingleFlight flight;
  const auto turn = flight.take();
  const pid_t child = ::fork();
  if (child == 0) ::_exit(flight.take() ? 0 : 1);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace stepstore
