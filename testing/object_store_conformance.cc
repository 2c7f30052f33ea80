#include "testing/object_store_conformance.h"

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
  if (!applies(which, *store, options)) {
    // A guard that is not atomic is a declared property, and so is a weaker store.
    const bool declared = factory.weaker || which.needs == ConformanceCase::Needs::atomic_guard;
    if (declared) GTEST_SKIP() << factory.name << " does not claim what this case needs";
    FAIL() << factory.name << " does not claim what this case needs, and its factory does not say "
           << "that it is weaker";
  }
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
  for (const ConformanceCase& which : conformance_cases()) params.push_back({shared, &which});
  return testing::ValuesIn(params);
}

std::string conformance_name(const testing::TestParamInfo<ConformanceParam>& info) {
  return info.param.which->name;
}

}  // namespace stepstore
