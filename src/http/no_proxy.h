// NoProxy: the hosts that are reached directly.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/transport.h"

namespace stepstore::http {

// A list as the variable NO_PROXY has it, by commas or blanks: names, which stand for those below
// them too ("example.com", ".example.com", "*.example.com"), addresses, networks ("10.0.0.0/8",
// "fd00::/8"), each with a port or without, and "*". Names are not looked up, so an address matches
// only where the server is named by its address. What is none of these matches nothing.
class NoProxy {
 public:
  explicit NoProxy(std::string_view list);

  bool has(const Endpoint& server) const;

 private:
  // Of IPv4 and IPv6: the bytes, and how many of their bits count.
  struct Network {
    std::string bytes{};  // 4 or 16
    unsigned bits = 0;

    bool has(std::string_view address) const;
  };
  struct Entry {
    std::string name{};  // in lower case, without a dot at its ends; empty: the network
    Network network{};
    std::uint16_t port = 0;  // 0: any
  };
  void add(std::string_view text);

  bool all_ = false;
  std::vector<Entry> entries_{};
};

// The bytes of an address without brackets, 4 or 16, as they go over the wire; empty: it is none.
// One of IPv4 in the form of IPv6 is one of IPv4.
std::string address_bytes(const std::string& text);

}  // namespace stepstore::http
