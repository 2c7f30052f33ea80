// The StorageManager suite: every test of it runs over every store that manager_stores() names.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "layout/keys.h"
#include "manager/manager_core.h"
#include "stepstore/stepstore.h"
#include "testing/fakes.h"

namespace stepstore {

struct ManagerStore {
  std::string name;
  std::function<std::shared_ptr<ObjectStore>(Clock&)> make;  // an empty store
  bool server_time = false;  // objects get the time of a server, and not the test's
  std::map<std::string, std::string> leaves_out{};  // tests ("Race.OneOf...") and why
};

// Memory, memory behind a prefix, and local directories, with fsync and without.
std::vector<ManagerStore> manager_stores();
// Those of them that answer within microseconds, for tests that make millions of requests.
std::vector<ManagerStore> quick_manager_stores();

inline void PrintTo(const ManagerStore& store, std::ostream* out) { *out << store.name; }

inline std::string store_name(const testing::TestParamInfo<ManagerStore>& info) {
  return info.param.name;
}

// For SetUp.
inline void skip_if_left_out(const ManagerStore& store) {
  const auto* const test = testing::UnitTest::GetInstance()->current_test_info();
  const std::string suite = test->test_suite_name(), name = test->name();
  const auto found = store.leaves_out.find(suite.substr(suite.find('/') + 1) + "." +
                                           name.substr(0, name.find('/')));
  if (found != store.leaves_out.end()) GTEST_SKIP() << found->second;
}

class ManagerTest : public testing::TestWithParam<ManagerStore> {
 protected:
  void SetUp() override {
    skip_if_left_out(GetParam());
    if (GetParam().server_time) {
      clock.set_wall(system_clock().now_ms());
      clock.set_steady(system_clock().steady_now());
    }
    store = GetParam().make(clock);
    manager = open();
  }

  // Another manager on the same store, as another process would have: it shares nothing that is
  // remembered.
  std::unique_ptr<StorageManager> open(const Options& options = {}) {
    auto core =
        std::make_shared<ManagerCore>(store, options, StorageInfo{.backend = "test"}, clock);
    return std::make_unique<StorageManager>(ManagerCore::manage(std::move(core)));
  }

  std::vector<std::string> keys() {
    std::vector<std::string> out;
    for (const ObjectInfo& object : list_all(*store, {})) out.push_back(object.key.text());
    return out;
  }

  void put(const std::string& key, std::string_view body) {
    put_one(*store, {.key = ObjectKey(key), .body = body}).value();
  }

  std::string body_of(const std::string& key) {
    return std::string(get_one(*store, ObjectKey(key)).value().body.text());
  }

  SetClock clock;
  std::shared_ptr<ObjectStore> store;
  std::unique_ptr<StorageManager> manager;
};

// The bytes of a component that may be absent.
inline std::string text(const std::optional<Bytes>& bytes) {
  return bytes ? std::string(bytes->text()) : "<absent>";
}

inline const std::string kPng = "\x89PNG\r\n\x1a\n rest of the picture";

}  // namespace stepstore
