#include "s3/places.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "base/errors.h"
#include "base/log.h"
#include "http/url.h"
#include "s3/client.h"
#include "s3/request_maker.h"

namespace stepstore::s3 {
namespace {

// "s3.dualstack.eu-west-1.amazonaws.com" taken apart.
struct AwsHost {
  std::string service{};  // "s3", "s3-fips", either with ".dualstack"
  std::string region{};   // empty: the global host
  std::string domain{};   // "amazonaws.com"
};

std::string take_label(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('.'), rest.size());
  std::string label(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return label;
}

bool is_region(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

// None for other services and for hosts of one's own, as those of VPC endpoints are.
std::optional<AwsHost> read_aws(std::string_view host) {
  AwsHost out;
  for (const std::string_view domain : {"amazonaws.com.cn", "amazonaws.com"}) {
    if (!host.ends_with(domain) || host.size() <= domain.size() + 1) continue;
    if (host[host.size() - domain.size() - 1] != '.') continue;
    out.domain = domain;
    host.remove_suffix(domain.size() + 1);
    break;
  }
  if (out.domain.empty()) return std::nullopt;
  out.service = take_label(host);
  if (out.service == "s3-external-1") {
    out.service = "s3";
    out.region = "us-east-1";
  } else if (out.service.starts_with("s3-") && out.service != "s3-fips") {
    // The older spelling. "s3-accelerate" and the like have no digit, which every region has.
    out.region = out.service.substr(3);
    out.service = "s3";
    if (out.region.empty() || out.region.back() < '0' || out.region.back() > '9') {
      return std::nullopt;
    }
  } else if (out.service != "s3" && out.service != "s3-fips") {
    return std::nullopt;
  }
  if (host.starts_with("dualstack.")) out.service += '.' + take_label(host);
  if (out.region.empty()) out.region = take_label(host);
  if (!host.empty() || (!out.region.empty() && !is_region(out.region))) return std::nullopt;
  return out;
}

std::string_view partition_of(std::string_view region) {
  for (const std::string_view apart : {"cn-", "us-gov-", "us-isob-", "us-iso-", "eusc-"}) {
    if (region.starts_with(apart)) return apart;
  }
  return "";
}

// What a Location or an <Endpoint> names; the path does not matter, since the key stays the same.
struct Named {
  http::Endpoint endpoint{};
  AddressStyle style = AddressStyle::path;
};

std::optional<Named> read_location(const std::string& text, std::string_view bucket, bool tls) {
  try {
    const bool whole = text.find("://") != std::string::npos;
    Named named{.endpoint =
                    http::parse_url(whole ? text : (tls ? "https://" : "http://") + text).endpoint};
    std::string& host = named.endpoint.host;
    std::ranges::transform(host, host.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    if (host.size() > bucket.size() && host.starts_with(bucket) && host[bucket.size()] == '.') {
      host.erase(0, bucket.size() + 1);
      named.style = AddressStyle::virtual_host;
    }
    return named;
  } catch (const StorageManagerError&) {
    return std::nullopt;
  }
}

constexpr const char* kOtherHost =
    "it leads to a host that is not configured, where no request with credentials is sent";

NextPlace follow_on_aws(const Place& configured, const AwsHost& ours, const Place& from,
                        const Elsewhere& to, const std::optional<Named>& named) {
  std::optional<AwsHost> theirs;
  if (named) {
    theirs = read_aws(named->endpoint.host);
    if (!theirs || theirs->domain != ours.domain ||
        named->endpoint.port != (named->endpoint.tls ? 443 : 80)) {
      return {.why_not = kOtherHost};
    }
    if (configured.endpoint.tls && !named->endpoint.tls) {
      return {.why_not = "it leads from https to http"};
    }
  }
  std::string region = to.region;
  if (region.empty() && theirs) region = theirs->region;
  if (region.empty()) region = to.lasting ? "" : from.region;
  if (!is_region(region)) return {.why_not = "it names no region"};
  const std::string_view here = ours.region.empty() ? configured.region : ours.region;
  if (partition_of(region) != partition_of(here)) {
    return {.why_not = "it leads to another partition of AWS"};
  }
  Place place = configured;
  place.region = region;
  if (!to.lasting && named) {  // for this once, to exactly that host
    place.endpoint = named->endpoint;
    place.style = named->style;
  } else {
    place.endpoint.host = ours.service + '.' + region + '.' + ours.domain;
  }
  return {.place = std::move(place)};
}

}  // namespace

NextPlace follow(const Place& configured, const Place& from, std::string_view bucket,
                 const Elsewhere& to) {
  std::optional<Named> named;
  if (!to.location.empty()) {
    named = read_location(to.location, bucket, configured.endpoint.tls);
    if (!named) return {.why_not = "it leads to no URL"};
  }
  if (!to.region.empty() && !is_region(to.region)) return {.why_not = "it names no region"};
  if (const auto ours = read_aws(configured.endpoint.host)) {
    return follow_on_aws(configured, *ours, from, to, named);
  }
  if (named && named->endpoint != configured.endpoint) {
    if (configured.endpoint.tls && !named->endpoint.tls) {
      return {.why_not = "it leads from https to http"};
    }
    return {.why_not = kOtherHost};
  }
  Place place = configured;
  place.region = to.region.empty() ? from.region : to.region;
  if (named && !to.lasting) place.style = named->style;
  if (place.region == from.region && (to.lasting || !named)) {
    return {.why_not = "it names no other place"};
  }
  return {.place = std::move(place)};
}

Places::Places(const ClientOptions& options)
    : options_(options),
      configured_{.endpoint = options.endpoint, .region = options.region, .style = options.style},
      current_(make(configured_)) {}

const std::string& Places::bucket() const noexcept { return options_.bucket; }

std::shared_ptr<RequestMaker> Places::make(const Place& place) const {
  return std::make_shared<RequestMaker>(options_, place);
}

std::shared_ptr<RequestMaker> Places::current() {
  const std::lock_guard lock(mutex_);
  return current_;
}

void Places::remember(std::shared_ptr<RequestMaker> maker) {
  const std::lock_guard lock(mutex_);
  if (current_->place() == maker->place()) return;
  log_info("s3: bucket {} is in region {}, not {}: naming it saves a request", options_.bucket,
           maker->place().region, current_->place().region);
  current_ = std::move(maker);
}

}  // namespace stepstore::s3
