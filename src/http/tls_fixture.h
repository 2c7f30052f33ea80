// Certificates for the tests of TLS, made when a test asks for them.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace stepstore::http {

// A certificate authority of its own in a temporary folder, which goes with the object.
class TestAuthority {
 public:
  TestAuthority();
  ~TestAuthority();
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  struct Issued {
    std::string certificate_file{};
    std::string key_file{};
  };
  // For the names ("DNS:localhost", "IP:127.0.0.1"); `days`: how long it holds from now on, less
  // than 0: it held until so many days ago.
  Issued issue(const std::vector<std::string>& names, int days = 1);

  std::string ca_file() const { return folder_ / "ca.pem"; }

 private:
  struct State;
  std::filesystem::path folder_;
  std::unique_ptr<State> state_;
  int issued_ = 0;
};

}  // namespace stepstore::http
