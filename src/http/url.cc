#include "http/url.h"

#include <algorithm>
#include <boost/url.hpp>
#include <boost/url/src.hpp>
#include <charconv>

#include "base/errors.h"

namespace stepstore::http {
namespace {

[[noreturn]] void refuse(std::string message, std::string advice) {
  error(ErrorCode::ConfigError, "parse URL", "", std::move(message), std::move(advice)).raise();
  __builtin_unreachable();
}

// `who`: null where nobody may be named.
Url parse(std::string_view text, std::optional<UserInfo>* who) {
  const auto parsed = boost::urls::parse_uri({text.data(), text.size()});
  constexpr const char* kForm = "Write http://host:port or https://host.";
  if (!parsed) refuse("this is no URL", kForm);
  const boost::urls::url_view& url = *parsed;
  const bool tls = url.scheme_id() == boost::urls::scheme::https;
  if (!tls && url.scheme_id() != boost::urls::scheme::http) {
    refuse("the URL's scheme is neither http nor https", kForm);
  }
  if (url.has_userinfo() && who != nullptr) {
    *who = UserInfo{.user = std::string(url.user()), .password = std::string(url.password())};
  } else if (url.has_userinfo()) {
    refuse("the URL holds a user name or password",
           "Take it out; credentials come from the environment or a profile.");
  }
  if (url.has_fragment()) refuse("the URL has a fragment", "Leave out what follows the '#'.");
  if (url.host().empty()) refuse("the URL names no host", kForm);
  const std::string host(url.host());  // decoded: it goes into a header
  if (std::ranges::any_of(host, [](unsigned char c) { return c <= ' ' || c == 0x7f; })) {
    refuse("the URL's host holds a blank or a control character", kForm);
  }
  // The parser takes "host:1x" for the port 1 and the path "x".
  if (const auto path = url.encoded_path(); !path.empty() && path.front() != '/') {
    refuse("the URL's port is no number", kForm);
  }
  Url out{
      .endpoint = {.tls = tls, .host = host, .port = tls ? std::uint16_t{443} : std::uint16_t{80}},
      .path = std::string(url.encoded_path()),
      .query = std::string(url.encoded_query())};
  if (url.host_type() == boost::urls::host_type::ipv6) {
    out.endpoint.host = std::string(url.encoded_host().substr(1, url.encoded_host().size() - 2));
  }
  // Not by port_number(), which wraps 99999 around; an empty port is the scheme's own.
  if (const std::string port = std::string(url.port()); !port.empty()) {
    const char* const end = port.data() + port.size();
    const auto [stop, failed] = std::from_chars(port.data(), end, out.endpoint.port);
    if (failed != std::errc() || stop != end || out.endpoint.port == 0) {
      refuse("the URL's port is not between 1 and 65535", kForm);
    }
  }
  return out;
}

}  // namespace

Url parse_url(std::string_view text) { return parse(text, nullptr); }

Url parse_url(std::string_view text, std::optional<UserInfo>& who) {
  who.reset();
  return parse(text, &who);
}

}  // namespace stepstore::http
