// The conformance checks catch stores that break the contract, each by a case that is named here.
#include "check/conformance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <set>
#include <thread>

#include "base/errors.h"
#include "store/memory_store.h"

namespace stepstore {
namespace {

// A memory store whose calls a fault may bend; what is not bent goes through.
class BentStore : public ObjectStore {
 public:
  std::vector<Result<ETag>> put(std::span<const PutRequest> items,
                                const CallLimits& limits) override {
    return good.put(items, limits);
  }
  PublishResult publish(const PublishRequest& request, const CallLimits& limits) override {
    return good.publish(request, limits);
  }
  std::vector<Result<Object>> get(std::span<const GetRequest> items,
                                  const CallLimits& limits) override {
    ++reads_;
    return good.get(items, limits);
  }
  std::vector<Result<ObjectInfo>> head(std::span<const ObjectKey> keys,
                                       const CallLimits& limits) override {
    ++reads_;
    return good.head(keys, limits);
  }
  ListPage list(const ListRequest& request, const CallLimits& limits) override {
    return good.list(request, limits);
  }
  std::vector<Result<Done>> remove(std::span<const ObjectKey> keys,
                                   const CallLimits& limits) override {
    return good.remove(keys, limits);
  }
  std::unique_ptr<Upload> start_upload(const ObjectKey& key, const std::string& content_type,
                                       const CallLimits& limits) override {
    return good.start_upload(key, content_type, limits);
  }
  Capabilities capabilities() const override { return good.capabilities(); }

 protected:
  // Lets other threads read in the middle of a write, if there are any.
  void wait_for_readers() {
    const std::size_t before = reads_;
    for (int i = 0; i < 5'000 && reads_ < before + 8; ++i) std::this_thread::yield();
  }

  MemoryStore good;

 private:
  std::atomic<std::size_t> reads_ = 0;
};

// What the case says of the store; empty: it is content.
std::string verdict(ObjectStore& store, std::string_view name,
                    const ConformanceOptions& options = {}) {
  try {
    run_conformance_case(conformance_case(name), store, options);
  } catch (const ConformanceFailure& broken) {
    return broken.what();
  }
  return {};
}

template <class Bent>
void expect_caught(std::string_view name, std::string_view because) {
  Bent store;
  const std::string said = verdict(store, name);
  EXPECT_NE(said.find(because), std::string::npos) << name << " said: '" << said << "'";
  EXPECT_NE(said.find("(seed 1)"), std::string::npos) << said;
  MemoryStore good;
  EXPECT_EQ(verdict(good, name), "");
}

// Looks whether the key is there, then writes: two threads may both find it absent.
class LooksThenWrites final : public BentStore {
 public:
  std::vector<Result<ETag>> put(std::span<const PutRequest> items,
                                const CallLimits& limits) override {
    std::vector<Result<ETag>> outcomes;
    for (PutRequest item : items) {
      const auto found = head_one(good, item.key);
      if (item.condition.kind == Condition::Kind::absent && found) {
        outcomes.push_back(error(ErrorCode::AlreadyExists, "put", item.key.text(), "taken"));
        continue;
      }
      if (item.condition.kind == Condition::Kind::unchanged &&
          (!found || found->etag != item.condition.etag)) {
        outcomes.push_back(error(ErrorCode::Conflict, "put", item.key.text(), "changed"));
        continue;
      }
      std::this_thread::yield();
      item.condition = {};
      outcomes.push_back(put_one(good, item, limits));
    }
    return outcomes;
  }
};

TEST(Conformance, CatchesACreateThatIsNotAtomic) {
  expect_caught<LooksThenWrites>("RaceCreate", "threads that created one object: expected 1");
}

TEST(Conformance, CatchesASwapThatIsNotAtomic) {
  expect_caught<LooksThenWrites>("RaceSwap", "a counter that is only swapped");
}

class IgnoresConditions final : public BentStore {
 public:
  std::vector<Result<ETag>> put(std::span<const PutRequest> items,
                                const CallLimits& limits) override {
    std::vector<PutRequest> plain(items.begin(), items.end());
    for (PutRequest& item : plain) item.condition = {};
    return good.put(plain, limits);
  }
};

TEST(Conformance, CatchesConditionsThatAreIgnored) {
  expect_caught<IgnoresConditions>("CreateOnce", "creating what is there: succeeded");
  expect_caught<IgnoresConditions>("SwapStale", "a swap with a stale ETag: succeeded");
  expect_caught<IgnoresConditions>("SwapMissing", "a swap of a removed object: succeeded");
  expect_caught<IgnoresConditions>("BatchJudgedByItem", "create of a taken key: succeeded");
}

// Orders '/' before every other byte, as a walk of a directory tree does.
class ListsByFolder final : public BentStore {
 public:
  ListPage list(const ListRequest& request, const CallLimits& limits) override {
    ListPage page = good.list(request, limits);
    const auto by_folder = [](std::string text) {
      std::ranges::replace(text, '/', '\1');
      return text;
    };
    std::ranges::sort(page.objects, {},
                      [&](const ObjectInfo& one) { return by_folder(one.key.text()); });
    return page;
  }
};

TEST(Conformance, CatchesAnOrderByFolder) {
  expect_caught<ListsByFolder>("ListOrder", "not in order");
}

// Its ETag is made of the size, so that two bodies may share one.
class RepeatsETags final : public BentStore {
 public:
  std::vector<Result<ETag>> put(std::span<const PutRequest> items,
                                const CallLimits& limits) override {
    auto outcomes = good.put(items, limits);
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (outcomes[i]) outcomes[i] = ETag(std::to_string(items[i].body.size()));
    }
    return outcomes;
  }
};

TEST(Conformance, CatchesETagsThatComeBack) {
  expect_caught<RepeatsETags>("ETagChanges", "an ETag came back");
  expect_caught<RepeatsETags>("ETagAgrees", "ETag told by get");
}

class LosesTheGuard final : public BentStore {
 public:
  PublishResult publish(const PublishRequest& request, const CallLimits& limits) override {
    return good.publish({.parts = request.parts, .guard = {}, .commit = request.commit}, limits);
  }
};

TEST(Conformance, CatchesAGuardThatIsLost) {
  expect_caught<LosesTheGuard>("GuardAbsentButThere", "the guard held");
  expect_caught<LosesTheGuard>("GuardJudgedFalse", "the guard held");
  expect_caught<LosesTheGuard>("RaceGuardSwap", "after its swap was acknowledged");
}

// Reads the guard, then commits: a swap may come in between.
class JudgesThenCommits final : public BentStore {
 public:
  PublishResult publish(const PublishRequest& request, const CallLimits& limits) override {
    PublishResult result = good.publish(request, limits);
    if (!request.guard || !result.commit || !*result.commit) return result;
    // Takes the commit back and makes it again, which is a commit without its guard.
    (void)remove_one(good, request.commit.key);
    for (int i = 0; i < 300; ++i) std::this_thread::yield();
    result.commit = put_one(good, request.commit, limits);
    return result;
  }
};

TEST(Conformance, CatchesAGuardThatIsNotAtomic) {
  expect_caught<JudgesThenCommits>("RaceGuardSwap", "after its swap was acknowledged");
}

class CommitsFirst final : public BentStore {
 public:
  PublishResult publish(const PublishRequest& request, const CallLimits& limits) override {
    PublishResult result;
    result.commit = put_one(good, request.commit, limits);
    wait_for_readers();
    result.parts = good.put(request.parts, limits);
    return result;
  }
};

TEST(Conformance, CatchesACommitBeforeItsParts) {
  expect_caught<CommitsFirst>("RaceCommitComesLast", "s/");
  expect_caught<CommitsFirst>("PublishTakenPart", "the commit was tried though a part was refused");
}

// Writes the first half, then the whole.
class WritesInTwo final : public BentStore {
 public:
  std::vector<Result<ETag>> put(std::span<const PutRequest> items,
                                const CallLimits& limits) override {
    std::vector<PutRequest> halves(items.begin(), items.end());
    for (PutRequest& item : halves) item.body = item.body.slice(0, item.body.size() / 2);
    (void)good.put(halves, limits);
    wait_for_readers();
    return good.put(items, limits);
  }
};

TEST(Conformance, CatchesHalfABody) {
  expect_caught<WritesInTwo>("RaceOverwrite", "size of a body");
}

class IgnoresLimits final : public BentStore {
 public:
  std::vector<Result<ETag>> put(std::span<const PutRequest> items, const CallLimits&) override {
    return good.put(items, {});
  }
};

TEST(Conformance, CatchesLimitsThatAreIgnored) {
  expect_caught<IgnoresLimits>("LimitDeadline", "put: succeeded, expected Timeout");
  expect_caught<IgnoresLimits>("LimitStopIsThrown", "put: not ended, expected Cancelled");
}

// Ends a page at "x/" and begins the next behind every key that could follow, one too far.
class SkipsTheNeighbour final : public BentStore {
 public:
  ListPage list(const ListRequest& request, const CallLimits& limits) override {
    ListPage page = good.list(request, limits);
    if (page.next.ends_with('/')) page.next.back() = '0';
    return page;
  }
};

TEST(Conformance, CatchesAPageThatSkipsANeighbour) {
  expect_caught<SkipsTheNeighbour>("PageLimitCountsBoth", "listing: expected");
  expect_caught<SkipsTheNeighbour>("PagesOfAnySize", "pages of 1, delimited: expected");
}

class FoldsCase final : public BentStore {
 public:
  std::vector<Result<ETag>> put(std::span<const PutRequest> items,
                                const CallLimits& limits) override {
    std::vector<PutRequest> folded(items.begin(), items.end());
    for (PutRequest& item : folded) {
      std::string text = item.key.text();
      const std::size_t name = text.rfind('/');
      std::transform(text.begin() + static_cast<std::ptrdiff_t>(name), text.end(),
                     text.begin() + static_cast<std::ptrdiff_t>(name),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      item.key = ObjectKey(text);
    }
    return good.put(folded, limits);
  }
};

TEST(Conformance, CatchesKeysWhoseCaseIsFolded) {
  expect_caught<FoldsCase>("KeyCaseTwins", "NotFound");
}

TEST(Conformance, CasesHaveNamesOfTheirOwnAndSayWhatTheyShow) {
  std::set<std::string> names;
  for (const ConformanceCase& which : conformance_cases()) {
    EXPECT_TRUE(names.insert(which.name).second) << which.name;
    EXPECT_FALSE(which.shows.empty()) << which.name;
  }
  EXPECT_GE(names.size(), 45U);
  EXPECT_THROW(conformance_case("NoSuchCase"), std::out_of_range);
}

TEST(Conformance, LeavesNothingBehindAndTouchesNothingElse) {
  MemoryStore store;
  const PutRequest mine{.key = ObjectKey("mine"), .body = "x"};
  ASSERT_TRUE(put_one(store, mine).ok());
  EXPECT_EQ(verdict(store, "KeyOwnFolderAtTheTop"), "");
  EXPECT_EQ(verdict(store, "ListOrder"), "");
  IgnoresConditions bent;
  EXPECT_NE(verdict(bent, "CreateOnce"), "");
  EXPECT_EQ(list_all(store, {}).size(), 1U);
  EXPECT_TRUE(list_all(bent, {}).empty()) << "a case that failed left its objects";
}

TEST(Conformance, RefusesAFolderThatIsInUse) {
  MemoryStore store;
  const PutRequest foreign{.key = ObjectKey("conformance-7/ListOrder/x"), .body = "x"};
  ASSERT_TRUE(put_one(store, foreign).ok());
  EXPECT_NE(verdict(store, "ListOrder", {.seed = 7}).find("already"), std::string::npos);
  EXPECT_EQ(verdict(store, "ListOrder", {.seed = 8}), "");
  EXPECT_EQ(list_all(store, {}).size(), 1U) << "a foreign object was removed";
}

TEST(Conformance, AppliesToWhatAStoreClaims) {
  class Weak final : public BentStore {
   public:
    Capabilities capabilities() const override {
      return {.stack = "weak", .create_if_absent = false, .swap_if_unchanged = false};
    }
  } weak;
  const MemoryStore good;
  EXPECT_TRUE(applies(conformance_case("SameBytes"), weak, {}));
  EXPECT_FALSE(applies(conformance_case("RaceCreate"), weak, {}));
  EXPECT_FALSE(applies(conformance_case("RaceSwap"), weak, {}));
  EXPECT_TRUE(applies(conformance_case("RaceGuardSwap"), good, {}));
  EXPECT_FALSE(applies(conformance_case("RaceGuardSwap"), good, {.guard_is_atomic = false}));
}

}  // namespace
}  // namespace stepstore
