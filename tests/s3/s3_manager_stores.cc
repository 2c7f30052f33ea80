// The stores that the StorageManager suite runs over here: an S3 store on each server.
#include "manager/manager_fixture.h"
#include "tests/s3/test_servers.h"

namespace stepstore {

std::vector<ManagerStore> manager_stores() {
  std::vector<ManagerStore> stores;
  for (const TestServer& server : test_servers()) {
    // Such a server would go on listing sessions that were deleted; and without conditions races
    // have more than one winner, as the probe says.
    if (server.has("ignores-conditions")) continue;
    if (server.versioned && server.has("marker-folders-are-listed")) continue;
    stores.push_back({.name = server.name,
                      .make = [server](Clock&) { return fresh_store(server); },
                      .server_time = true});
  }
  return stores;
}

}  // namespace stepstore
