// The conformance checks as a GoogleTest suite. A store's test names a factory:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, ObjectStoreConformance,
//                            every_case({.name = "memory", .make = [] {
//                              return std::make_shared<MemoryStore>();
//                            }}),
//                            conformance_name);
//
// STEPSTORE_TEST_SEED chooses other bytes and orders, STEPSTORE_TEST_THOROUGH=1 longer races.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "check/conformance.h"

namespace stepstore {

struct StoreFactory {
  std::string name;
  std::function<std::shared_ptr<ObjectStore>()> make;  // a fresh, empty store
  // Another handle on a store that `make` made. Empty: the store has one handle only.
  std::function<std::shared_ptr<ObjectStore>(ObjectStore&)> reopen{};
  // True when the store does not claim every condition: cases about those are left out. Else they
  // fail.
  bool weaker = false;
  bool guard_is_atomic = true;
  std::size_t key_bytes_max = 1'024;
};

struct ConformanceParam {
  std::shared_ptr<const StoreFactory> factory;
  const ConformanceCase* which;
};
void PrintTo(const ConformanceParam& param, std::ostream* out);

class ObjectStoreConformance : public testing::TestWithParam<ConformanceParam> {};

// The names of the cases that the store need not meet, by what its factory declares. Its test pins
// them.
std::vector<std::string> cases_left_out(const StoreFactory& factory);
// The factory with every case that is not left out; each is a test of its own.
testing::internal::ParamGenerator<ConformanceParam> every_case(StoreFactory factory);
// The name of such a test: the case's.
std::string conformance_name(const testing::TestParamInfo<ConformanceParam>& info);

}  // namespace stepstore
