// A transport that answers from a script, and what tests of the S3 client have in common.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "base/errors.h"
#include "http/transport.h"
#include "s3/client.h"
#include "testing/fakes.h"
#include "tests/canary/canary.h"

namespace stepstore::s3 {

// What a server said or did to one send.
struct Play {
  int status = 200;
  std::string body{};
  http::Headers headers{};
  std::optional<ErrorCode> failure{};  // no answer; the transport tells this
  bool maybe_applied = false;
  std::optional<std::size_t> cut_at{};  // so much of the body comes, and then nothing
};

inline Play refusal(int status, std::string_view code, http::Headers headers = {}) {
  return {.status = status,
          .body = "<?xml version=\"1.0\"?><Error><Code>" + std::string(code) +
                  "</Code><Message>The server's words.</Message></Error>",
          .headers = std::move(headers)};
}

inline Play no_answer(ErrorCode code, bool maybe_applied = false) {
  return {.failure = code, .maybe_applied = maybe_applied};
}

// Takes the next play for each request. Thread-safe.
class ScriptedTransport final : public http::Transport {
 public:
  void plays(std::vector<Play> next) {
    const std::lock_guard lock(mutex_);
    script_.insert(script_.end(), next.begin(), next.end());
  }
  // What is played once the script is over.
  void then(Play play) { rest_ = std::move(play); }
  void before_each(std::function<void()> act) { before_ = std::move(act); }

  std::vector<http::Outcome> exchange(const http::Endpoint& endpoint,
                                      std::span<const http::Sending> requests,
                                      const CallLimits&) override {
    if (before_) before_();
    const std::lock_guard lock(mutex_);
    std::vector<http::Outcome> out;
    calls_.push_back(requests.size());
    for (const http::Sending& sending : requests) {
      sent_.push_back(sending);
      to_.push_back(endpoint);
      std::string body;
      for (const BytesView piece : sending.request.body) body += piece.text();
      bodies_.push_back(std::move(body));
      Play play = rest_;
      if (!script_.empty()) {
        play = script_.front();
        script_.pop_front();
      }
      out.push_back(outcome(play));
    }
    return out;
  }

  const std::vector<http::Sending>& sent() const { return sent_; }
  const std::vector<std::string>& bodies() const { return bodies_; }
  const std::vector<http::Endpoint>& to() const { return to_; }
  const std::vector<std::size_t>& calls() const { return calls_; }  // requests of each exchange
  bool is_over() const { return script_.empty(); }

  std::string header(std::size_t request, std::string_view name) const {
    const auto* const value = http::find_header(sent_.at(request).request.headers, name);
    return value ? *value : "";
  }

 private:
  static http::Outcome outcome(const Play& play) {
    if (play.cut_at) {
      auto partial = std::make_shared<http::Partial>(
          http::Partial{.status = play.status,
                        .headers = play.headers,
                        .block = std::make_shared_for_overwrite<std::byte[]>(play.body.size()),
                        .size = play.body.size(),
                        .got = *play.cut_at});
      std::memcpy(partial->block.get(), play.body.data(), partial->got);
      return {.response = error(ErrorCode::Io, "", "", "the connection was cut off"),
              .sends = 1,
              .partial = std::move(partial)};
    }
    if (play.failure) {
      return {.response = error(*play.failure, "", "", "the connection was reset"),
              .maybe_applied = play.maybe_applied,
              .sends = 1,
              .peer = "192.0.2.1:9000",
              .took = std::chrono::milliseconds(12)};
    }
    return {.response =
                http::Response{
                    .status = play.status, .headers = play.headers, .body = Bytes::copy(play.body)},
            .maybe_applied = play.maybe_applied,
            .sends = play.maybe_applied ? 2 : 1,
            .peer = "192.0.2.1:9000",
            .took = std::chrono::milliseconds(12)};
  }

  std::mutex mutex_;
  std::deque<Play> script_;
  Play rest_{};
  std::function<void()> before_;
  std::vector<http::Sending> sent_;
  std::vector<std::string> bodies_;
  std::vector<http::Endpoint> to_;
  std::vector<std::size_t> calls_;
};

inline const std::string kSecret = canary();
inline const std::string kToken = canary() + "/of+a+session==";

class ClientFixture : public ::testing::Test {
 protected:
  // `credentials`: null for fixed ones with a session token.
  Client& client(ClientOptions options = default_options(),
                 std::shared_ptr<CredentialsSource> credentials = nullptr) {
    if (!credentials) {
      credentials = fixed_credentials({.access_key = "AKIDEXAMPLE",
                                       .secret_key = kSecret,
                                       .session_token = kToken,
                                       .source = "the test"});
    }
    made = std::make_unique<Client>(std::move(options), transport, std::move(credentials), clock,
                                    random);
    return *made;
  }
  static ClientOptions default_options() {
    return {.endpoint = {.tls = true, .host = "s3.example.com", .port = 443}, .bucket = "steps"};
  }

  // A put by condition; the body lives as long as the test.
  static Operation put(Condition condition = {}) {
    static const std::string body = "body";
    return put_object({.key = ObjectKey("a/b"),
                       .body = body,
                       .content_type = "text/plain",
                       .condition = std::move(condition),
                       .crc64 = {}},
                      {});
  }
  static Operation get() {
    return get_object({.key = ObjectKey("a/b"), .range = {}, .if_match = {}}, 1 << 20);
  }

  // All of an error that anybody may see.
  static std::string all_text(const StorageManagerError& failure) {
    std::string text = failure.what();
    for (const Attempt& attempt : failure.attempts()) text += '\n' + attempt.what;
    text += failure.message();
    text += failure.advice();
    text += failure.request_id();
    return text;
  }

  std::chrono::milliseconds elapsed() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(clock.steady_now() - begun);
  }

  SetClock clock;
  SeededRandom random{20'260'101};
  std::chrono::steady_clock::time_point begun = clock.steady_now();
  std::shared_ptr<ScriptedTransport> transport = std::make_shared<ScriptedTransport>();
  std::unique_ptr<Client> made;
};

}  // namespace stepstore::s3
