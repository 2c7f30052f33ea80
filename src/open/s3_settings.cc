#include "open/s3_settings.h"

#include <algorithm>

#include "http/url.h"
#include "open/s3_credentials.h"
#include "open/s3_objects.h"
#include "open/sources.h"
#include "s3/encode.h"

namespace stepstore {
namespace {

using Value = Sources::Value;

void check_bucket(const std::string& bucket) {
  const bool fine = bucket.size() <= 255 && std::ranges::all_of(bucket, [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                             (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
                    });
  if (!fine) {
    refuse_setting("'" + bucket + "' is no bucket name",
                   "Bucket names are letters, digits, '.', '-' and '_'.");
  }
}

http::Endpoint aws_endpoint(const std::string& region) {
  const std::string domain = region.starts_with("cn-") ? ".amazonaws.com.cn" : ".amazonaws.com";
  return {.tls = true, .host = "s3." + region + domain, .port = 443};
}

http::Url url_of(const std::string& text) {
  try {
    return http::parse_url(text);
  } catch (const ConfigError& wrong) {
    refuse_setting("the endpoint: " + std::string(wrong.message()), std::string(wrong.advice()));
  }
}

http::Endpoint endpoint_of(const std::string& text) {
  const http::Url url = url_of(text);
  if ((!url.path.empty() && url.path != "/") || !url.query.empty()) {
    refuse_setting("the endpoint '" + url.endpoint.text() + "' has a path",
                   "Name the server only: http://host:port or https://host.");
  }
  return url.endpoint;
}

s3::AddressStyle style_of(const Sources& from, bool on_aws, const std::string& bucket) {
  const Value named = from.parameter("style");
  if (named == "path") return s3::AddressStyle::path;
  if (named == "virtual") return s3::AddressStyle::virtual_host;
  if (named) refuse_setting("style is '" + *named + "'", "It is path or virtual.");
  // A bucket's dots would not match the server's certificate.
  return on_aws && bucket.find('.') == std::string::npos ? s3::AddressStyle::virtual_host
                                                         : s3::AddressStyle::path;
}

s3::SignPayload signing_of(const Sources& from) {
  const Value named = from.parameter("sign_payload");
  if (!named || named == "auto") return s3::SignPayload::automatic;
  if (named == "always") return s3::SignPayload::always;
  if (named == "never") return s3::SignPayload::never;
  refuse_setting("sign_payload is '" + *named + "'", "It is auto, always or never.");
}

bool is_aws(const http::Endpoint& endpoint) {
  return endpoint.host.ends_with(".amazonaws.com") || endpoint.host.ends_with(".amazonaws.com.cn");
}

// Directory buckets want sessions of their own and list without order; AWS knows them by this name.
void check_kind(const std::string& bucket, const http::Endpoint& endpoint) {
  if (!bucket.ends_with("--x-s3") || !is_aws(endpoint)) return;
  refuse_setting("'" + bucket + "' is a directory bucket (S3 Express), which stepstore cannot use",
                 "Name a general purpose bucket.");
}

// Keys of requests and recordings would be there for everybody on the way to read.
void check_scheme(bool allow_http, const http::Endpoint& endpoint) {
  if (endpoint.tls || endpoint.loopback() || allow_http) return;
  refuse_setting("requests to " + endpoint.text() +
                     " would go without TLS: others on the way could read the recordings",
                 "Use https; or say allow_http=true, where the network is yours.");
}

}  // namespace

std::string S3Settings::location() const {
  std::string text = "s3://" + client.bucket;
  if (!prefix.empty()) text += '/' + prefix;
  text += "?endpoint=" + client.endpoint.text() + "&region=" + client.region;
  if (!client.endpoint.tls && !client.endpoint.loopback()) text += "&allow_http=true";
  return text;
}

S3Settings s3_settings(const StoreUri& uri, const Options& options, const s3::Lookup& lookup) {
  check_bucket(uri.bucket);
  const Sources from(uri, options, lookup);
  const auto first = [](std::initializer_list<Value> values) {
    const auto found =
        std::ranges::find_if(values, [](const Value& each) { return each && !each->empty(); });
    return found == values.end() ? Value() : *found;
  };
  S3Settings out;
  out.prefix = uri.prefix;
  out.client.bucket = uri.bucket;
  out.client.region = first({from.parameter("region"), options.s3_region_name,
                             from.variable({"SM_S3_REGION", "AWS_REGION", "AWS_DEFAULT_REGION"}),
                             from.profile("region")})
                          .value_or("us-east-1");
  const Value endpoint =
      first({from.parameter("endpoint"), options.s3_endpoint_url, from.endpoint()});
  out.client.endpoint = endpoint ? endpoint_of(*endpoint) : aws_endpoint(out.client.region);
  check_kind(uri.bucket, out.client.endpoint);
  out.network = s3_network(from, options, out.client.retry.attempts_max);
  out.client.retry.attempts_max = out.network.attempts_max;
  check_scheme(out.network.allow_http, out.client.endpoint);
  (void)way_to(out.client.endpoint, out.network);
  out.client.style = style_of(from, !endpoint, uri.bucket);
  out.client.sign_payload = signing_of(from);
  out.client.objects = s3_object_settings(uri, options.s3_objects, lookup, out.client.endpoint);
  out.credentials = s3_credentials(options, {.profile = from.profile_name(),
                                             .anonymous = from.flag("anonymous"),
                                             .on_aws = is_aws(out.client.endpoint),
                                             .network = out.network,
                                             .lookup = lookup});
  return out;
}

}  // namespace stepstore
