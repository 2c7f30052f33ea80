// Managers over the project's own S3 server, whose requests and answers a test may hold, lose or
// send twice.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "http/client.h"
#include "http/url.h"
#include "manager/manager_core.h"
#include "store/s3/s3_store.h"
#include "testing/fault_server/fault_server.h"
#include "tests/canary/canary.h"

namespace stepstore {

class FaultsTest : public testing::Test {
 protected:
  explicit FaultsTest(const fault::Dialect& dialect = {})
      : server({.service = {.dialect = dialect}}) {}

  // A process of its own: it shares neither connections nor memory with the others.
  std::unique_ptr<StorageManager> open() {
    return std::make_unique<StorageManager>(ManagerCore::manage(std::make_shared<ManagerCore>(
        store_of_its_own(), Options{}, StorageInfo{.backend = "s3"})));
  }

  std::shared_ptr<ObjectStore> store_of_its_own(const S3StoreOptions& how = {}) {
    http::ClientOptions http;
    http.first_byte_timeout = std::chrono::milliseconds(2'000);
    http.stall_timeout = std::chrono::milliseconds(2'000);
    s3::ClientOptions options{.endpoint = http::parse_url(server.endpoint()).endpoint,
                              .bucket = "checkpoints"};
    options.retry.base = std::chrono::milliseconds(1);
    options.retry.throttled_base = std::chrono::milliseconds(1);
    options.rate.floor_per_s = 10'000;
    auto client =
        std::make_shared<s3::Client>(options, std::make_shared<http::Client>(http, system_clock()),
                                     s3::fixed_credentials({.access_key = "any",
                                                            .secret_key = canary(),
                                                            .session_token = canary(),
                                                            .source = "the test"}),
                                     system_clock(), system_random());
    return std::make_shared<S3Store>(client, how, system_clock(), system_random());
  }

  // A manager that knows the bucket already, so that the journal holds nothing but what is asked.
  std::unique_ptr<StorageManager> ready() {
    auto manager = open();
    for (const char* const step : {"first", "second"}) {
      manager->store_step_data("warm", step, {.html_content = "x"});
      (void)manager->retrieve_step_data("warm", step);
    }
    server.plan().forget_journal();
    return manager;
  }

  // Its screenshot is a PNG to whoever looks at its first bytes: a reader's first guess is right.
  static void store(StorageManager& manager, const std::string& text) {
    const std::string png = "\x89PNG\r\n\x1a\n" + text;
    manager.store_step_data("s", "1",
                            {.html_content = text, .screenshot_bytes = png, .action_data = "{}"});
  }

  // What a process sees that has seen nothing before.
  std::string seen() {
    try {
      const Step step = open()->retrieve_step_data("s", "1");
      const std::string html(step.html_content()->text());
      EXPECT_TRUE(step.screenshot_bytes()->text().ends_with(html)) << "half a step";
      return html;
    } catch (const NotFound&) {
      return "absent";
    }
  }

  fault::FaultServer server;
};

}  // namespace stepstore
