// Stores of every released format stay readable: tests/golden/ holds one of each, as it was written
// then. What this release writes is compared with the newest to the byte, so that the format cannot
// change unnoticed.
//
// STEPSTORE_WRITE_GOLDEN=FOLDER writes that folder anew instead of comparing; do so only together
// with docs/format.md.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "manager/manager_fixture.h"
#include "store/memory_store.h"

namespace stepstore {
namespace {

using Tree = std::map<std::string, std::string>;  // key -> bytes

const std::filesystem::path kGolden = std::filesystem::path(STEPSTORE_SOURCE_DIR) / "tests/golden";

Tree read_folder(const std::filesystem::path& folder) {
  Tree tree;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ostringstream bytes;
    bytes << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    tree[std::filesystem::relative(entry.path(), folder).string()] = bytes.str();
  }
  return tree;
}

// Every kind of object that this release writes, with a clock and ids that are the same each time.
void record(StorageManager& manager, SetClock& clock) {
  manager.store_step_data("login", "0001",
                          {.html_content = "<!doctype html><title>Log in</title>",
                           .screenshot_bytes = kPng,
                           .action_data = "{\"type\": \"click\", \"selector\": \"#go\"}",
                           .metadata = "{\n  \"url\": \"https://example.com/\"\n}"});
  clock.advance(std::chrono::milliseconds(1500));
  const StoreOptions keep{.keep_versions = Keep{2}};
  manager.store_step_data("login", "0002", {.html_content = "first", .screenshot_bytes = kPng},
                          keep);
  clock.advance(std::chrono::seconds(1));
  manager.store_step_data(
      "login", "0002",
      {.html_content = "second",
       .screenshot_bytes = kPng,
       .components = {{"trace.zip", "PK"}, {"..", "odd"}, {"step.json", "own"}}},
      keep);
  manager.store_step_data("login", "0003", {.html_content = "deleted"});
  manager.delete_step("login", "0003");
  manager.store_step_data("a/b \xc3\xa4", ".hidden", {.html_content = "gone"});
  manager.delete_session("a/b \xc3\xa4");
  manager.store_step_data("a/b \xc3\xa4", ".hidden", {.html_content = "recorded again"});
}

TEST(Golden, WhatThisReleaseWritesIsFormat_1_0) {
  SetClock clock;
  SeededRandom random(1);
  const auto store = std::make_shared<MemoryStore>(clock);
  StorageManager manager = ManagerCore::manage(
      std::make_shared<ManagerCore>(store, Options{}, StorageInfo{}, clock, random));
  record(manager, clock);
  Tree written;
  for (const ObjectInfo& object : list_all(*store, {})) {
    written[object.key.text()] = get_one(*store, object.key).value().body.text();
  }
  if (const char* const folder = std::getenv("STEPSTORE_WRITE_GOLDEN")) {
    for (const auto& [key, bytes] : written) {
      const auto path = std::filesystem::path(folder) / key;
      std::filesystem::create_directories(path.parent_path());
      std::ofstream(path, std::ios::binary) << bytes;
    }
    return;
  }
  EXPECT_EQ(written, read_folder(kGolden / "format-1.0"));
}

TEST(Golden, Format_1_0_IsRead) {
  const auto store = std::make_shared<MemoryStore>();
  for (const auto& [key, bytes] : read_folder(kGolden / "format-1.0")) {
    put_one(*store, {.key = ObjectKey(key), .body = bytes}).value();
  }
  StorageManager manager(store);
  EXPECT_EQ(manager.list_sessions().ids, (std::vector<std::string>{"a/b \xc3\xa4", "login"}));
  EXPECT_EQ(manager.list_steps_for_session("login").ids,
            (std::vector<std::string>{"0001", "0002"}));

  const Step first = manager.retrieve_step_data("login", "0001");
  EXPECT_EQ(text(first.html_content()), "<!doctype html><title>Log in</title>");
  EXPECT_EQ(text(first.screenshot_bytes()), kPng);
  EXPECT_EQ(text(first.action_data()), "{\"type\": \"click\", \"selector\": \"#go\"}");
  EXPECT_EQ(text(first.metadata()), "{\n  \"url\": \"https://example.com/\"\n}");
  EXPECT_EQ(first.info().created_at,
            Timestamp(std::chrono::sys_days(std::chrono::year(2026) / 1 / 1)));

  const Step second = manager.retrieve_step_data("login", "0002");
  EXPECT_EQ(second.info().version, 2U);
  EXPECT_EQ(text(second.html_content()), "second");
  EXPECT_EQ(second.component("trace.zip").text(), "PK");
  EXPECT_EQ(second.component("..").text(), "odd");
  EXPECT_EQ(second.component("step.json").text(), "own");
  EXPECT_EQ(text(manager.retrieve_step_data("login", "0002", {.version = 1}).html_content()),
            "first");

  EXPECT_THROW(manager.retrieve_step_data("login", "0003"), NotFound);
  EXPECT_EQ(text(manager.retrieve_step_data("a/b \xc3\xa4", ".hidden").html_content()),
            "recorded again");
  const CheckReport report = manager.check({.data = true});
  EXPECT_TRUE(report.findings.empty());
  EXPECT_EQ(report.steps, 3U);
}

}  // namespace
}  // namespace stepstore
