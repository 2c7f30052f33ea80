// The S3 servers that these tests run against: those that STEPSTORE_TEST_SERVERS names
// (tests/servers/servers.py sets it); without it, servers of the project's own, in this process.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "http/transport.h"
#include "s3/client.h"
#include "store/s3/s3_store.h"

namespace stepstore {

struct TestServer {
  std::string name;  // with "_versioned" for the same server's bucket that keeps versions
  http::Endpoint endpoint;
  std::string region, bucket, access_key, secret_key;
  std::string session_token{};
  std::string prefix{};  // everything goes below it: empty, or ends with a slash
  std::set<std::string> traits;
  bool versioned = false;

  bool has(const std::string& trait) const { return traits.contains(trait); }
};

const std::vector<TestServer>& test_servers();

// A client of the server's bucket. Those without `own_connections` share them.
std::shared_ptr<s3::Client> client_of(const TestServer& server, bool own_connections = false);
// An empty store, below a prefix that nobody has used.
std::shared_ptr<ObjectStore> fresh_store(const TestServer& server);
// Another handle on that store, with connections and knowledge of its own.
std::shared_ptr<ObjectStore> reopened(const TestServer& server, const std::string& prefix);
std::string fresh_prefix(const TestServer& server);

}  // namespace stepstore
