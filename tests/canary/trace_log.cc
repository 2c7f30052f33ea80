// Part of every C++ test program: where $STEPSTORE_TEST_TRACE names a folder, the library's log
// lines of each test go into a file there, at the level trace, for canary.py to search.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "stepstore/log.h"
#include "tests/canary/canary.h"

namespace stepstore {
namespace {

std::string test_name(const testing::TestInfo* test) {
  if (test == nullptr) return "(before the first test)";
  return std::string(test->test_suite_name()) + '.' + test->name();
}

// Appends by one write, so that neither processes nor a forked child mix their lines.
class Lines {
 public:
  explicit Lines(const char* name) {
    const char* const folder = std::getenv("STEPSTORE_TEST_TRACE");
    if (folder == nullptr || *folder == '\0') return;
    const std::string path = std::string(folder) + '/' + name;
    fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  }
  bool open() const { return fd_ >= 0; }
  void add(std::string line) const {
    if (fd_ < 0) return;
    line += '\n';
    [[maybe_unused]] const ssize_t written = ::write(fd_, line.data(), line.size());
  }

 private:
  int fd_ = -1;
};

// Each test begins with this handler; one that sets its own has its lines to itself.
class TraceLog final : public testing::EmptyTestEventListener {
 public:
  void OnTestStart(const testing::TestInfo& test) override {
    lines_.add("== " + test_name(&test));
    set_log_handler([this](const LogRecord& record) { lines_.add(record.message); },
                    LogLevel::trace);
  }
  void OnTestEnd(const testing::TestInfo&) override { set_log_handler({}); }
  bool open() const { return lines_.open(); }

 private:
  Lines lines_{"cpp.log"};
};

bool listen() {
  auto log = std::make_unique<TraceLog>();
  if (!log->open()) return false;
  testing::UnitTest::GetInstance()->listeners().Append(log.release());
  return true;
}

[[maybe_unused]] const bool kListening = listen();

}  // namespace

std::string canary() {
  static const Lines uses("canary.uses");
  uses.add(test_name(testing::UnitTest::GetInstance()->current_test_info()));
  const char* const given = std::getenv("STEPSTORE_TEST_CANARY");
  return given != nullptr && *given != '\0' ? given : "c4nary/+0fNoRunInParticular+/secret==";
}

}  // namespace stepstore
