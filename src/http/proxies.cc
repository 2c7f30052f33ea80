#include "http/proxies.h"

#include <openssl/evp.h>

#include <algorithm>
#include <optional>

#include "base/errors.h"
#include "http/no_proxy.h"
#include "http/url.h"

namespace stepstore::http {
namespace {

constexpr std::string_view kForm =
    "Write http://host:port, with user:password@ before the host where the proxy wants them; "
    "proxy=none takes the direct way.";

// RFC 7617. What is no ASCII goes as UTF-8, which proxies take, or nobody's.
std::string basic(const UserInfo& who) {
  const std::string text = who.user + ':' + who.password;
  std::string out((text.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  out.resize(static_cast<std::size_t>(size));
  return "Basic " + out;
}

[[noreturn]] void refuse(const ProxyUrl& from, const std::string& why, std::string_view advice) {
  error(ErrorCode::ConfigError, "connect", "",
        "the URL of the proxy (" + from.named_by + "): " + why, std::string(advice))
      .raise();
  __builtin_unreachable();
}

Url parse(const ProxyUrl& from, std::optional<UserInfo>& who) {
  std::string url = from.url;
  const std::size_t scheme = url.find("://");
  if (scheme == std::string::npos) {
    url.insert(0, "http://");
  } else if (!std::ranges::equal(std::string_view(url).substr(0, scheme), std::string_view("http"),
                                 {}, [](char c) { return static_cast<char>(c | 0x20); })) {
    refuse(from, "stepstore speaks to proxies by plain HTTP only, not by https or SOCKS", kForm);
  }
  try {
    return parse_url(url, who);
  } catch (const ConfigError& wrong) {
    refuse(from, std::string(wrong.message()), kForm);
  }
}

Proxy read(const ProxyUrl& from) {
  std::optional<UserInfo> who;
  const Url url = parse(from, who);
  if ((!url.path.empty() && url.path != "/") || !url.query.empty()) {
    refuse(from, "it has a path", kForm);
  }
  Proxy proxy{.endpoint = url.endpoint, .named_by = from.named_by};
  if (!who) return proxy;
  const auto bad = [](unsigned char c) { return c < ' ' || c == 0x7f; };
  if (who->user.find(':') != std::string::npos || std::ranges::any_of(who->user, bad) ||
      std::ranges::any_of(who->password, bad)) {
    refuse(from, "its user or password holds a character that none may have",
           "Mend it; a colon cannot be in a user's name.");
  }
  proxy.authorization = basic(*who);
  return proxy;
}

// Read when it is made; a wrong one matters only where it is used.
class Known {
 public:
  explicit Known(const ProxyUrl& from) {
    if (from.url.empty()) return;
    try {
      proxy_ = read(from);
    } catch (const StorageManagerError& wrong) {
      wrong_ = wrong;
    }
  }
  bool none() const { return !proxy_ && !wrong_; }
  const Proxy* get() const {
    if (wrong_) wrong_->raise();
    return proxy_ ? &*proxy_ : nullptr;
  }

 private:
  std::optional<Proxy> proxy_{};
  std::optional<StorageManagerError> wrong_{};
};

}  // namespace

std::string Proxy::text() const {
  std::string out = "the proxy " + endpoint.text();
  if (!named_by.empty()) out += " (" + named_by + ')';
  return out;
}

struct Proxies::State {
  Known for_http;
  Known for_https;
  NoProxy except;
};

Proxies::Proxies(const ProxyUrl& for_http, const ProxyUrl& for_https, std::string_view except)
    : state_(std::make_shared<const State>(State{
          .for_http = Known(for_http), .for_https = Known(for_https), .except = NoProxy(except)})) {
}

const Proxy* Proxies::on_the_way_to(const Endpoint& server) const {
  static const NoProxy link("169.254.0.0/16,fe80::/10,fd00:ec2::/32");
  if (!state_) return nullptr;
  const Known& known = server.tls ? state_->for_https : state_->for_http;
  // Before anything that costs: nearly always there is none.
  if (known.none() || server.loopback() || link.has(server) || state_->except.has(server)) {
    return nullptr;
  }
  return known.get();
}

}  // namespace stepstore::http
