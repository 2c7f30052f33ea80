// The wrapper meets the whole contract, and its objects lie where the wrapped store's owner expects
// them.
#include "store/prefix_store.h"

#include <gtest/gtest.h>

#include "base/errors.h"
#include "store/memory_store.h"
#include "testing/object_store_conformance.h"
#include "testing/scripted_store.h"

namespace stepstore {
namespace {

INSTANTIATE_TEST_SUITE_P(Prefix, ObjectStoreConformance,
                         every_case({.name = "prefix_over_memory",
                                     .make =
                                         [] {
                                           return std::make_shared<PrefixStore>(
                                               std::make_shared<MemoryStore>(), "team/runs");
                                         },
                                     .key_bytes_max = 1'014}),
                         conformance_name);

PutRequest item(const std::string& key, BytesView body) {
  return {.key = ObjectKey(key), .body = body, .content_type = {}, .condition = {}, .crc64 = {}};
}

std::vector<std::string> keys_of(ObjectStore& store) {
  std::vector<std::string> keys;
  for (const ObjectInfo& object : list_all(store, {})) keys.push_back(object.key.text());
  return keys;
}

class PrefixStoreTest : public testing::Test {
 protected:
  std::shared_ptr<MemoryStore> memory = std::make_shared<MemoryStore>();
  PrefixStore store{memory, "team/runs"};
};

// Goal: the prefix is added once, with one separator. Method: write through the wrapper, list
// beneath it.
TEST_F(PrefixStoreTest, WritesBeneathItsPrefix) {
  ASSERT_TRUE(put_one(store, item("s1/a", "hello")).ok());
  EXPECT_EQ(keys_of(*memory), (std::vector<std::string>{"team/runs/s1/a"}));
}

TEST_F(PrefixStoreTest, SeesNothingOutside) {
  for (const char* const key : {"team/run", "team/runs0", "team/runs-/a", "a", "z"}) {
    ASSERT_TRUE(put_one(*memory, item(key, "foreign")).ok());
  }
  EXPECT_TRUE(keys_of(store).empty());
  const ListPage page = store.list({.prefix = "", .delimited = true, .start_after = "a"}, {});
  EXPECT_TRUE(page.objects.empty());
  EXPECT_TRUE(page.prefixes.empty());
  ASSERT_TRUE(remove_one(store, ObjectKey("a")).ok());
  EXPECT_TRUE(head_one(*memory, ObjectKey("a")).ok());
}

TEST_F(PrefixStoreTest, ErrorsNameTheCallersKey) {
  const auto missing = get_one(store, ObjectKey("s1/a"));
  ASSERT_TRUE(missing.is(ErrorCode::NotFound));
  EXPECT_EQ(missing.error().key(), "s1/a");
  EXPECT_EQ(std::string(missing.error().what()).find("team"), std::string::npos);
}

TEST_F(PrefixStoreTest, ThrownErrorsNameTheCallersKey) {
  Script script;
  script.on(ScriptedOperation::list, "").fail(ErrorCode::Unavailable);
  PrefixStore store(std::make_shared<ScriptedStore>(memory, script), "team/runs");
  try {
    store.list({.prefix = "s1/"}, {});
    FAIL() << "the scripted failure was lost";
  } catch (const Unavailable& error) {
    EXPECT_EQ(error.key(), "s1/");
  }
}

TEST_F(PrefixStoreTest, TranslatesGuardsAndPublishErrors) {
  ASSERT_TRUE(put_one(store, item("root", "3")).ok());
  ASSERT_TRUE(put_one(store, item("s/step.json", "old")).ok());
  std::string judged;
  const Guard guard{.key = ObjectKey("root"), .holds = [&](const Object* found) {
                      judged = found ? found->info.key.text() : "nothing";
                      return true;
                    }};
  PutRequest commit = item("s/step.json", "new");
  commit.condition = Condition::absent();
  const PublishResult result = store.publish({.parts = {}, .guard = guard, .commit = commit}, {});
  EXPECT_EQ(judged, "root");
  EXPECT_EQ(result.guard->info.key.text(), "root");
  ASSERT_TRUE(result.commit->is(ErrorCode::AlreadyExists));
  EXPECT_EQ(result.commit->error().key(), "s/step.json");
}

// Pages end with names of the caller, which are below the prefix again when they come back.
TEST_F(PrefixStoreTest, NextIsTheCallersName) {
  for (const char* const key : {"a/1", "b/1", "c"}) ASSERT_TRUE(put_one(store, item(key, "")).ok());
  const ListPage page = store.list({.prefix = "", .delimited = true, .limit = 1}, {});
  EXPECT_EQ(page.next, "a/");
}

TEST_F(PrefixStoreTest, AKeyThatIsTooLongSpoilsItsOwnItemOnly) {
  std::string long_key;
  while (long_key.size() < 1'000) long_key += std::string(99, 'k') + "/";
  long_key += std::string(20, 'k');
  const std::vector<PutRequest> items = {item("a", "A"), item(long_key, "x"), item("b", "B")};
  const auto outcomes = store.put(items, {});
  ASSERT_EQ(outcomes.size(), 3U);
  EXPECT_TRUE(outcomes[0].ok());
  EXPECT_TRUE(outcomes[1].is(ErrorCode::InvalidArgument));
  EXPECT_TRUE(outcomes[2].ok());
  EXPECT_EQ(keys_of(store), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(get_one(store, ObjectKey(long_key)).is(ErrorCode::InvalidArgument));
}

TEST_F(PrefixStoreTest, UploadErrorsNameTheCallersKey) {
  ASSERT_TRUE(put_one(store, item("a", "x")).ok());
  const auto outcome = store.start_upload(ObjectKey("a"), "", {})->finish(Condition::absent(), {});
  ASSERT_TRUE(outcome.is(ErrorCode::AlreadyExists));
  EXPECT_EQ(outcome.error().key(), "a");
}

TEST(PrefixStore, RefusesWhatCannotBeAPrefix) {
  const auto memory = std::make_shared<MemoryStore>();
  for (const std::string bad : {"", "/", "a/", "/a", "a//b", "..", "a/../b"}) {
    EXPECT_THROW(PrefixStore(memory, bad), InvalidArgument) << bad;
  }
  const std::string longest = std::string(199, 'a') + "/" + std::string(100, 'b');
  EXPECT_NO_THROW(PrefixStore(memory, longest));
  EXPECT_THROW(PrefixStore(memory, longest + "b"), InvalidArgument);
}

TEST(PrefixStore, SaysWhatItIs) {
  const PrefixStore store(std::make_shared<MemoryStore>(), "a/b");
  EXPECT_EQ(store.capabilities().stack, "prefix(a/b) > memory");
  EXPECT_FALSE(store.capabilities().durable);
}

}  // namespace
}  // namespace stepstore
