// Tasks run in order and all of them, threads come as they are needed, and fork() leaves none
// behind.
#include "base/thread_pool.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>
#include <iterator>
#include <latch>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace stepstore {
namespace {

TEST(ThreadPool, RunsAllThatWasAddedBeforeItGoes) {
  std::atomic<int> done = 0;
  {
    ThreadPool pool(3);
    for (int i = 0; i < 1'000; ++i) pool.add([&done] { ++done; });
  }
  EXPECT_EQ(done, 1'000);
}

TEST(ThreadPool, StartsAgainAfterFinish) {
  ThreadPool pool(2);
  std::atomic<int> done = 0;
  for (int i = 1; i <= 3; ++i) {
    pool.add([&done] { ++done; });
    pool.finish();
    EXPECT_EQ(done, i);
  }
}

TEST(ThreadPool, OneThreadKeepsTheOrder) {
  std::vector<int> seen;
  {
    ThreadPool pool(1);
    for (int i = 0; i < 100; ++i) pool.add([&seen, i] { seen.push_back(i); });
  }
  for (int i = 0; i < 100; ++i) EXPECT_EQ(seen.at(i), i);
}

TEST(ThreadPool, StartsAThreadWhenAllOthersAreBusyAndNoMoreThanItMay) {
  std::promise<void> open;
  const std::shared_future<void> gate = open.get_future().share();
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  {
    ThreadPool pool(4);
    for (int i = 0; i < 12; ++i) {
      pool.add([&, gate] {
        most = std::max<int>(most, ++inside);
        gate.wait();
        --inside;
      });
    }
    while (inside < 4) std::this_thread::yield();
    open.set_value();
  }
  EXPECT_EQ(most, 4);
}

TEST(ThreadPool, UsesAnIdleThreadAgain) {
  ThreadPool pool(8);
  std::mutex mutex;
  std::set<std::thread::id> threads;
  for (int i = 0; i < 50; ++i) {
    std::promise<void> done;
    pool.add([&] {
      const std::lock_guard guard(mutex);
      threads.insert(std::this_thread::get_id());
      done.set_value();
    });
    done.get_future().wait();
    // It is idle only once it waits again, a moment after the promise.
    std::this_thread::yield();
  }
  const std::lock_guard guard(mutex);
  EXPECT_LE(threads.size(), 8U);
}

TEST(ThreadPool, AForkedChildStartsItsOwn) {
  ThreadPool pool(2);
  std::promise<void> ready;
  pool.add([&] { ready.set_value(); });
  ready.get_future().wait();
  const pid_t child = ::fork();
  if (child == 0) {
    std::promise<void> done;
    pool.add([&] { done.set_value(); });
    const bool ran =
        done.get_future().wait_for(std::chrono::seconds(30)) == std::future_status::ready;
    ::_exit(ran ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(ThreadPool, ThreadsThatRestEndAndOthersStart) {
  ThreadPool pool(4);
  const auto threads = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"),
                         std::filesystem::directory_iterator());
  };
  std::thread([] {}).join();  // a sanitizer begins a thread of its own beside the first one
  const auto before = threads();
  for (int round = 0; round < 3; ++round) {
    // Kept by whoever waits for them last.
    const auto began = std::make_shared<std::latch>(4);
    const auto go_on = std::make_shared<std::latch>(1);
    for (int i = 0; i < 4; ++i) {
      pool.add([began, go_on] {
        began->count_down();
        go_on->wait();
      });
    }
    began->wait();
    pool.rest();  // while they are busy: waits for none
    EXPECT_EQ(threads(), before + 4);
    go_on->count_down();
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (threads() != before && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::yield();
    }
    EXPECT_EQ(threads(), before);
  }
}

}  // namespace
}  // namespace stepstore
