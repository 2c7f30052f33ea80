#include "s3/credentials/sts.h"

#include <array>

#include "base/errors.h"
#include "base/log.h"
#include "http/url.h"
#include "s3/credentials/redact.h"
#include "s3/credentials/small_exchange.h"
#include "s3/credentials/token_file.h"
#include "s3/sigv4.h"
#include "s3/times.h"
#include "s3/xml.h"

namespace stepstore::s3 {
namespace {

constexpr std::chrono::seconds kTimeout{10};

std::string made_up_name(Random& random) {
  std::array<std::byte, 8> bytes{};
  random.fill(bytes);
  return "stepstore-" + hex(BytesView(bytes.data(), bytes.size()));
}

Query role_query(const CredentialsMeans& means, std::string_view action, const Role& role) {
  Query query{{"Action", std::string(action)},
              {"Version", "2011-06-15"},
              {"RoleArn", role.arn},
              {"RoleSessionName",
               role.session_name.empty() ? made_up_name(means.random) : role.session_name}};
  if (!role.external_id.empty()) query.emplace_back("ExternalId", role.external_id);
  if (role.duration.count() > 0) {
    query.emplace_back("DurationSeconds", std::to_string(role.duration.count()));
  }
  return query;
}

http::Url place_of(const CredentialsMeans& means, const StsPlace& sts) {
  http::Url url;
  try {
    url = http::parse_url(sts.endpoint);
  } catch (const ConfigError& wrong) {
    no_credentials("the endpoint of STS: " + std::string(wrong.message()), wrong.advice());
  }
  if (url.path.empty()) url.path = "/";
  if (url.endpoint.tls || url.endpoint.loopback()) return url;
  if (!means.allow_http) {
    error(ErrorCode::ConfigError, "credentials", "",
          "a role would be assumed at " + url.endpoint.text() +
              " without TLS: others on the way could read the credentials",
          "Use https for STS; or say allow_http=true, where the network is yours.")
        .raise();
  }
  log_warning("credentials come from {} without TLS: others on the way can read them",
              url.endpoint.text());
  return url;
}

// `secrets`: what STS was sent, and may repeat.
[[noreturn]] void refused(const http::Response& response, const Way& way,
                          std::initializer_list<std::string_view> secrets) {
  const auto said = parse_error(response.body.view());
  std::string text = way.source + ": STS answered " + std::to_string(response.status);
  if (said) {
    text += ' ' + told_by_others(said->code, secrets);
    text += ": " + told_by_others(said->message, secrets);
  }
  ErrorCode code = ErrorCode::Unauthenticated;
  std::string advice = "May these credentials assume " + way.role.arn + "? Its trust policy says.";
  if (response.status >= 500) code = ErrorCode::Unavailable;
  if (response.status == 429 || (said && said->code == "Throttling")) code = ErrorCode::Throttled;
  if (code != ErrorCode::Unauthenticated) advice.clear();
  ErrorDetails details =
      error(code, "credentials", "", std::move(text), std::move(advice)).details();
  details.http_status = response.status;
  if (said) details.request_id = told_by_others(said->request_id, secrets);
  StorageManagerError(std::move(details)).raise();
  __builtin_unreachable();
}

Credentials given(const http::Response& response, std::string_view action, const Way& way) {
  auto keys = parse_assumed_role(response.body.view(), std::string(action));
  if (!keys)
    no_credentials(way.source + ": " + std::string(keys.error().message()),
                   "Is that endpoint STS, or a proxy that changes answers?");
  return {.access_key = keys->access_key,
          .secret_key = keys->secret_key,
          .session_token = keys->session_token,
          .source = way.source,
          .expires_at = keys->expires_at};
}

SmallExchange exchange_with(const http::Url& url, const std::string& body) {
  SmallExchange out{.what = "STS", .endpoint = url.endpoint, .timeout = kTimeout};
  out.request.method = "POST";
  out.request.target = url.path;
  out.request.headers = {{"Host", url.endpoint.authority()},
                         {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
                         {"User-Agent", "stepstore"}};
  out.request.body = {BytesView(body)};
  return out;
}

}  // namespace

Credentials assume_role(const CredentialsMeans& means, const Way& way, const Credentials& by,
                        const CallLimits& limits) {
  const http::Url url = place_of(means, way.role.sts);
  const std::string body = encode_query(role_query(means, "AssumeRole", way.role));
  SmallExchange exchange = exchange_with(url, body);
  http::Headers& headers = exchange.request.headers;
  const auto now = std::chrono::floor<std::chrono::seconds>(means.clock.now());
  const std::string time = amz_date(now);
  headers.emplace_back("x-amz-date", time);
  if (!by.session_token.empty()) headers.emplace_back("x-amz-security-token", by.session_token);
  const Target target{.path = url.path};
  Signer signer(way.role.sts.region, "sts");
  headers.emplace_back("Authorization",
                       signer.authorization({.method = exchange.request.method,
                                             .target = target,
                                             .headers = headers,
                                             .payload_hash = hex(sha256(BytesView(body)))},
                                            by, time));
  const http::Response response = send_small(*means.transport, exchange, means.clock, limits);
  if (response.status != 200) refused(response, way, {by.secret_key, by.session_token});
  return given(response, "AssumeRole", way);
}

Credentials assume_with_web_identity(const CredentialsMeans& means, const Way& way,
                                     const CallLimits& limits) {
  const http::Url url = place_of(means, way.role.sts);
  const std::string token = read_token(way.token_file, way.source);
  Query query = role_query(means, "AssumeRoleWithWebIdentity", way.role);
  query.emplace_back("WebIdentityToken", token);
  const std::string body = encode_query(query);
  const http::Response response =
      send_small(*means.transport, exchange_with(url, body), means.clock, limits);
  if (response.status != 200) refused(response, way, {token});
  return given(response, "AssumeRoleWithWebIdentity", way);
}

}  // namespace stepstore::s3
