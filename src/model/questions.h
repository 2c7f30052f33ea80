// Questions to a store, asked one after the other; what goes wrong with one of them is its answer.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "stepstore/doctor.h"

namespace stepstore {

struct Reply {
  DoctorRow::Verdict verdict = DoctorRow::Verdict::unknown;
  std::string seen{};
  std::string advice{};          // left out of the row where the verdict is yes
  std::optional<bool> needed{};  // in place of the question's
};

struct Question {
  std::string area;
  std::string name;
  std::string tried;
  bool needed = false;
  std::function<Reply()> ask;  // throws what keeps it from being answered
};

// Asks. An error is `unknown` with the error's words, but for Cancelled and Closed, which are
// thrown: nobody waits for the answer.
DoctorRow answer_to(const Question& question);
// The row of a question that is not asked.
DoctorRow unasked(const Question& question, std::string why);

}  // namespace stepstore
