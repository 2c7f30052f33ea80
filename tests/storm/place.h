// Where a storm takes place: a store by its URI, also without the manager in front of it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "stepstore/stepstore.h"

namespace stepstore::storm {

// The same objects that StorageManager(uri) works with.
std::shared_ptr<ObjectStore> open_objects(const std::string& uri);

// A prefix below the URI's that nobody has used.
std::string with_fresh_prefix(const std::string& uri);

struct Place {
  std::string uri;
  // The server is known to let two writers win once in a while (tests/servers/catalogue.py), which
  // the store can hardly find out.
  bool two_winners = false;
};

// The buckets of STEPSTORE_TEST_SERVERS, those that keep versions included. Throws
// std::runtime_error when it is not set.
std::vector<Place> server_places();

}  // namespace stepstore::storm
