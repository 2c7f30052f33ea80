#include "tests/storm/place.h"

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <set>
#include <stdexcept>

#include "http/client.h"
#include "open/s3_settings.h"
#include "open/uri.h"
#include "store/local/local_store.h"
#include "store/prefix_store.h"
#include "store/s3/s3_store.h"

namespace stepstore::storm {

std::shared_ptr<ObjectStore> open_objects(const std::string& uri) {
  const StoreUri parsed = parse_store_uri(uri);
  if (parsed.scheme == StoreUri::Scheme::local) {
    return std::make_shared<LocalStore>(parsed.path, LocalStoreOptions{.fsync = false});
  }
  const S3Settings settings =
      s3_settings(parsed, {}, [](std::string_view name) -> std::optional<std::string> {
        const char* const value = std::getenv(std::string(name).c_str());
        return value == nullptr ? std::nullopt : std::optional<std::string>(value);
      });
  auto client = std::make_shared<s3::Client>(
      settings.client, std::make_shared<http::Client>(settings.network.http, system_clock()),
      settings.credentials, system_clock(), system_random());
  return std::make_shared<PrefixStore>(
      std::make_shared<S3Store>(std::move(client), S3StoreOptions{.prefix = settings.prefix},
                                system_clock(), system_random()),
      settings.prefix);
}

std::string with_fresh_prefix(const std::string& uri) {
  const std::size_t end = std::min(uri.find('?'), uri.size());
  const std::string slash = uri[end - 1] == '/' ? "" : "/";
  std::random_device device;
  return uri.substr(0, end) + slash + "storm-" + std::to_string(device()) +
         std::to_string(device()) + uri.substr(end);
}

std::vector<Place> server_places() {
  const char* const text = std::getenv("STEPSTORE_TEST_SERVERS");
  if (text == nullptr) {
    throw std::runtime_error("--servers: run this by tests/servers/servers.py run NAME... --");
  }
  std::vector<Place> places;
  for (const auto& each : nlohmann::json::parse(text)) {
    const std::string uri = each.at("uri"), bucket = "s3://" + each.at("bucket").get<std::string>();
    const auto traits = each.at("traits").get<std::set<std::string>>();
    const bool two_winners = traits.contains("races-may-have-two-winners");
    places.push_back({uri, two_winners});
    if (each.contains("versioned_bucket") && each.at("versioned_bucket").is_string()) {
      places.push_back(
          {"s3://" + each.at("versioned_bucket").get<std::string>() + uri.substr(bucket.size()),
           two_winners});
    }
  }
  return places;
}

}  // namespace stepstore::storm
