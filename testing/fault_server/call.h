// One S3 request, taken apart; and answers in S3's words.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"
#include "http/server.h"

namespace stepstore::fault {

struct Call {
  std::string method{}, bucket{}, key{};  // plain; without a key it is about the bucket
  std::map<std::string, std::string, std::less<>> query{};  // plain
  http::Headers headers{};
  Bytes body{};
  bool tls = false;  // it came over https

  const std::string* header(std::string_view name) const {
    return http::find_header(headers, name);
  }
  const std::string* parameter(std::string_view name) const {
    const auto found = query.find(name);
    return found == query.end() ? nullptr : &found->second;
  }
};

// `host`: what buckets are below in virtual-host style, e.g. "localhost"; a request to
// bucket.localhost then has its bucket in the host's name. None: the target cannot be decoded.
std::optional<Call> parse_call(const http::Received& received, std::string_view host);

// "list-type=2&prefix=a", plain, in the order of names.
std::string query_text(const Call& call);

http::Response xml_answer(int status, std::string body);
http::Response error_answer(int status, std::string_view code, std::string_view message,
                            std::string_view resource = {});
http::Response empty_answer(int status);

}  // namespace stepstore::fault
