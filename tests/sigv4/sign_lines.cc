// Signs requests that come as lines of JSON on standard input, and answers each with a line, so
// that another signer can be compared with ours (test_botocore.py).
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "s3/sigv4.h"
#include "s3/times.h"

namespace stepstore::s3 {
namespace {

using nlohmann::json;

json answer(const json& asked) {
  const Credentials credentials{.access_key = asked["access_key"],
                                .secret_key = asked["secret_key"],
                                .session_token = asked["token"]};
  const auto query = asked["query"].get<Query>();
  const bool by_path = asked["by_path"];
  const Target target = target_of(asked["bucket"].get<std::string>(),
                                  by_path ? AddressStyle::path : AddressStyle::virtual_host,
                                  asked["key"].get<std::string>(), query);
  const auto method = asked["method"].get<std::string>();
  const auto headers = asked["headers"].get<http::Headers>();
  const auto hash = asked["payload_hash"].get<std::string>();
  const std::chrono::sys_seconds now(std::chrono::seconds(asked["time"].get<std::int64_t>()));
  const SigningInput input{
      .method = method, .target = target, .headers = headers, .payload_hash = hash};
  Signer signer(asked["region"]);
  json out{{"path", target.path}, {"query", target.query}};
  if (asked.contains("lifetime")) {
    out["query"] = signer.presigned_query(input, query, credentials, now,
                                          std::chrono::seconds(asked["lifetime"].get<int>()));
  } else {
    out["authorization"] = signer.authorization(input, credentials, amz_date(now));
  }
  return out;
}

}  // namespace
}  // namespace stepstore::s3

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << stepstore::s3::answer(nlohmann::json::parse(line)).dump() << std::endl;
  }
}
