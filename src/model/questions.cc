#include "model/questions.h"

#include <algorithm>
#include <utility>

#include "stepstore/error.h"

namespace stepstore {

using Verdict = DoctorRow::Verdict;

std::string_view v1::name_of(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::yes:
      return "yes";
    case Verdict::no:
      return "no";
    case Verdict::partly:
      return "partly";
    case Verdict::unknown:
      break;
  }
  return "unknown";
}

bool v1::DoctorReport::fit() const noexcept {
  return std::ranges::none_of(
      rows, [](const DoctorRow& row) { return row.needed && row.verdict != Verdict::yes; });
}

DoctorRow unasked(const Question& question, std::string why) {
  return {.area = question.area,
          .name = question.name,
          .tried = question.tried,
          .verdict = Verdict::unknown,
          .seen = std::move(why),
          .advice = {},
          .needed = question.needed};
}

DoctorRow answer_to(const Question& question) {
  DoctorRow row = unasked(question, {});
  try {
    Reply reply = question.ask();
    row.verdict = reply.verdict;
    row.seen = std::move(reply.seen);
    row.needed = reply.needed.value_or(question.needed);
    if (row.verdict != Verdict::yes) row.advice = std::move(reply.advice);
  } catch (const StorageManagerError& failed) {
    if (failed.code() == ErrorCode::Cancelled || failed.code() == ErrorCode::Closed) throw;
    row.seen = failed.what();
    row.advice = failed.advice();
  } catch (const std::exception& failed) {
    row.seen = failed.what();
  }
  return row;
}

}  // namespace stepstore
