// The S3 store meets the whole contract of ObjectStore on each server, but for what the server is
// documented not to do.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <set>

#include "testing/object_store_conformance.h"
#include "tests/s3/test_servers.h"

namespace stepstore {
namespace {

StoreFactory factory_of(const TestServer& server) {
  return {.name = server.name,
          .make = [server] { return fresh_store(server); },
          .weaker = server.has("ignores-conditions"),
          .guard_is_atomic = false,
          .key_bytes_max = 1'024 - 40 - server.prefix.size()};
}

// What a server is documented not to do (tests/servers/catalogue.py), and the cases about it.
const std::map<std::string, std::vector<std::string>> kLeftOut{
    {"races-may-have-two-winners", {"RaceCreate", "RaceSwap", "RacePublish"}},
    {"lists-temporary-files", {"RaceList"}},
    {"emptied-folders-take-newcomers", {"RaceRemoveAndPut"}}};
// The same, of buckets that keep versions.
const std::map<std::string, std::vector<std::string>> kLeftOutWhenVersioned{
    {"marker-folders-are-listed", {"ListNoEmptyFolders", "RemoveGoneEverywhere"}},
    {"swap-over-marker", {"SwapMissing"}},
    {"no-delete-of-folder-when-versioned", {"RemoveFolderName"}}};

// The cases about what a bucket that does not judge conditions cannot promise.
const std::set<std::string> kNeedsConditions{"CreateOnce",
                                             "CreateEmptyOnce",
                                             "CreateSameBytes",
                                             "SwapRight",
                                             "SwapStale",
                                             "SwapMissing",
                                             "SwapMadeAgain",
                                             "SwapForeignETag",
                                             "BatchJudgedByItem",
                                             "LimitDeadline",
                                             "LimitStop",
                                             "LimitInterrupt",
                                             "PublishEverything",
                                             "PublishFewParts",
                                             "PublishLargeAndEmptyParts",
                                             "PublishTakenPart",
                                             "PublishTakenCommit",
                                             "PublishIntoAFolder",
                                             "PublishAfterARemove",
                                             "PublishPartBelow",
                                             "PublishPartElsewhere",
                                             "PublishSwap",
                                             "PublishSwapMissing",
                                             "PublishConditionalParts",
                                             "RaceCreate",
                                             "RaceSwap",
                                             "RacePublish",
                                             "RaceCommitComesLast",
                                             "RaceListedCommit",
                                             "RemoveThenCreate",
                                             "UploadCreateOnce",
                                             "UploadCreatedMeanwhile",
                                             "UploadSwaps",
                                             "UploadTwoOfOneKey"};
// And on any: S3 does not judge a guard and a commit in one.
const std::string kNeedsAtomicGuard = "RaceGuardSwap";

// The trait for which the case is left out; empty: it is run.
std::string trait_against(const TestServer& server, const std::string& name) {
  for (const auto* table : {&kLeftOut, &kLeftOutWhenVersioned}) {
    if (table == &kLeftOutWhenVersioned && !server.versioned) continue;
    for (const auto& [trait, cases] : *table) {
      if (server.has(trait) && std::ranges::find(cases, name) != cases.end()) return trait;
    }
  }
  return "";
}

std::vector<ConformanceParam> all_cases() {
  std::vector<ConformanceParam> all;
  for (const TestServer& server : test_servers()) {
    for (const ConformanceParam& each : every_case(factory_of(server))) {
      if (trait_against(server, each.which->name).empty()) all.push_back(each);
    }
  }
  return all;
}

// Exactly these: a case that joins them, or whose name changes, has to be written down here.
TEST(S3, LeavesOutOnlyWhatAServerDoesNotDo) {
  for (const TestServer& server : test_servers()) {
    for (const ConformanceCase& each : conformance_cases()) {
      const std::string trait = trait_against(server, each.name);
      if (!trait.empty()) {
        std::cout << server.name << ": without " << each.name << " (" << trait << ")\n";
      }
    }
    std::set<std::string> wanted{kNeedsAtomicGuard};
    if (server.has("ignores-conditions")) {
      wanted.insert(kNeedsConditions.begin(), kNeedsConditions.end());
    }
    const std::vector<std::string> left_out = cases_left_out(factory_of(server));
    for (const std::string& name : left_out) {
      std::cout << server.name << ": without " << name << " (it declares no such promise)\n";
    }
    EXPECT_EQ(std::set<std::string>(left_out.begin(), left_out.end()), wanted) << server.name;
  }
}

TEST(S3, LeavesOutCasesThatThereAre) {
  for (const auto* table : {&kLeftOut, &kLeftOutWhenVersioned}) {
    for (const auto& [trait, cases] : *table) {
      for (const std::string& name : cases) EXPECT_NO_THROW((void)conformance_case(name)) << trait;
    }
  }
}

std::string name_of(const testing::TestParamInfo<ConformanceParam>& info) {
  return info.param.factory->name + "_" + info.param.which->name;
}

INSTANTIATE_TEST_SUITE_P(S3, ObjectStoreConformance, testing::ValuesIn(all_cases()), name_of);

}  // namespace
}  // namespace stepstore
