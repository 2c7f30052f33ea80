#include "http/no_proxy.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace stepstore::http {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "[::1]:80" and "host:80" apart. False: the port is none.
bool take_port(std::string_view& text, std::uint16_t& port) {
  std::string_view digits;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return false;
    digits = text.substr(end + 1);
    text = text.substr(1, end - 1);
    if (digits.empty()) return true;
    if (!digits.starts_with(':')) return false;
    digits.remove_prefix(1);
  } else {
    const std::size_t colon = text.find(':');
    // More than one: an address of IPv6.
    if (colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos) {
      return true;
    }
    digits = text.substr(colon + 1);
    text = text.substr(0, colon);
  }
  const auto value = number<std::uint16_t>(digits);
  port = value.value_or(0);
  return port != 0;
}

}  // namespace

std::string address_bytes(const std::string& text) {
  std::string bytes(16, '\0');
  if (::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return bytes.substr(0, 4);
  if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return {};
  const bool mapped = bytes.starts_with(std::string(10, '\0') + "\xff\xff");
  return mapped ? bytes.substr(12) : bytes;
}

bool NoProxy::Network::has(std::string_view address) const {
  if (address.size() != bytes.size()) return false;
  const std::size_t whole = bits / 8;
  if (address.substr(0, whole) != std::string_view(bytes).substr(0, whole)) return false;
  if (bits % 8 == 0) return true;
  const unsigned differ =
      static_cast<unsigned char>(address[whole]) ^ static_cast<unsigned char>(bytes[whole]);
  return differ >> (8 - bits % 8) == 0;
}

NoProxy::NoProxy(std::string_view list) {
  constexpr std::string_view kBetween = ", \t\r\n";
  while (true) {
    const std::size_t begin = list.find_first_not_of(kBetween);
    if (begin == std::string_view::npos) return;
    list.remove_prefix(begin);
    const std::size_t end = std::min(list.find_first_of(kBetween), list.size());
    add(list.substr(0, end));
    list.remove_prefix(end);
  }
}

void NoProxy::add(std::string_view text) {
  if (text == "*") {
    all_ = true;
    return;
  }
  Entry entry;
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
    entry.network.bytes = address_bytes(std::string(text.substr(0, slash)));
    const auto bits = number<unsigned>(text.substr(slash + 1));
    if (entry.network.bytes.empty() || !bits || *bits > 8 * entry.network.bytes.size()) return;
    entry.network.bits = *bits;
    entries_.push_back(std::move(entry));
    return;
  }
  if (!take_port(text, entry.port)) return;
  entry.network.bytes = address_bytes(std::string(text));
  entry.network.bits = static_cast<unsigned>(8 * entry.network.bytes.size());
  if (entry.network.bytes.empty()) {
    if (text.starts_with("*.")) text.remove_prefix(1);
    if (text.starts_with('.')) text.remove_prefix(1);
    if (text.ends_with('.')) text.remove_suffix(1);
    if (text.empty()) return;
    entry.name = lower(text);
  }
  entries_.push_back(std::move(entry));
}

bool NoProxy::has(const Endpoint& server) const {
  if (all_) return true;
  if (entries_.empty()) return false;
  const std::string address = address_bytes(server.host);
  std::string host = lower(server.host);
  if (host.ends_with('.')) host.pop_back();
  return std::ranges::any_of(entries_, [&](const Entry& entry) {
    if (entry.port != 0 && entry.port != server.port) return false;
    if (entry.name.empty()) return entry.network.has(address);
    return host == entry.name || (address.empty() && host.ends_with('.' + entry.name));
  });
}

}  // namespace stepstore::http
