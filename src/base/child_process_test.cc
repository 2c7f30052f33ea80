// Programs are run for what they print: without a shell, within their time, and none is left over.
#include "base/child_process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>

#include "base/errors.h"

namespace stepstore {
namespace {

using End = ChildOutcome::End;

ChildOutcome run(std::vector<std::string> arguments,
                 std::chrono::milliseconds timeout = std::chrono::seconds(30),
                 const CallLimits& limits = {}) {
  return run_child({.arguments = std::move(arguments),
                    .environment = ::environ,
                    .timeout = timeout,
                    .output_bytes_max = 1000},
                   limits, system_clock());
}

TEST(ChildProcess, GivesWhatWasPrintedAndTheStatus) {
  const auto done = run({"sh", "-c", "printf 'one two'; echo hidden >&2; exit 3"});
  EXPECT_EQ(done.end, End::exited);
  EXPECT_EQ(done.status, 3);
  EXPECT_EQ(done.output, "one two") << "without standard error";
  EXPECT_EQ(run({"cat"}).output, "") << "standard input is empty";
}

TEST(ChildProcess, NoShellLooksAtTheArguments) {
  EXPECT_EQ(run({"printf", "%s|", "$HOME", "a b", "", "'*'"}).output, "$HOME|a b||'*'|");
}

TEST(ChildProcess, SaysWhyItDidNotStart) {
  const auto none = run({"/no/such/program"});
  EXPECT_EQ(none.end, End::not_started);
  EXPECT_EQ(none.status, ENOENT);
  EXPECT_EQ(run({}).end, End::not_started);
}

TEST(ChildProcess, TellsASignal) {
  const auto killed = run({"sh", "-c", "kill -9 $$"});
  EXPECT_EQ(killed.end, End::killed);
  EXPECT_EQ(killed.status, SIGKILL);
}

// The child of the program holds the pipe too: both are killed, else the wait would go on.
TEST(ChildProcess, WhatTakesTooLongIsKilledWithItsChildren) {
  const auto begun = std::chrono::steady_clock::now();
  const auto late =
      run({"sh", "-c", "sleep 600 & echo $!; sleep 600"}, std::chrono::milliseconds(300));
  EXPECT_EQ(late.end, End::too_long);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(60));
  const pid_t grandchild = std::stoi(late.output);
  // Whoever inherits it has to notice its death; until then it is a zombie that kill() still finds.
  const auto state = run({"sh", "-c", "ps -o stat= -p " + std::to_string(grandchild)});
  EXPECT_TRUE(state.output.empty() || state.output.starts_with('Z')) << state.output;
}

TEST(ChildProcess, TheLimitsOfTheCallCountToo) {
  CallLimits limits{.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(50)};
  EXPECT_EQ(run({"sleep", "600"}, std::chrono::seconds(500), limits).end, End::too_long);
  int asked = 0;
  limits = {.interrupted = [&] { return ++asked > 2; }};
  EXPECT_THROW((void)run({"sleep", "600"}, std::chrono::seconds(500), limits), Cancelled);
}

TEST(ChildProcess, StopsReadingWhatNeverEnds) { EXPECT_EQ(run({"yes"}).end, End::too_much); }

TEST(ChildProcess, HasTheEnvironmentThatItIsGiven) {
  std::string setting = "GREETING=hello";
  const std::array<char*, 2> environment{setting.data(), nullptr};
  const ChildProcess child{.arguments = {"/usr/bin/env"}, .environment = environment.data()};
  EXPECT_EQ(run_child(child, {}, system_clock()).output, "GREETING=hello\n");
}

}  // namespace
}  // namespace stepstore
