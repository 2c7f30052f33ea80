// A way to credentials: what the variables and files say, before anybody is asked.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "s3/credentials.h"

namespace stepstore::s3 {

// Where roles are assumed.
struct StsPlace {
  std::string region{};
  std::string endpoint{};  // a URL

  friend bool operator==(const StsPlace&, const StsPlace&) = default;
};

struct Role {
  std::string arn{};
  std::string session_name{};  // empty: one is made up
  std::string external_id{};
  std::chrono::seconds duration{0};  // 0: as STS likes
  StsPlace sts{};

  friend bool operator==(const Role&, const Role&) = default;
};

struct Way {
  enum class Kind : std::uint8_t {
    keys,          // they are there
    role,          // STS gives them to who signs with those of `by`
    web_identity,  // STS gives them for the token in `token_file`
    process,       // a program prints them
    container,     // an endpoint of ECS or EKS has them
    instance,      // the metadata service of EC2 has them
  };
  Kind kind = Kind::keys;
  std::string source{};  // for messages, as of Credentials
  Credentials keys{};
  Role role{};
  std::vector<Way> by{};     // of a role: one
  std::string token_file{};  // web_identity, container
  std::string token{};       // container: what authorises the request
  std::string command{};     // process
  std::string url{};         // container, instance
  std::string otherwise{};  // instance: what to say when there is no metadata service; may be empty

  // Whether they lead to the same credentials.
  friend bool operator==(const Way&, const Way&) = default;
};

}  // namespace stepstore::s3
