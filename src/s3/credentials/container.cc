#include "s3/credentials/container.h"

#include <algorithm>
#include <array>

#include "base/errors.h"
#include "http/url.h"
#include "s3/credentials/json_keys.h"
#include "s3/credentials/small_exchange.h"
#include "s3/credentials/token_file.h"

namespace stepstore::s3 {
namespace {

constexpr std::chrono::seconds kTimeout{2};

bool may_be_plain(const http::Endpoint& endpoint) {
  // ECS; EKS Pod Identity, by IPv4 and IPv6.
  constexpr std::array<std::string_view, 3> kAllowed = {"169.254.170.2", "169.254.170.23",
                                                        "fd00:ec2::23"};
  return endpoint.loopback() || std::ranges::find(kAllowed, endpoint.host) != kAllowed.end();
}

http::Url place_of(const Way& way) {
  http::Url url;
  try {
    url = http::parse_url(way.url);
  } catch (const ConfigError& wrong) {
    no_credentials(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI or _RELATIVE_URI: " + std::string(wrong.message()),
        wrong.advice());
  }
  if (!url.endpoint.tls && !may_be_plain(url.endpoint)) {
    no_credentials("the container's credentials endpoint " + url.endpoint.text() +
                       " would send secrets over plain HTTP",
                   "Use https, or an address of this machine, 169.254.170.2, 169.254.170.23 or "
                   "[fd00:ec2::23].");
  }
  return url;
}

// Read anew each time, since it is replaced before it expires.
std::string token_of(const Way& way) {
  if (!way.token_file.empty()) return read_token(way.token_file, way.source);
  const bool fine = std::ranges::all_of(way.token, [](char c) { return c >= ' ' && c < 0x7f; });
  if (!fine) {
    no_credentials("AWS_CONTAINER_AUTHORIZATION_TOKEN holds a character that no token has",
                   "Strip what is not part of it.");
  }
  return way.token;
}

}  // namespace

Credentials ask_container(const CredentialsMeans& means, const Way& way, const CallLimits& limits) {
  const http::Url url = place_of(way);
  SmallExchange exchange{
      .what = "the container's endpoint", .endpoint = url.endpoint, .timeout = kTimeout};
  exchange.request.target = url.path.empty() ? "/" : url.path;
  if (!url.query.empty()) exchange.request.target += '?' + url.query;
  exchange.request.headers = {{"Host", url.endpoint.authority()},
                              {"Accept", "application/json"},
                              {"User-Agent", "stepstore"}};
  if (std::string token = token_of(way); !token.empty()) {
    exchange.request.headers.emplace_back("Authorization", std::move(token));
  }
  const http::Response response = send_small(*means.direct, exchange, means.clock, limits);
  if (response.status != 200) {
    no_credentials("the container's credentials endpoint " + url.endpoint.text() + " answered " +
                       std::to_string(response.status),
                   "Does the task or pod have a role, and is the authorization token current?");
  }
  return parse_keys(response.body.view().text(), KeysDocument::metadata, way.source);
}

}  // namespace stepstore::s3
