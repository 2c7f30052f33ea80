#include "open/s3_network.h"

#include <charconv>
#include <cmath>

#include "base/errors.h"

namespace stepstore {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLongest = std::chrono::hours(24);
constexpr int kAttemptsMost = 100;

template <class Number>
std::optional<Number> number(const std::string& text) {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto [stop, failed] = std::from_chars(text.data(), end, value);
  if (failed != std::errc() || stop != end) return std::nullopt;
  return value;
}

// Seconds of the URI, "2.5"; the time of the option.
std::optional<milliseconds> time_of(const Sources& from, std::string_view name,
                                    const std::optional<milliseconds>& option) {
  std::optional<milliseconds> time = option;
  bool fine = true;
  if (const auto text = from.parameter(name)) {
    const auto seconds = number<double>(*text);
    fine = seconds && std::isfinite(*seconds) && *seconds > 0 && *seconds <= 86'400;
    if (fine) time = std::chrono::ceil<milliseconds>(std::chrono::duration<double>(*seconds));
  }
  if (time) fine = fine && time->count() > 0 && *time <= kLongest;
  if (!fine) {
    refuse_setting(std::string(name) + " is no time above zero and up to a day",
                   "In a URI and in Python it is a number of seconds, such as 2.5.");
  }
  return time;
}

http::ProxyUrl proxy_url(const std::optional<Setting>& from) {
  if (!from || from->value == "none") return {};
  return {.url = from->value, .named_by = from->by};
}

http::Proxies proxies_of(const Sources& from, const Options& options) {
  // A URI is shown and passed on, so it is no place for a password.
  if (const auto named = from.parameter("proxy"); named && named->find('@') != std::string::npos) {
    refuse_setting("the URI's proxy holds a user name or password",
                   "Pass it as the argument proxy, or set the variable HTTPS_PROXY.");
  }
  // For http in lower case alone: a web server sets HTTP_PROXY by the word of whoever asks it for a
  // page (the header Proxy), and a program that it runs must not believe that.
  const auto for_http =
      from.first("proxy", options.proxy, {"http_proxy", "all_proxy", "ALL_PROXY"});
  const auto for_https =
      from.first("proxy", options.proxy, {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"});
  const auto except = from.first("no_proxy", options.no_proxy, {"no_proxy", "NO_PROXY"});
  return {proxy_url(for_http), proxy_url(for_https), except ? except->value : ""};
}

int attempts_of(const Sources& from, const Options& options, int usual) {
  Sources::Value option;
  if (options.attempts_max) option = std::to_string(*options.attempts_max);
  auto named = from.first("attempts_max", option, {"AWS_MAX_ATTEMPTS"});
  if (!named) {
    if (auto value = from.profile("max_attempts"))
      named = Setting{*value, "the profile's max_attempts"};
  }
  if (!named) return usual;
  const auto attempts = number<int>(named->value);
  if (!attempts || *attempts < 1 || *attempts > kAttemptsMost) {
    refuse_setting(named->by + " is '" + named->value + "'",
                   "It is a number from 1 to " + std::to_string(kAttemptsMost) + '.');
  }
  return *attempts;
}

}  // namespace

S3Network s3_network(const Sources& from, const Options& options, int attempts_usual) {
  S3Network out;
  out.allow_http = from.flag("allow_http").value_or(options.allow_http);
  out.attempts_max = attempts_of(from, options, attempts_usual);
  http::ClientOptions& http = out.http;
  const auto set = [&](milliseconds& to, std::string_view name,
                       const std::optional<milliseconds>& option) {
    to = time_of(from, name, option).value_or(to);
  };
  set(http.connect_timeout, "connect_timeout", options.connect_timeout);
  set(http.first_byte_timeout, "first_byte_timeout", options.first_byte_timeout);
  set(http.stall_timeout, "stall_timeout", options.stall_timeout);
  set(http.total_timeout, "total_timeout", options.total_timeout);
  Sources::Value ca;
  if (options.ca_file) ca = options.ca_file->string();
  if (const auto named = from.first("ca_file", ca, {"AWS_CA_BUNDLE"})) {
    http.ca_file = named->value;
  } else {
    http.ca_file = from.profile("ca_bundle").value_or("");
  }
  http.proxies = proxies_of(from, options);
  return out;
}

const http::Proxy* way_to(const http::Endpoint& endpoint, const S3Network& network) {
  try {
    return network.http.proxies.on_the_way_to(endpoint);
  } catch (const ConfigError& wrong) {
    told_as(wrong, "StorageManager", "").raise();
  }
}

}  // namespace stepstore
