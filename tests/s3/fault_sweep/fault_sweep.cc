// Stores, reads, lists and deletes over S3, of which each request in turn meets each kind of fault
// that makes sense for it (testing/fault_server/README.md), once and for ever. Afterwards the step
// is wholly the old or wholly the new one, what was acknowledged is there, `check` finds no damage,
// the call has ended in its time with success or a documented error and after a bounded number of
// requests, and no connection, thread or descriptor is left over.
//
//   fault_sweep [--whole | --runs N] [--kind NAME] [--gtest_filter=*store_large*]
//
// A run is one call with one disturbance. Without --whole a seed chooses some of them, N of each
// call (12); STEPSTORE_TEST_SEED repeats the choice. At the end all runs are counted by kind.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <map>
#include <random>
#include <string>

#include "tests/s3/fault_sweep/run.h"

namespace stepstore::sweep {
namespace {

struct Arguments {
  bool whole = false;
  std::size_t runs = 12;  // of each act
  std::string kind{};     // only this one
  std::uint64_t seed = 0;
};

Arguments& arguments() {
  static Arguments given;
  return given;
}

// Faults that tell the client that it must give up, even once.
bool may_fail_at_once(const Disturbance& disturbance) {
  constexpr std::array<std::string_view, 6> kFinal{"denied",        "expired_token", "garbage",
                                                   "redirect_host", "delete_denied", "no_etag"};
  const std::string_view kind = disturbance.kind->name;
  // Half a manifest is a damaged one.
  if (kind == "short_body" && is_root(disturbance.target.sample)) return true;
  return std::ranges::find(kFinal, kind) != kFinal.end();
}

struct Count {
  std::size_t runs = 0, succeeded = 0, not_met = 0, requests_max = 0;
};

class Counts {
 public:
  void add(const Disturbance& disturbance, const Account& account) {
    Count& count = counts_[std::string(disturbance.kind->name)][disturbance.for_ever ? 1 : 0];
    ++count.runs;
    if (account.succeeded) ++count.succeeded;
    if (!account.met) ++count.not_met;
    count.requests_max = std::max(count.requests_max, account.requests);
    failed_ += account.wrong.empty() ? 0 : 1;
  }
  void print(std::ostream& out) const {
    out << "kind                  once: runs  succeeded  requests    for ever: runs  succeeded  "
           "requests\n";
    std::size_t total = 0, unmet = 0;
    for (const auto& [kind, both] : counts_) {
      out << std::left << std::setw(22) << kind << std::right;
      for (const Count& each : both) {
        out << std::setw(10) << each.runs << std::setw(11) << each.succeeded << std::setw(10)
            << each.requests_max << "      ";
        total += each.runs;
        unmet += each.not_met;
      }
      out << '\n';
    }
    out << "seed " << arguments().seed << "; of " << unmet
        << " runs the request never came\nfault sweep: " << total - failed_ << " passed, "
        << failed_ << " failed" << std::endl;
  }

 private:
  std::map<std::string, std::array<Count, 2>> counts_{};
  std::size_t failed_ = 0;
};

Counts& counts() {
  static Counts all;
  return all;
}

std::vector<Disturbance> chosen(std::vector<Disturbance> all) {
  if (!arguments().kind.empty()) {
    std::erase_if(all, [](const Disturbance& each) { return each.kind->name != arguments().kind; });
  }
  if (arguments().whole || all.size() <= arguments().runs) return all;
  std::mt19937_64 dice(arguments().seed);
  std::ranges::shuffle(all, dice);
  all.resize(arguments().runs);
  return all;
}

class FaultSweep : public testing::TestWithParam<std::string> {};

TEST_P(FaultSweep, LeavesEverythingWhole) {
  World world;
  Runs runs(world, act_named(GetParam()));
  std::cout << "STEPSTORE_TEST_SEED=" << arguments().seed << "; " << runs.targets().size()
            << " requests\n";
  ASSERT_FALSE(runs.targets().empty());
  for (const Disturbance& each : chosen(runs.disturbances())) {
    const Account account = runs.run(each, arguments().seed);
    counts().add(each, account);
    for (const std::string& wrong : account.wrong) {
      ADD_FAILURE() << each.text() << ": " << wrong
                    << (account.error.empty() ? "" : "\n  the call said: ") << account.error;
    }
    if (!each.for_ever && !may_fail_at_once(each)) {
      EXPECT_TRUE(account.succeeded)
          << each.text() << ": one such fault should pass unnoticed; " << account.error;
    }
  }
}

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const Act& act : acts()) all.push_back(act.name);
  return all;
}

INSTANTIATE_TEST_SUITE_P(Calls, FaultSweep, testing::ValuesIn(names()),
                         [](const auto& each) { return each.param; });

bool read_arguments(int argc, char** argv) {
  Arguments& given = arguments();
  const char* const seed = std::getenv("STEPSTORE_TEST_SEED");
  given.seed = seed != nullptr ? std::stoull(seed) : 1;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const bool more = i + 1 < argc;
    if (word == "--whole") {
      given.whole = true;
    } else if (word == "--runs" && more) {
      given.runs = std::stoull(argv[++i]);
    } else if (word == "--kind" && more && fault::find_kind(argv[i + 1]) != nullptr) {
      given.kind = argv[++i];
    } else {
      std::cerr << "fault_sweep: nobody knows '" << word << "'\n";
      return false;
    }
  }
  return true;
}

}  // namespace
}  // namespace stepstore::sweep

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (!stepstore::sweep::read_arguments(argc, argv)) return 2;
  const int failed = RUN_ALL_TESTS();
  if (!GTEST_FLAG_GET(list_tests)) stepstore::sweep::counts().print(std::cout);
  return failed;
}
