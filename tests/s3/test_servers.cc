#include "tests/s3/test_servers.h"

#include <cstdlib>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/ulid.h"
#include "http/client.h"
#include "http/url.h"
#include "store/prefix_store.h"
#include "testing/fault_server/fault_server.h"
#include "tests/canary/canary.h"

namespace stepstore {
namespace {

// Never stopped: they end with the process.
TestServer start_own(const std::string& name, const fault::Dialect& dialect,
                     std::set<std::string> traits) {
  auto* const server =
      new fault::FaultServer({.service = {.dialect = dialect}, .keep_journal = false});
  return {.name = name,
          .endpoint = http::parse_url(server->endpoint()).endpoint,
          .region = "us-east-1",
          .bucket = "checkpoints",
          .access_key = "any",
          .secret_key = canary(),
          .session_token = canary(),
          .traits = std::move(traits)};
}

std::vector<TestServer> own_servers() {
  return {start_own("own", {}, {}),
          start_own("own_like_ceph",
                    {.bare_if_match_only = true,
                     .ignores_completion_conditions = true,
                     .ignores_encoding_type = true,
                     .ignores_checksums = true},
                    {}),
          start_own("own_without_conditions",
                    {.ignores_if_none_match = true,
                     .ignores_if_match = true,
                     .ignores_completion_conditions = true},
                    {"ignores-conditions"})};
}

std::vector<TestServer> read_servers(const char* text) {
  std::vector<TestServer> servers;
  for (const nlohmann::json& each : nlohmann::json::parse(text)) {
    TestServer server{.name = each.at("name"),
                      .endpoint = http::parse_url(each.at("endpoint").get<std::string>()).endpoint,
                      .region = each.at("region"),
                      .bucket = each.at("bucket"),
                      .access_key = each.at("access_key"),
                      .secret_key = each.at("secret_key"),
                      .session_token = each.value("session_token", ""),
                      .prefix = each.value("prefix", ""),
                      .traits = each.at("traits").get<std::set<std::string>>()};
    servers.push_back(server);
    if (each.contains("versioned_bucket") && each.at("versioned_bucket").is_string()) {
      server.name += "_versioned";
      server.bucket = each.at("versioned_bucket");
      server.versioned = true;
      // In such a bucket these do not enforce conditions.
      if (server.has("ignores-conditions-when-versioned"))
        server.traits.insert("ignores-conditions");
      servers.push_back(server);
    }
  }
  return servers;
}

std::shared_ptr<http::Transport> transport_of(const TestServer& server, bool own) {
  const auto make = [] {
    return std::make_shared<http::Client>(http::ClientOptions{}, system_clock());
  };
  if (own) return make();
  static std::mutex mutex;
  static std::map<http::Endpoint, std::shared_ptr<http::Transport>> shared;
  const std::lock_guard lock(mutex);
  auto& transport = shared[server.endpoint];
  if (!transport) transport = make();
  return transport;
}

}  // namespace

const std::vector<TestServer>& test_servers() {
  static const std::vector<TestServer> servers = [] {
    const char* const named = std::getenv("STEPSTORE_TEST_SERVERS");
    return named == nullptr ? own_servers() : read_servers(named);
  }();
  return servers;
}

std::shared_ptr<s3::Client> client_of(const TestServer& server, bool own_connections) {
  return std::make_shared<s3::Client>(
      s3::ClientOptions{
          .endpoint = server.endpoint, .bucket = server.bucket, .region = server.region},
      transport_of(server, own_connections),
      s3::fixed_credentials({.access_key = server.access_key,
                             .secret_key = server.secret_key,
                             .session_token = server.session_token,
                             .source = "the test"}),
      system_clock(), system_random());
}

std::string fresh_prefix(const TestServer& server) {
  return server.prefix + "t/" + make_ulid(system_clock(), system_random());
}

std::shared_ptr<ObjectStore> reopened(const TestServer& server, const std::string& prefix) {
  auto store = std::make_shared<S3Store>(client_of(server), S3StoreOptions{.prefix = prefix},
                                         system_clock(), system_random());
  return std::make_shared<PrefixStore>(std::move(store), prefix);
}

std::shared_ptr<ObjectStore> fresh_store(const TestServer& server) {
  // Where two writers can win once in a while, the probe may happen to see it. It is right then,
  // and the store claims less than what is tested here: so it gets another place to look at.
  const bool may_see_a_race = server.has("races-may-have-two-winners");
  for (int looks = 1;; ++looks) {
    const std::string prefix = fresh_prefix(server);
    auto store = std::make_shared<S3Store>(client_of(server), S3StoreOptions{.prefix = prefix},
                                           system_clock(), system_random());
    const BucketProbe found = store->probe({});
    if (!may_see_a_race || looks == 5 || (found.create_if_absent && found.swap_if_unchanged)) {
      return std::make_shared<PrefixStore>(std::move(store), prefix);
    }
  }
}

}  // namespace stepstore
