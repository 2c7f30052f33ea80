// The least that storing and reading a step over HTTP can cost: requests written to connections
// that are open already, answers read from them, nothing parsed but the length.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bench {

// Not thread-safe. Throws std::system_error and std::runtime_error.
class BareHttp {
 public:
  BareHttp(const std::string& address, int port, std::size_t connections);
  ~BareHttp();
  BareHttp(const BareHttp&) = delete;
  BareHttp& operator=(const BareHttp&) = delete;

  struct Put {
    std::string path;
    std::string_view body;
  };
  // All at once, each over a connection of its own; then the answers. With `look`, a GET of that
  // path goes with them; it may be absent.
  void put(const std::vector<Put>& items, const std::string& look = {});
  // The bytes of the bodies; a path that is absent has none.
  std::size_t get(const std::vector<std::string>& paths);

 private:
  void send(int fd, const std::string& head, std::string_view body) const;
  std::size_t receive(int fd, bool may_be_missing);

  std::string host_;
  std::vector<int> fds_;
  std::vector<char> space_;
};

}  // namespace bench
