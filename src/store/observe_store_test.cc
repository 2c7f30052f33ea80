// The wrapper changes nothing, and tells of every call exactly once.
#include "store/observe_store.h"

#include <gtest/gtest.h>

#include "store/memory_store.h"
#include "store/prefix_store.h"
#include "testing/fakes.h"
#include "testing/object_store_conformance.h"
#include "testing/scripted_store.h"

namespace stepstore {
namespace {

INSTANTIATE_TEST_SUITE_P(Observe, ObjectStoreConformance,
                         every_case({.name = "observe_over_memory",
                                     .make =
                                         [] {
                                           return std::make_shared<ObserveStore>(
                                               std::make_shared<MemoryStore>(), nullptr);
                                         }}),
                         conformance_name);

INSTANTIATE_TEST_SUITE_P(Stack, ObjectStoreConformance,
                         every_case({.name = "observe_over_prefix_over_memory",
                                     .make =
                                         [] {
                                           return std::make_shared<ObserveStore>(
                                               std::make_shared<PrefixStore>(
                                                   std::make_shared<MemoryStore>(), "a/b"),
                                               [](const Observation&) {});
                                         },
                                     .key_bytes_max = 1'020}),
                         conformance_name);

PutRequest item(const char* key, BytesView body) {
  return {.key = ObjectKey(key), .body = body, .content_type = {}, .condition = {}, .crc64 = {}};
}

class ObserveStoreTest : public testing::Test {
 protected:
  // The one observation since the last call of this.
  Observation only() {
    EXPECT_EQ(told.size(), 1U);
    const Observation one = told.empty() ? Observation{} : told.back();
    told.clear();
    return one;
  }

  SetClock clock;
  Script script;
  std::vector<Observation> told;
  std::shared_ptr<ScriptedStore> inner = std::make_shared<ScriptedStore>(
      std::make_shared<MemoryStore>(clock), [this](const ScriptedRequest& request) {
        clock.advance(std::chrono::milliseconds(3));
        return script(request);
      });
  ObserveStore store{inner, [this](const Observation& one) { told.push_back(one); }, clock};
};

TEST_F(ObserveStoreTest, TellsOfAPut) {
  const std::vector<PutRequest> items = {item("a", "12345"), item("b", "123")};
  script.on(ScriptedOperation::put, "b").fail(ErrorCode::NoSpace);
  (void)store.put(items, {});
  const Observation one = only();
  EXPECT_EQ(one.operation, "put");
  EXPECT_EQ(one.items, 2U);
  EXPECT_EQ(one.failures, 1U);
  EXPECT_EQ(one.bytes_out, 5U) << "the refused body does not count";
  EXPECT_EQ(one.bytes_in, 0U);
  EXPECT_EQ(one.duration, std::chrono::milliseconds(6));
}

TEST_F(ObserveStoreTest, TellsOfReads) {
  ASSERT_TRUE(put_one(store, item("a", "12345")).ok());
  (void)only();
  (void)get_one(store, ObjectKey("a"));
  Observation one = only();
  EXPECT_EQ(one.operation, "get");
  EXPECT_EQ(one.bytes_in, 5U);
  EXPECT_EQ(one.failures, 0U);
  (void)head_one(store, ObjectKey("missing"));
  one = only();
  EXPECT_EQ(one.operation, "head");
  EXPECT_EQ(one.failures, 1U);
  store.list({}, {});
  one = only();
  EXPECT_EQ(one.operation, "list");
  EXPECT_EQ(one.items, 1U);
  (void)remove_one(store, ObjectKey("a"));
  EXPECT_EQ(only().operation, "remove");
}

TEST_F(ObserveStoreTest, TellsOfAPublish) {
  ASSERT_TRUE(put_one(store, item("root", "1234")).ok());
  (void)only();
  const PutRequest part = item("s/a", "123"), commit = item("s/step.json", "12");
  const Guard guard{.key = ObjectKey("root"), .holds = [](const Object*) { return true; }};
  store.publish({.parts = {&part, 1}, .guard = guard, .commit = commit}, {});
  Observation one = only();
  EXPECT_EQ(one.operation, "publish");
  EXPECT_EQ(one.items, 2U);
  EXPECT_EQ(one.bytes_out, 5U);
  EXPECT_EQ(one.bytes_in, 4U);
  EXPECT_EQ(one.failures, 0U);
  store.publish({.parts = {}, .guard = Guard{ObjectKey("root"), {}}, .commit = commit}, {});
  one = only();
  EXPECT_EQ(one.failures, 1U) << "a commit that was not tried is one that failed";
}

TEST_F(ObserveStoreTest, TellsOfACallThatThrows) {
  script.on(ScriptedOperation::list, "").fail(ErrorCode::Throttled);
  EXPECT_THROW(store.list({}, {}), Throttled);
  EXPECT_EQ(only().failures, 1U);
  std::stop_source stop;
  stop.request_stop();
  const PutRequest put = item("a", "x");
  EXPECT_THROW((void)store.put({&put, 1}, {.stop = stop.get_token()}), Cancelled);
  const Observation one = only();
  EXPECT_EQ(one.failures, 1U);
  EXPECT_EQ(one.bytes_out, 0U);
}

TEST_F(ObserveStoreTest, TellsOfAnUploadWhenItEnds) {
  {
    const auto upload = store.start_upload(ObjectKey("a"), "", {});
    upload->write("123", {});
    upload->write("45", {});
    clock.advance(std::chrono::hours(1));  // the caller's own time is not the store's
    EXPECT_TRUE(upload->finish({}, {}).ok());
    EXPECT_TRUE(told.empty());
  }
  Observation one = only();
  EXPECT_EQ(one.operation, "upload");
  EXPECT_EQ(one.bytes_out, 5U);
  EXPECT_EQ(one.failures, 0U);
  EXPECT_EQ(one.duration, std::chrono::milliseconds(3));
  store.start_upload(ObjectKey("b"), "", {}).reset();
  EXPECT_EQ(only().failures, 1U) << "an abandoned upload";
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(store.start_upload(ObjectKey("c"), "", {.stop = stop.get_token()}), Cancelled);
  EXPECT_EQ(only().failures, 1U) << "an upload that could not begin";
}

TEST(ObserveStore, SaysWhatItIs) {
  const ObserveStore store(std::make_shared<PrefixStore>(std::make_shared<MemoryStore>(), "a/b"),
                           nullptr);
  EXPECT_EQ(store.capabilities().stack, "observe > prefix(a/b) > memory");
}

}  // namespace
}  // namespace stepstore
