#include "testing/object_store_conformance.h"

#include <algorithm>
#include <cstdlib>
#include <ostream>
#include <utility>

namespace stepstore {
namespace {

std::uint64_t chosen_seed() {
  const char* const text = std::getenv("STEPSTORE_TEST_SEED");
  return text ? std::strtoull(text, nullptr, 10) : 1;
}

bool chosen_thorough() {
  const char* const text = std::getenv("STEPSTORE_TEST_THOROUGH");
  return text && std::string_view(text) == "1";
}

}  // namespace

// A program may link this library for its other parts.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ObjectStoreConformance);

TEST_P(ObjectStoreConformance, Keeps) {
  const StoreFactory& factory = *GetParam().factory;
  const ConformanceCase& which = *GetParam().which;
  const std::shared_ptr<ObjectStore> store = factory.make();
  ConformanceOptions options{.seed = chosen_seed(),
                             .thorough = chosen_thorough(),
                             .guard_is_atomic = factory.guard_is_atomic,
                             .key_bytes_max = factory.key_bytes_max,
                             .reopen = {}};
  if (factory.reopen) options.reopen = [&] { return factory.reopen(*store); };
  ASSERT_TRUE(applies(which, *store, options))
      << factory.name << " does not claim what this case needs, and its factory does not say so";
  try {
    run_conformance_case(which, *store, options);
  } catch (const ConformanceFailure& broken) {
    FAIL() << store->capabilities().stack << ": " << broken.what() << "\n  " << which.shows << ".";
  }
}

void PrintTo(const ConformanceParam& param, std::ostream* out) {
  *out << param.factory->name << " x " << param.which->name;
}

testing::internal::ParamGenerator<ConformanceParam> every_case(StoreFactory factory) {
  const auto shared = std::make_shared<const StoreFactory>(std::move(factory));
  std::vector<ConformanceParam> params;
  const std::vector<std::string> left_out = cases_left_out(*shared);
  for (const ConformanceCase& which : conformance_cases()) {
    if (std::find(left_out.begin(), left_out.end(), which.name) == left_out.end()) {
      params.push_back({shared, &which});
    }
  }
  return testing::ValuesIn(params);
}

std::vector<std::string> cases_left_out(const StoreFactory& factory) {
  std::vector<std::string> names;
  if (factory.guard_is_atomic && !factory.weaker) return names;
  const std::shared_ptr<ObjectStore> store = factory.make();
  const ConformanceOptions options{.guard_is_atomic = factory.guard_is_atomic,
                                   .key_bytes_max = factory.key_bytes_max};
  for (const ConformanceCase& which : conformance_cases()) {
    const bool declared = factory.weaker || which.needs == ConformanceCase::Needs::atomic_guard;
    if (declared && !applies(which, *store, options)) names.emplace_back(which.name);
  }
  return names;
}

std::string conformance_name(const testing::TestParamInfo<ConformanceParam>& info) {
  return info.param.which->name;
}

}  // namespace stepstore
