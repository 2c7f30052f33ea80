// What doctor() asks any store: conformance cases, put together under names that people understand.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "check/scratch_store.h"
#include "model/questions.h"

namespace stepstore {

struct CaseSetting {
  ScratchStore& store;
  Clock& clock;
  const CallLimits& limits;
  std::string folder;  // everything goes below it
  std::uint64_t seed = 1;
  bool thorough = false;
  bool learns = false;  // what a race has shown is kept, and worked around from then on
};

// What the cases have shown so far.
struct Shown {
  bool create_races = true;  // false: two writers created one object
  bool swap_races = true;
};

// The setting and `shown` must outlive the questions.
std::vector<Question> case_questions(const CaseSetting& setting, Shown& shown);

}  // namespace stepstore
