// A forked child knows that it is one, and finds every mutex free, whatever the parent's threads
// held at that moment.
#include "base/fork.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace stepstore {
namespace {

TEST(ThisProcess, IsAnotherOneInTheChild) {
  ASSERT_EQ(this_process(), ::getpid());
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(this_process() == ::getpid() ? 0 : 1);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(this_process(), ::getpid());
}

TEST(ForkMutex, IsFreeInTheChild) {
  ForkMutex mutex;
  std::atomic<bool> done = false;
  std::jthread busy([&] {
    while (!done) {
      {
        const ForkMutex comes_and_goes;
      }
      const std::lock_guard lock(mutex);
    }
  });
  for (int i = 0; i < 200; ++i) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::alarm(30);  // a child that hangs must not hang the test
      mutex.lock();
      mutex.unlock();
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0) << "fork " << i;
  }
  done = true;
}

}  // namespace
}  // namespace stepstore
