// doctor finds what a store does not do by the row that is about it, tells a passing failure from a
// verdict, ends when it is told to, and leaves nothing behind.
#include "check/doctor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <functional>
#include <mutex>
#include <thread>

#include "base/errors.h"
#include "layout/keys.h"
#include "model/format_marker.h"
#include "store/local/local_store.h"
#include "store/memory_store.h"
#include "testing/fakes.h"

namespace stepstore {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Verdict = DoctorRow::Verdict;

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
    return good.get(items, limits);
  }
  std::vector<Result<ObjectInfo>> head(std::span<const ObjectKey> keys,
                                       const CallLimits& limits) override {
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

  SetClock clock;
  MemoryStore good{clock};
};

class DoctorTest : public testing::Test {
 protected:
  DoctorReport examine(ObjectStore& store, const DoctorOptions& options = {},
                       const CallLimits& limits = {}) {
    return examine_store(store, nullptr, clock, random, options, limits);
  }
  static DoctorRow row(const DoctorReport& report, std::string_view name) {
    const auto found = std::ranges::find(report.rows, name, &DoctorRow::name);
    if (found == report.rows.end()) {
      ADD_FAILURE() << "there is no row " << name;
      return {};
    }
    return *found;
  }
  static std::vector<std::string> without_a_yes(const DoctorReport& report) {
    std::vector<std::string> names;
    for (const DoctorRow& each : report.rows) {
      if (each.verdict != Verdict::yes) names.push_back(each.name + ": " + each.seen);
    }
    return names;
  }
  static std::vector<std::string> keys_in(ObjectStore& store) {
    std::vector<std::string> keys;
    for (const ObjectInfo& each : list_all(store, {})) keys.push_back(each.key.text());
    return keys;
  }

  SetClock clock;
  SeededRandom random{1};
};

TEST_F(DoctorTest, FindsNothingWrongWithAGoodStoreAndLeavesItEmpty) {
  MemoryStore store(clock);
  const DoctorReport report = examine(store);
  EXPECT_THAT(without_a_yes(report), IsEmpty());
  EXPECT_TRUE(report.fit());
  EXPECT_GE(report.rows.size(), 20U);
  EXPECT_THAT(report.left_behind, IsEmpty());
  EXPECT_EQ(report.server, "");
  EXPECT_THAT(keys_in(store), IsEmpty());
}

TEST_F(DoctorTest, LeavesADirectoryAsItWas) {
  std::string name = testing::TempDir() + "doctor-XXXXXX";
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  {
    LocalStore store(name + "/store", {.fsync = false});
    ASSERT_TRUE(put_one(store, {.key = ObjectKey("s/1/step.json"), .body = "kept"}).ok());
    const DoctorReport report =
        examine_store(store, nullptr, system_clock(), system_random(), {}, {});
    EXPECT_THAT(without_a_yes(report), IsEmpty());
    EXPECT_THAT(keys_in(store), testing::ElementsAre("s/1/step.json"));
  }
  EXPECT_FALSE(std::filesystem::exists(name + "/store/.stepstore/probe"));
  std::filesystem::remove_all(name);
}

TEST_F(DoctorTest, RowsHaveNamesOfTheirOwnAndAreToldOneByOne) {
  MemoryStore store(clock);
  std::vector<std::string> asked;
  DoctorOptions options;
  options.progress = [&](std::string_view name, std::size_t done, std::size_t total) {
    EXPECT_EQ(done, asked.size());
    EXPECT_GT(total, done);
    asked.emplace_back(name);
  };
  const DoctorReport report = examine(store, options);
  ASSERT_EQ(asked.size(), report.rows.size());
  for (std::size_t i = 0; i < asked.size(); ++i) EXPECT_EQ(asked[i], report.rows[i].name);
  std::ranges::sort(asked);
  EXPECT_EQ(std::ranges::adjacent_find(asked), asked.end());
}

TEST_F(DoctorTest, WritesOnlyBelowItsOwnFolder) {
  class NotesKeys final : public BentStore {
   public:
    std::vector<Result<ETag>> put(std::span<const PutRequest> items,
                                  const CallLimits& limits) override {
      for (const PutRequest& item : items) note(item.key);
      return good.put(items, limits);
    }
    PublishResult publish(const PublishRequest& request, const CallLimits& limits) override {
      for (const PutRequest& part : request.parts) note(part.key);
      note(request.commit.key);
      return good.publish(request, limits);
    }
    std::unique_ptr<Upload> start_upload(const ObjectKey& key, const std::string& content_type,
                                         const CallLimits& limits) override {
      note(key);
      return good.start_upload(key, content_type, limits);
    }
    void note(const ObjectKey& key) {
      const std::lock_guard lock(mutex);
      keys.push_back(key.text());
    }
    std::mutex mutex;
    std::vector<std::string> keys;
  } store;
  examine(store);
  ASSERT_THAT(store.keys, Not(IsEmpty()));
  const std::string folder = store.keys[0].substr(0, store.keys[0].rfind('/') + 1);
  EXPECT_THAT(folder, testing::StartsWith(std::string(kSystemPrefix) + "probe/"));
  EXPECT_THAT(store.keys, Each(testing::StartsWith(folder)));
}

// --- What a store may do wrong

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
      // The other 31 have looked, too, by then: they only wait for each other.
      for (int i = 0; i < 200; ++i) std::this_thread::yield();
      item.condition = {};
      outcomes.push_back(put_one(good, item, limits));
    }
    return outcomes;
  }
};

TEST_F(DoctorTest, FindsCreatesThatTwoWritersWin) {
  LooksThenWrites store;
  const DoctorReport report = examine(store);
  EXPECT_EQ(row(report, "create-if-absent").verdict, Verdict::yes);
  const DoctorRow race = row(report, "create-race");
  EXPECT_EQ(race.verdict, Verdict::no) << race.seen;
  EXPECT_THAT(race.seen, HasSubstr("threads that created one object: expected 1"));
  EXPECT_THAT(race.advice, HasSubstr("one process at a time"));
  EXPECT_FALSE(report.fit());
}

class IgnoresConditions : public BentStore {
 public:
  std::vector<Result<ETag>> put(std::span<const PutRequest> items,
                                const CallLimits& limits) override {
    std::vector<PutRequest> plain(items.begin(), items.end());
    for (PutRequest& item : plain) item.condition = {};
    return good.put(plain, limits);
  }
};

TEST_F(DoctorTest, FindsConditionsThatAreIgnored) {
  IgnoresConditions store;
  const DoctorReport report = examine(store);
  EXPECT_EQ(row(report, "create-if-absent").verdict, Verdict::no);
  EXPECT_EQ(row(report, "swap-if-unchanged").verdict, Verdict::no);
  EXPECT_FALSE(report.fit());
}

TEST_F(DoctorTest, WhatAStoreDoesNotClaimIsWeakerAndNotUnfit) {
  class ClaimsNothing final : public IgnoresConditions {
   public:
    Capabilities capabilities() const override {
      Capabilities told = good.capabilities();
      told.create_if_absent = told.swap_if_unchanged = false;
      return told;
    }
  } store;
  const DoctorReport report = examine(store);
  const DoctorRow create = row(report, "create-if-absent");
  EXPECT_EQ(create.verdict, Verdict::no);
  EXPECT_FALSE(create.needed);
  EXPECT_THAT(create.advice, HasSubstr("one process at a time"));
  EXPECT_TRUE(report.fit());
}

TEST_F(DoctorTest, FindsAListingThatIsLate) {
  class ListsLate final : public BentStore {
   public:
    ListPage list(const ListRequest& request, const CallLimits& limits) override {
      ListPage page = good.list(request, limits);
      std::swap(page, before_);
      return page;
    }

   private:
    ListPage before_{};
  } store;
  const DoctorReport report = examine(store);
  EXPECT_EQ(row(report, "list-after-put").verdict, Verdict::no);
  EXPECT_FALSE(report.fit());
}

TEST_F(DoctorTest, FindsReadersOfHalfAnObject) {
  class WritesInPlace final : public BentStore {
   public:
    std::vector<Result<ETag>> put(std::span<const PutRequest> items,
                                  const CallLimits& limits) override {
      for (const PutRequest& item : items) {
        if (item.condition.kind != Condition::Kind::none || item.body.size() < 1'000) continue;
        const auto old = get_one(good, item.key);
        if (!old) continue;
        // The new beginning, and behind it what the old one had there.
        std::string half(item.body.text().substr(0, item.body.size() / 2));
        if (old->body.size() > half.size()) half += old->body.text().substr(half.size());
        (void)put_one(good, {.key = item.key, .body = half});
        for (int i = 0; i < 200; ++i) std::this_thread::yield();
      }
      return good.put(items, limits);
    }
  } store;
  const DoctorReport report = examine(store);
  EXPECT_EQ(row(report, "overwrite-atomic").verdict, Verdict::no);
  EXPECT_FALSE(report.fit());
}

TEST_F(DoctorTest, AFailureThatPassesIsNoVerdict) {
  class BusyWithRanges final : public BentStore {
   public:
    std::vector<Result<Object>> get(std::span<const GetRequest> items,
                                    const CallLimits& limits) override {
      auto outcomes = good.get(items, limits);
      for (std::size_t i = 0; i < items.size(); ++i) {
        if (!items[i].range) continue;
        outcomes[i] = error(ErrorCode::Throttled, "get", items[i].key.text(), "too busy");
      }
      return outcomes;
    }
  } store;
  const DoctorReport report = examine(store);
  const DoctorRow ranges = row(report, "ranges");
  EXPECT_EQ(ranges.verdict, Verdict::unknown);
  EXPECT_THAT(ranges.seen, HasSubstr("too busy"));
  EXPECT_FALSE(ranges.advice.empty());
  EXPECT_EQ(row(report, "put-get").verdict, Verdict::yes);
  EXPECT_FALSE(report.fit()) << "nobody knows whether it is";
}

class Denies : public BentStore {
 public:
  explicit Denies(bool reads) : reads_(reads) {}
  std::vector<Result<ETag>> put(std::span<const PutRequest> items, const CallLimits&) override {
    return std::vector<Result<ETag>>(items.size(), denied("put"));
  }
  PublishResult publish(const PublishRequest& request, const CallLimits&) override {
    return {.parts = std::vector<Result<ETag>>(request.parts.size(), denied("publish"))};
  }
  std::unique_ptr<Upload> start_upload(const ObjectKey&, const std::string&,
                                       const CallLimits&) override {
    denied("upload").raise();
  }
  std::vector<Result<ObjectInfo>> head(std::span<const ObjectKey> keys,
                                       const CallLimits& limits) override {
    if (reads_) return good.head(keys, limits);
    return std::vector<Result<ObjectInfo>>(keys.size(), denied("head"));
  }
  std::vector<Result<Object>> get(std::span<const GetRequest> items,
                                  const CallLimits& limits) override {
    if (reads_) return good.get(items, limits);
    return std::vector<Result<Object>>(items.size(), denied("get"));
  }
  ListPage list(const ListRequest& request, const CallLimits& limits) override {
    if (!reads_) denied("list").raise();
    return good.list(request, limits);
  }

 private:
  static StorageManagerError denied(std::string_view operation) {
    return error(ErrorCode::PermissionDenied, operation, "", "access was denied",
                 "Give this user the rights.");
  }
  const bool reads_;
};

TEST_F(DoctorTest, WhoMayOnlyReadIsToldSoByEachRow) {
  Denies store(true);
  const DoctorReport report = examine(store);
  const DoctorRow put = row(report, "put-get");
  EXPECT_EQ(put.verdict, Verdict::no);
  EXPECT_THAT(put.seen, HasSubstr("access was denied"));
  EXPECT_EQ(put.advice, "Give this user the rights.");
  EXPECT_FALSE(report.fit());
}

TEST_F(DoctorTest, ThrowsWhereNothingCanBeTried) {
  Denies store(false);
  try {
    examine(store);
    FAIL() << "it found something to ask";
  } catch (const PermissionDenied& denied) {
    EXPECT_EQ(denied.advice(), "Give this user the rights.");
  }
}

TEST_F(DoctorTest, AFormatOfALaterReleaseIsNotFit) {
  MemoryStore store(clock);
  const std::string later = to_json(FormatMarker{.reader_min = 1, .writer_min = kFormatMajor + 1});
  ASSERT_TRUE(put_one(store, {.key = format_marker_key(), .body = later}).ok());
  const DoctorReport report = examine(store);
  EXPECT_EQ(row(report, "format").verdict, Verdict::no);
  EXPECT_THAT(row(report, "format").advice, HasSubstr("newer stepstore"));
  EXPECT_FALSE(report.fit());
}

// --- How it ends

TEST_F(DoctorTest, EndsWhenItIsStoppedAndTidiesUp) {
  MemoryStore store(clock);
  std::stop_source stop;
  DoctorOptions options;
  options.progress = [&](std::string_view name, std::size_t, std::size_t) {
    if (name == "list-order") stop.request_stop();
  };
  EXPECT_THROW(examine(store, options, {.stop = stop.get_token()}), Cancelled);
  EXPECT_THAT(keys_in(store), IsEmpty());
}

TEST_F(DoctorTest, EndsInTheMiddleOfAQuestionToo) {
  class Stops final : public BentStore {
   public:
    std::vector<Result<ETag>> put(std::span<const PutRequest> items,
                                  const CallLimits& limits) override {
      if (++puts == 40) stop.request_stop();
      return good.put(items, limits);
    }
    std::atomic<int> puts = 0;
    std::stop_source stop;
  } store;
  EXPECT_THROW(examine(store, {}, {.stop = store.stop.get_token()}), Cancelled);
  EXPECT_GE(store.puts, 40);
  EXPECT_THAT(keys_in(store), IsEmpty());
}

TEST_F(DoctorTest, WhatThereWasNoTimeForIsUnknown) {
  MemoryStore store(clock);
  DoctorOptions options;
  options.progress = [&](std::string_view name, std::size_t, std::size_t) {
    if (name == "list-order") clock.advance(std::chrono::hours(2));
  };
  const DoctorReport report =
      examine(store, options, {.deadline = clock.steady_now() + std::chrono::hours(1)});
  EXPECT_EQ(row(report, "put-get").verdict, Verdict::yes);
  const DoctorRow late = row(report, "commit-last");
  EXPECT_EQ(late.verdict, Verdict::unknown);
  EXPECT_THAT(late.seen, HasSubstr("no time left"));
  EXPECT_FALSE(report.fit());
  EXPECT_THAT(keys_in(store), IsEmpty());
}

TEST_F(DoctorTest, TellsWhatItCouldNotRemove) {
  class KeepsAll final : public BentStore {
   public:
    std::vector<Result<Done>> remove(std::span<const ObjectKey> keys, const CallLimits&) override {
      return std::vector<Result<Done>>(keys.size(), error(ErrorCode::PermissionDenied, "remove",
                                                          keys[0].text(), "access was denied"));
    }
  } store;
  const DoctorReport report = examine(store);
  EXPECT_EQ(row(report, "remove").verdict, Verdict::no);
  ASSERT_THAT(report.left_behind, Not(IsEmpty()));
  EXPECT_THAT(report.left_behind, Each(HasSubstr("access was denied")));
  EXPECT_EQ(report.left_behind.size(), keys_in(store).size());
}

TEST_F(DoctorTest, RemovesOneByOneWhereTheyCannotBeRemovedTogether) {
  class NoBulk final : public BentStore {
   public:
    std::vector<Result<Done>> remove(std::span<const ObjectKey> keys,
                                     const CallLimits& limits) override {
      if (keys.size() == 1) return good.remove(keys, limits);
      return std::vector<Result<Done>>(
          keys.size(), error(ErrorCode::Unsupported, "remove", "", "no bulk delete"));
    }
  } store;
  const DoctorReport report = examine(store);
  EXPECT_EQ(row(report, "remove").verdict, Verdict::no);
  EXPECT_THAT(report.left_behind, IsEmpty());
  EXPECT_THAT(keys_in(store), IsEmpty());
}

}  // namespace
}  // namespace stepstore
