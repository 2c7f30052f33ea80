// The memory store keeps the whole contract, shares its bytes, and takes its time from a clock.
#include "store/memory_store.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "testing/fakes.h"
#include "testing/object_store_conformance.h"

namespace stepstore {
namespace {

INSTANTIATE_TEST_SUITE_P(Memory, ObjectStoreConformance,
                         every_case({.name = "memory",
                                     .make = [] { return std::make_shared<MemoryStore>(); }}),
                         conformance_name);

PutRequest item(const char* key, BytesView body) {
  return {.key = ObjectKey(key), .body = body, .content_type = {}, .condition = {}, .crc64 = {}};
}

TEST(MemoryStore, SharesTheBytesThatItGives) {
  MemoryStore store;
  const std::string body = "bytes";
  ASSERT_TRUE(put_one(store, item("a", body)).ok());
  const Object one = get_one(store, ObjectKey("a")).value();
  const Object two = get_one(store, ObjectKey("a")).value();
  EXPECT_EQ(one.body.data(), two.body.data());
  EXPECT_NE(static_cast<const void*>(one.body.data()), static_cast<const void*>(body.data()))
      << "the caller's bytes are only borrowed";
  const GetRequest tail{.key = ObjectKey("a"),
                        .range = ObjectRange{.offset = 2, .size = {}, .from_end = false},
                        .if_match = {}};
  EXPECT_EQ(store.get({&tail, 1}, {}).at(0)->body.data(), one.body.data() + 2);
}

TEST(MemoryStore, TakesTimesFromItsClock) {
  SetClock clock;
  MemoryStore store(clock);
  const Timestamp begun = clock.now_ms();
  ASSERT_TRUE(put_one(store, item("a", "x")).ok());
  clock.advance(std::chrono::hours(5));
  EXPECT_EQ(head_one(store, ObjectKey("a"))->modified, begun);
  ASSERT_TRUE(put_one(store, item("a", "y")).ok());
  EXPECT_EQ(head_one(store, ObjectKey("a"))->modified, begun + std::chrono::hours(5));
}

TEST(MemoryStore, JudgesDeadlinesByItsClock) {
  SetClock clock;
  MemoryStore store(clock);
  const CallLimits limits{.deadline = clock.steady_now() + std::chrono::seconds(1)};
  EXPECT_TRUE(put_one(store, item("a", "x"), limits).ok());
  clock.advance(std::chrono::seconds(1));
  const auto late = put_one(store, item("a", "y"), limits);
  ASSERT_TRUE(late.is(ErrorCode::Timeout));
  EXPECT_EQ(late.error().key(), "a");
  EXPECT_FALSE(late.error().outcome_unknown());
}

// What a call has done before it ran out of time is told as done.
TEST(MemoryStore, TellsWhatWasDoneBeforeTheDeadline) {
  SetClock clock;
  MemoryStore store(clock);
  const std::vector<PutRequest> items = {item("a", "x"), item("b", "x")};
  const CallLimits limits{.deadline = clock.steady_now() + std::chrono::seconds(1),
                          .interrupted = [&] {
                            clock.advance(std::chrono::milliseconds(600));
                            return false;
                          }};
  const auto outcomes = store.put(items, limits);
  EXPECT_TRUE(outcomes.at(0).ok());
  EXPECT_TRUE(outcomes.at(1).is(ErrorCode::Timeout));
  EXPECT_TRUE(head_one(store, ObjectKey("a")).ok());
  EXPECT_TRUE(head_one(store, ObjectKey("b")).is(ErrorCode::NotFound));
}

// A guard may itself read the store, and is judged again when it changes under the judgement.
TEST(MemoryStore, JudgesAGuardAgainThatChangesMeanwhile) {
  MemoryStore store;
  ASSERT_TRUE(put_one(store, item("root", "open")).ok());
  int asked = 0;
  const Guard guard{.key = ObjectKey("root"), .holds = [&](const Object* found) {
                      if (++asked == 1) (void)put_one(store, item("root", "shut"));
                      return found && found->body.text() == "open";
                    }};
  const PutRequest commit = item("s/step.json", "x");
  const PublishResult result = store.publish({.parts = {}, .guard = guard, .commit = commit}, {});
  EXPECT_EQ(asked, 2);
  EXPECT_FALSE(result.guard_held);
  EXPECT_FALSE(result.commit.has_value());
  EXPECT_EQ(result.guard->body.text(), "shut");
}

TEST(MemoryStore, PageEndsWithTheNameThatWasToldLast) {
  MemoryStore store;
  for (const char* const key : {"a/1", "a/2", "a0", "b"}) {
    ASSERT_TRUE(put_one(store, item(key, "x")).ok());
  }
  const ListRequest first{.prefix = "", .delimited = true, .start_after = "", .limit = 1};
  const ListPage page = store.list(first, {});
  EXPECT_EQ(page.prefixes, std::vector<std::string>{"a/"});
  EXPECT_EQ(page.next, "a/");
  const ListRequest last{.prefix = "", .delimited = true, .start_after = "a0", .limit = 1};
  EXPECT_EQ(store.list(last, {}).next, "") << "a full page can be the last";
}

TEST(MemoryStore, UploadEndsWithItsFinish) {
  MemoryStore store;
  const auto upload = store.start_upload(ObjectKey("a"), "", {});
  upload->write("x", {});
  ASSERT_TRUE(upload->finish({}, {}).ok());
  EXPECT_THROW(upload->write("y", {}), InvalidArgument);
  EXPECT_TRUE(upload->finish({}, {}).is(ErrorCode::InvalidArgument));
  EXPECT_EQ(get_one(store, ObjectKey("a"))->body.text(), "x");
}

// A lock that another thread holds at the fork would stay locked in the child for ever.
TEST(MemoryStore, IsUsableInAForkedChild) {
  MemoryStore store;
  std::atomic<bool> done = false;
  std::jthread writer([&] {
    while (!done) (void)put_one(store, item("busy", "x"));
  });
  for (int i = 0; i < 50; ++i) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::alarm(30);  // a child that hangs must not hang the test
      const bool works = put_one(store, item("child", "y")).ok() &&
                         get_one(store, ObjectKey("child"))->body.text() == "y";
      ::_exit(works ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << "fork " << i;
    if (status != 0) break;
  }
  done = true;
  writer.join();
  EXPECT_TRUE(head_one(store, ObjectKey("child")).is(ErrorCode::NotFound));
}

TEST(MemoryStore, SaysWhatItIs) {
  const Capabilities told = MemoryStore().capabilities();
  EXPECT_EQ(told.stack, "memory");
  EXPECT_FALSE(told.durable);
  EXPECT_FALSE(told.shared);
  EXPECT_EQ(told.notes.size(), 1U);
}

}  // namespace
}  // namespace stepstore
