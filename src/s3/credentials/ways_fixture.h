// What the tests of the ways to credentials share: a home with files, variables, and a server that
// answers as STS, a container's endpoint or a metadata service would, and keeps what it was asked.
#pragma once

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/errors.h"
#include "http/client.h"
#include "http/server.h"
#include "s3/credentials/chain.h"
#include "testing/fakes.h"

namespace stepstore::s3 {

class WaysFixture : public ::testing::Test {
 protected:
  WaysFixture() {
    std::string pattern = (std::filesystem::temp_directory_path() / "stepstore-XXXXXX").string();
    home = ::mkdtemp(pattern.data());
    std::filesystem::create_directory(home / ".aws");
    variables["HOME"] = home.string();
    variables["AWS_REGION"] = "eu-west-1";
  }
  ~WaysFixture() override {
    server.stop();
    std::filesystem::remove_all(home);
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(server.port()); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(home / name) << text;
  }
  void answer(const std::string& request, int status, const std::string& body) {
    const std::lock_guard lock(mutex);
    answers[request] = {.status = status, .headers = {}, .body = Bytes::copy(body)};
  }
  std::vector<http::Received> asked() {
    const std::lock_guard lock(mutex);
    return received;
  }
  static std::string header(const http::Received& request, std::string_view name) {
    const auto* const value = http::find_header(request.headers, name);
    return value ? *value : "";
  }

  CredentialsMeans means(std::shared_ptr<http::Transport> transport = nullptr) {
    if (!transport) transport = std::make_shared<http::Client>(http::ClientOptions{}, clock);
    return {.lookup = [this](std::string_view name) -> std::optional<std::string> {
              const auto found = variables.find(std::string(name));
              if (found == variables.end()) return std::nullopt;
              return found->second;
            },
            .clock = clock,
            .random = random,
            .transport = transport,
            .direct = transport,
            .environment = [] { return ::environ; },
            .on_aws = on_aws};
  }
  std::shared_ptr<CredentialsSource> source(const std::string& profile = {}) {
    return default_credentials(means(), profile);
  }
  std::shared_ptr<const Credentials> find(const std::string& profile = {}) {
    return source(profile)->current({});
  }
  // All of the error that looking for credentials gives.
  std::string refused(const std::string& profile = {}) {
    try {
      (void)find(profile);
    } catch (const StorageManagerError& failed) {
      return failed.what();
    }
    return "(no error)";
  }

  static std::string sts_answer(const std::string& action, const std::string& key) {
    return "<" + action + "Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><" +
           action + "Result><Credentials><AccessKeyId>" + key +
           "</AccessKeyId><SecretAccessKey>S2</SecretAccessKey><SessionToken>T2</SessionToken>"
           "<Expiration>2026-01-01T01:00:00Z</Expiration></Credentials></" +
           action + "Result></" + action + "Response>";
  }
  static std::string metadata_answer(const std::string& key) {
    return R"({"Code":"Success","AccessKeyId":")" + key +
           R"(","SecretAccessKey":"S2","Token":"T2","Expiration":"2026-01-01T01:00:00Z"})";
  }

  std::filesystem::path home;
  std::map<std::string, std::string> variables;
  SetClock clock;  // 2026-01-01T00:00:00Z
  SeededRandom random{20'261'128};
  bool on_aws = false;
  std::mutex mutex;
  std::map<std::string, http::Response> answers;  // by "GET /path"
  std::vector<http::Received> received;
  http::Server server{{}, [this](const http::Received& request) {
                        const std::lock_guard lock(mutex);
                        received.push_back(request);
                        const auto found = answers.find(request.method + ' ' + request.target);
                        if (found == answers.end()) {
                          return http::Reply{.response = {.status = 404}};
                        }
                        return http::Reply{.response = found->second};
                      }};
};

}  // namespace stepstore::s3
