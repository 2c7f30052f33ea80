// An S3 endpoint without a network: requests go in and answers come out as values.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/fakes.h"
#include "testing/fault_server/service.h"

namespace stepstore::fault {

class FaultService : public testing::Test {
 protected:
  FaultService() { become({}); }

  // From here on a new server with an empty bucket "b".
  void become(Dialect dialect, bool md5_etags = false) {
    service = std::make_unique<Service>(ServiceOptions{.dialect = dialect, .md5_etags = md5_etags},
                                        clock);
    service->make_bucket("b");
  }

  http::Response ask(std::string method, std::string target, http::Headers headers = {},
                     std::string_view body = {}) {
    const auto call = parse_call({.method = std::move(method),
                                  .target = std::move(target),
                                  .headers = std::move(headers),
                                  .body = Bytes::copy(body)},
                                 "localhost");
    if (!call) return error_answer(400, "InvalidURI", "");
    return service->answer(*call);
  }
  http::Response put(const std::string& key, std::string_view body = "x",
                     http::Headers headers = {}) {
    return ask("PUT", "/b/" + key, std::move(headers), body);
  }
  http::Response get(const std::string& key, http::Headers headers = {}) {
    return ask("GET", "/b/" + key, std::move(headers));
  }
  std::string body_of(const std::string& key) {
    const http::Response response = get(key);
    return response.status == 200 ? std::string(response.body.text())
                                  : std::to_string(response.status);
  }

  static std::string header(const http::Response& response, std::string_view name) {
    const std::string* const found = http::find_header(response.headers, name);
    return found ? *found : "(none)";
  }
  // What stands in the first such element; "(none)": there is none.
  static std::string element(const http::Response& response, const std::string& name) {
    const auto all = elements(response, name);
    return all.empty() ? "(none)" : all.front();
  }
  static std::vector<std::string> elements(const http::Response& response,
                                           const std::string& name) {
    const std::string_view text = response.body.text();
    const std::string open = "<" + name + ">";
    std::vector<std::string> all;
    for (std::size_t at = text.find(open); at != std::string_view::npos;
         at = text.find(open, at + 1)) {
      const std::size_t begin = at + open.size();
      all.emplace_back(text.substr(begin, text.find("</" + name + ">", begin) - begin));
    }
    return all;
  }
  // "412 PreconditionFailed"; of an answer without an error its status alone.
  static std::string told(const http::Response& response) {
    const std::string code = element(response, "Code");
    return std::to_string(response.status) + (code == "(none)" ? "" : " " + code);
  }

  SetClock clock;
  std::unique_ptr<Service> service;
};

}  // namespace stepstore::fault
