// The stores that the StorageManager suite runs over here: an S3 store on each server.
#include "manager/manager_fixture.h"
#include "tests/s3/test_servers.h"

namespace stepstore {
namespace {

using LeftOut = std::map<std::string, std::string>;  // test and reason

// What cannot hold in a bucket that does not judge conditions, which the probe says.
const LeftOut kNeedsConditions{
    {"StoreStep.ComesBackToTheByte", "components get names of their own"},
    {"StoreStep.NamesScreenshotsByTheirContent", "components get names of their own"},
    {"Care.DamageIsFoundAndNotServed", "components get names of their own"},
    {"Trace.RemovalThatLandsLate", "components get names of their own"},
    {"SessionRoots.SayWhereToReadWhenASessionWasRecordedAgain",
     "components get names of their own"},
    {"Delete.OfADeletedStepRemovesWhatWasLeft", "nothing is collected without If-Match"},
    {"Delete.ThatFailsHalfWayHasAnUnknownOutcome", "nothing is collected without If-Match"},
    {"Race.OneOfManyCreatesTheStep", "two creates can win"},
    {"Race.ManyStoresMakeAsManyVersions", "two swaps can win"},
};

// What a server is documented not to do (tests/servers/catalogue.py), and the tests about it.
const std::map<std::string, LeftOut> kLeftOut{
    {"races-may-have-two-winners",
     {{"Race.OneOfManyCreatesTheStep", "races-may-have-two-winners"},
      {"Race.ManyStoresMakeAsManyVersions", "races-may-have-two-winners"}}},
};
// The same, of buckets that keep versions: such a server goes on listing sessions that were
// deleted.
const std::map<std::string, LeftOut> kLeftOutWhenVersioned{
    {"marker-folders-are-listed",
     {{"Delete.OfASessionLeavesNothingInItsFolder", "marker-folders-are-listed"}}},
};

LeftOut left_out_by(const TestServer& server) {
  LeftOut all;
  if (server.has("ignores-conditions")) all = kNeedsConditions;
  for (const auto* table : {&kLeftOut, &kLeftOutWhenVersioned}) {
    if (table == &kLeftOutWhenVersioned && !server.versioned) continue;
    for (const auto& [trait, tests] : *table) {
      if (server.has(trait)) all.insert(tests.begin(), tests.end());
    }
  }
  return all;
}

}  // namespace

std::vector<ManagerStore> manager_stores() {
  std::vector<ManagerStore> stores;
  for (const TestServer& server : test_servers()) {
    stores.push_back({.name = server.name,
                      .make = [server](Clock&) { return fresh_store(server); },
                      .server_time = true,
                      .leaves_out = left_out_by(server)});
  }
  return stores;
}

}  // namespace stepstore
