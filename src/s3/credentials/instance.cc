#include "s3/credentials/instance.h"

#include <algorithm>

#include "base/errors.h"
#include "http/url.h"
#include "s3/credentials/json_keys.h"
#include "s3/credentials/small_exchange.h"
#include "s3/encode.h"

namespace stepstore::s3 {
namespace {

// The service is on the machine itself. Behind one hop too many (a container's) it never answers.
constexpr std::chrono::seconds kTimeout{1};
constexpr std::string_view kRoles = "/latest/meta-data/iam/security-credentials/";

class Metadata {
 public:
  Metadata(const CredentialsMeans& means, const Way& way, const CallLimits& limits)
      : means_(means), limits_(limits), url_(place_of(way)) {}

  // Empty: the service has no such thing.
  std::string get(const std::string& path) {
    if (token_.empty()) token_ = token();
    const http::Response response = send("GET", path, {"X-aws-ec2-metadata-token", token_});
    if (response.status == 404) return {};
    if (response.status != 200) refused(response.status);
    return std::string(response.body.view().text());
  }

 private:
  static http::Url place_of(const Way& way) {
    try {
      http::Url url = http::parse_url(way.url);
      while (url.path.ends_with('/')) url.path.pop_back();
      return url;
    } catch (const ConfigError& wrong) {
      no_credentials("AWS_EC2_METADATA_SERVICE_ENDPOINT: " + std::string(wrong.message()),
                     wrong.advice());
    }
  }

  std::string token() {
    const http::Response response =
        send("PUT", "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds", "21600"});
    if (response.status != 200) refused(response.status);
    const std::string token(response.body.view().text());
    const bool fine = !token.empty() && token.size() < 4096 &&
                      std::ranges::all_of(token, [](char c) { return c > ' ' && c < 0x7f; });
    if (!fine) no_credentials("the instance's metadata service gave no token", kAdvice);
    return token;
  }

  http::Response send(std::string method, const std::string& path,
                      std::pair<std::string, std::string> header) {
    SmallExchange exchange{
        .what = "the instance's metadata service", .endpoint = url_.endpoint, .timeout = kTimeout};
    exchange.request.method = std::move(method);
    exchange.request.target = url_.path + path;
    exchange.request.headers = {
        {"Host", url_.endpoint.authority()}, {"User-Agent", "stepstore"}, std::move(header)};
    return send_small(*means_.direct, exchange, means_.clock, limits_);
  }

  [[noreturn]] void refused(int status) const {
    no_credentials("the instance's metadata service at " + url_.endpoint.text() + " answered " +
                       std::to_string(status),
                   kAdvice);
  }

  static constexpr std::string_view kAdvice =
      "Is IMDSv2 allowed on this instance? AWS_EC2_METADATA_DISABLED=true switches the look off.";

  const CredentialsMeans& means_;
  const CallLimits& limits_;
  const http::Url url_;
  std::string token_{};
};

// The first line.
std::string role_in(const std::string& list) {
  std::string role = list.substr(0, list.find_first_of("\r\n"));
  const auto bad = [](char c) { return c <= ' ' || c >= 0x7f || c == '/'; };
  return role.size() > 256 || std::ranges::any_of(role, bad) ? std::string() : role;
}

}  // namespace

Credentials ask_instance(const CredentialsMeans& means, const Way& way, const CallLimits& limits) {
  constexpr std::string_view kNoRole = "the instance has no role";
  constexpr std::string_view kAttach = "Attach an instance profile to it, or set credentials.";
  Metadata metadata(means, way, limits);
  const std::string role = role_in(metadata.get(std::string(kRoles)));
  if (role.empty()) no_credentials(std::string(kNoRole), kAttach);
  const std::string document = metadata.get(std::string(kRoles) + uri_encode(role));
  if (document.empty()) no_credentials(std::string(kNoRole), kAttach);
  return parse_keys(document, KeysDocument::metadata, way.source);
}

}  // namespace stepstore::s3
