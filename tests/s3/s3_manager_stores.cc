// The stores that the StorageManager suite runs over here: an S3 store on each server.
#include "manager/manager_fixture.h"
#include "tests/s3/test_servers.h"

namespace stepstore {
namespace {

// What cannot hold in a bucket that does not judge conditions, which the probe says.
const std::map<std::string, std::string> kNeedsConditions{
    {"StoreStep.ComesBackToTheByte", "components get names of their own"},
    {"StoreStep.NamesScreenshotsByTheirContent", "components get names of their own"},
    {"Care.DamageIsFoundAndNotServed", "components get names of their own"},
    {"Trace.RemovalThatLandsLate", "components get names of their own"},
    {"Race.OneOfManyCreatesTheStep", "two creates can win"},
    {"Race.ManyStoresMakeAsManyVersions", "two swaps can win"},
};

}  // namespace

std::vector<ManagerStore> manager_stores() {
  std::vector<ManagerStore> stores;
  for (const TestServer& server : test_servers()) {
    // Such a server would go on listing sessions that were deleted.
    if (server.versioned && server.has("marker-folders-are-listed")) continue;
    stores.push_back({.name = server.name,
                      .make = [server](Clock&) { return fresh_store(server); },
                      .server_time = true,
                      .leaves_out = server.has("ignores-conditions")
                                        ? kNeedsConditions
                                        : std::map<std::string, std::string>{}});
  }
  return stores;
}

}  // namespace stepstore
