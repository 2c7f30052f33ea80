// Scripts act on exactly the requests that they name, and leave the store as a network would.
#include "testing/scripted_store.h"

#include <gtest/gtest.h>

#include <thread>

#include "store/memory_store.h"
#include "testing/object_store_conformance.h"

namespace stepstore {
namespace {

std::shared_ptr<ObjectStore> unscripted(ScriptedStore::Publish publish) {
  return std::make_shared<ScriptedStore>(std::make_shared<MemoryStore>(), nullptr, publish);
}

StoreFactory by_requests() {
  return {.name = "scripted_by_requests",
          .make = [] { return unscripted(ScriptedStore::Publish::by_requests); },
          .guard_is_atomic = false};
}

INSTANTIATE_TEST_SUITE_P(ByRequests, ObjectStoreConformance, every_case(by_requests()),
                         conformance_name);

// The guard is judged before the commit, as on S3, so a swap of it may come in between. Nothing
// else is left out.
TEST(ScriptedStore, ByRequestsLacksOnlyTheAtomicGuard) {
  EXPECT_EQ(cases_left_out(by_requests()), std::vector<std::string>{"RaceGuardSwap"});
}

INSTANTIATE_TEST_SUITE_P(Whole, ObjectStoreConformance,
                         every_case({.name = "scripted_whole",
                                     .make =
                                         [] { return unscripted(ScriptedStore::Publish::whole); }}),
                         conformance_name);

using Operation = ScriptedOperation;

PutRequest item(const char* key, BytesView body, Condition condition = {}) {
  return {.key = ObjectKey(key),
          .body = body,
          .content_type = {},
          .condition = std::move(condition),
          .crc64 = {}};
}

class ScriptedStoreTest : public testing::Test {
 protected:
  bool there(const char* key) { return head_one(*memory, ObjectKey(key)).ok(); }
  PublishResult publish(ScriptedStore& store, const char* body = "x") {
    const std::vector<PutRequest> parts = {item("s/a", body), item("s/b", body)};
    const PutRequest commit = item("s/step.json", body, Condition::absent());
    return store.publish({.parts = parts, .guard = Guard{ObjectKey("root"), {}}, .commit = commit},
                         {});
  }

  std::shared_ptr<MemoryStore> memory = std::make_shared<MemoryStore>();
  Script script;
  ScriptedStore store{memory, script};
  ScriptedStore whole{memory, script, ScriptedStore::Publish::whole};
};

TEST_F(ScriptedStoreTest, RecordsEveryRequestOfAPublish) {
  (void)publish(store);
  EXPECT_EQ(store.requests(), (std::vector<ScriptedRequest>{
                                  {Operation::put, "s/a"},
                                  {Operation::put, "s/b"},
                                  {Operation::guard, "root"},
                                  {Operation::commit, "s/step.json", Condition::Kind::absent},
                              }));
  EXPECT_EQ(store.count(Operation::put), 2U);
  EXPECT_EQ(store.count(Operation::put, "/b"), 1U);
  store.forget_requests();
  EXPECT_TRUE(store.requests().empty());
}

TEST_F(ScriptedStoreTest, LostAnswerIsDoneAndUnknown) {
  script.on(Operation::put, "a").lose_answer();
  const auto lost = put_one(store, item("a", "x"));
  ASSERT_TRUE(lost.is(ErrorCode::Unavailable));
  EXPECT_TRUE(lost.error().outcome_unknown());
  EXPECT_TRUE(there("a"));
  EXPECT_TRUE(put_one(store, item("b", "x")).ok());
}

TEST_F(ScriptedStoreTest, LateRequestIsDoneWhenTheTestSays) {
  const auto late = script.on(Operation::put, "a").make_late();
  EXPECT_THROW(late->apply(), std::runtime_error);
  {
    const std::string gone_afterwards = "body";
    const auto unknown = put_one(store, item("a", gone_afterwards));
    ASSERT_TRUE(unknown.is(ErrorCode::Unavailable));
    EXPECT_TRUE(unknown.error().outcome_unknown());
  }
  EXPECT_FALSE(there("a"));
  ASSERT_TRUE(late->sent());
  late->apply();
  EXPECT_EQ(get_one(*memory, ObjectKey("a"))->body.text(), "body");
}

TEST_F(ScriptedStoreTest, LateRemoveTakesWhatCameMeanwhile) {
  const auto late = script.on(Operation::remove, "a").make_late();
  EXPECT_TRUE(remove_one(store, ObjectKey("a")).error().outcome_unknown());
  ASSERT_TRUE(put_one(store, item("a", "x")).ok());
  late->apply();
  EXPECT_FALSE(there("a"));
}

TEST_F(ScriptedStoreTest, LateCommitKeepsItsCondition) {
  const auto late = script.on(Operation::commit, "step.json").make_late();
  const PublishResult result = publish(store, "mine");
  ASSERT_TRUE(result.commit.has_value());
  EXPECT_TRUE(result.commit->error().outcome_unknown());
  EXPECT_TRUE(there("s/a"));
  EXPECT_FALSE(there("s/step.json"));
  ASSERT_TRUE(put_one(*memory, item("s/step.json", "other")).ok());
  late->apply();
  EXPECT_EQ(get_one(*memory, ObjectKey("s/step.json"))->body.text(), "other");
}

TEST_F(ScriptedStoreTest, FailureIsNotDone) {
  script.on(Operation::put, "a").nth(1).fail(ErrorCode::NoSpace);
  script.on(Operation::put, "a").nth(2).fail(ErrorCode::Timeout, false);
  const auto definite = put_one(store, item("a", "x"));
  EXPECT_TRUE(definite.is(ErrorCode::NoSpace));
  EXPECT_FALSE(definite.error().outcome_unknown());
  const auto unknown = put_one(store, item("a", "x"));
  EXPECT_TRUE(unknown.is(ErrorCode::Timeout));
  EXPECT_TRUE(unknown.error().outcome_unknown());
  EXPECT_FALSE(there("a"));
  EXPECT_TRUE(put_one(store, item("a", "x")).ok()) << "only two were to fail";
}

TEST_F(ScriptedStoreTest, DuplicateTellsTheSecondAnswer) {
  script.on(Operation::put, "a").duplicate();
  EXPECT_TRUE(put_one(store, item("a", "x", Condition::absent())).is(ErrorCode::AlreadyExists));
  EXPECT_TRUE(there("a"));
}

TEST_F(ScriptedStoreTest, ReadsThatGetLostAreNotUnknown) {
  script.on(Operation::get, "").lose_answer();
  script.on(Operation::list, "").lose_answer();
  const auto lost = get_one(store, ObjectKey("a"));
  EXPECT_TRUE(lost.is(ErrorCode::Unavailable));
  EXPECT_FALSE(lost.error().outcome_unknown());
  EXPECT_THROW(store.list({}, {}), Unavailable);
}

TEST_F(ScriptedStoreTest, AGuardThatCannotBeReadCommitsNothing) {
  script.on(Operation::guard, "root").fail(ErrorCode::Unavailable);
  const PublishResult result = publish(store);
  ASSERT_TRUE(result.commit.has_value());
  EXPECT_TRUE(result.commit->is(ErrorCode::Unavailable));
  EXPECT_FALSE(result.commit->error().outcome_unknown());
  EXPECT_FALSE(there("s/step.json"));
}

TEST_F(ScriptedStoreTest, GateHoldsARequestBeforeItIsDone) {
  const auto gate = script.on(Operation::commit, "step.json").block();
  std::jthread writer([&] { EXPECT_TRUE(publish(store).commit->is(ErrorCode::AlreadyExists)); });
  gate->wait_until_reached();
  EXPECT_TRUE(there("s/b"));
  EXPECT_FALSE(there("s/step.json"));
  EXPECT_TRUE(put_one(*memory, item("s/step.json", "other")).ok());
  gate->open();
}

TEST_F(ScriptedStoreTest, AGateAndAnotherActionGoTogether) {
  const auto gate = script.on(Operation::put, "a").block();
  script.on(Operation::put, "a").lose_answer();
  std::jthread writer(
      [&] { EXPECT_TRUE(put_one(store, item("a", "x")).error().outcome_unknown()); });
  gate->wait_until_reached();
  EXPECT_FALSE(there("a"));
  gate->open();
  writer.join();
  EXPECT_TRUE(there("a"));
}

TEST_F(ScriptedStoreTest, WholePublishIsOneRequest) {
  script.on(Operation::publish, "step.json").nth(1).fail(ErrorCode::NoSpace);
  script.on(Operation::publish, "step.json").nth(2).lose_answer();
  const PublishResult failed = publish(whole);
  EXPECT_TRUE(failed.parts.at(1).is(ErrorCode::NoSpace));
  EXPECT_FALSE(failed.commit.has_value());
  EXPECT_FALSE(there("s/a"));
  EXPECT_TRUE(publish(whole).commit->error().outcome_unknown());
  EXPECT_TRUE(there("s/step.json"));
  EXPECT_TRUE(publish(whole).commit->is(ErrorCode::AlreadyExists));
  EXPECT_EQ(whole.requests().size(), 3U);
}

TEST_F(ScriptedStoreTest, LateWholePublishBringsItsParts) {
  const auto late = script.on(Operation::publish, "step.json").make_late();
  EXPECT_TRUE(publish(whole).commit->error().outcome_unknown());
  EXPECT_FALSE(there("s/a"));
  late->apply();
  EXPECT_TRUE(there("s/a"));
  EXPECT_TRUE(there("s/step.json"));
}

TEST_F(ScriptedStoreTest, UploadsAreScriptedAtTheirFinish) {
  const auto late = script.on(Operation::upload, "large").make_late();
  {
    const auto upload = store.start_upload(ObjectKey("large"), "", {});
    upload->write("bytes", {});
    EXPECT_TRUE(upload->finish({}, {}).error().outcome_unknown());
  }
  EXPECT_FALSE(there("large"));
  late->apply();
  EXPECT_EQ(get_one(*memory, ObjectKey("large"))->body.text(), "bytes");
}

TEST_F(ScriptedStoreTest, SaysWhatItIs) {
  EXPECT_EQ(store.capabilities().stack, "scripted > memory");
}

}  // namespace
}  // namespace stepstore
