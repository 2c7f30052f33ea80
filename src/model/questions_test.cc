// A question that fails is answered by its failure; one that nobody waits for ends the asking; a
// store is fit when every needed answer is yes.
#include "model/questions.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "base/errors.h"

namespace stepstore {
namespace {

using Verdict = DoctorRow::Verdict;

Question question(std::function<Reply()> ask, bool needed = false) {
  return {.area = "keys",
          .name = "odd",
          .tried = "a put of an odd key",
          .needed = needed,
          .ask = std::move(ask)};
}

TEST(Questions, AnAnswerBecomesARow) {
  const DoctorRow row = answer_to(question(
      [] { return Reply{.verdict = Verdict::no, .seen = "404", .advice = "Use plain keys."}; }));
  EXPECT_EQ(row.area, "keys");
  EXPECT_EQ(row.name, "odd");
  EXPECT_EQ(row.tried, "a put of an odd key");
  EXPECT_EQ(row.verdict, Verdict::no);
  EXPECT_EQ(row.seen, "404");
  EXPECT_EQ(row.advice, "Use plain keys.");
}

TEST(Questions, WhereAllIsWellThereIsNoAdvice) {
  const DoctorRow row = answer_to(question(
      [] { return Reply{.verdict = Verdict::yes, .seen = "kept", .advice = "Mend it."}; }));
  EXPECT_EQ(row.seen, "kept");
  EXPECT_EQ(row.advice, "");
}

TEST(Questions, AFailureIsUnknownInItsOwnWords) {
  const DoctorRow row = answer_to(question([]() -> Reply {
    error(ErrorCode::Throttled, "put", "k", "the server asks to slow down").raise();
  }));
  EXPECT_EQ(row.verdict, Verdict::unknown);
  EXPECT_NE(row.seen.find("asks to slow down"), std::string::npos) << row.seen;
  EXPECT_FALSE(row.advice.empty());
  const DoctorRow other =
      answer_to(question([]() -> Reply { throw std::runtime_error("no memory"); }));
  EXPECT_EQ(other.verdict, Verdict::unknown);
  EXPECT_EQ(other.seen, "no memory");
}

TEST(Questions, NobodyWaitsForTheAnswerOfACallThatWasStopped) {
  const Question stopped = question([]() -> Reply {
    error(ErrorCode::Cancelled, "put", "k", "the caller asked to stop").raise();
  });
  EXPECT_THROW((void)answer_to(stopped), Cancelled);
}

TEST(Questions, OnlyWhatIsNeededSpoilsAStore) {
  const auto row = [](Verdict verdict, bool needed) {
    return DoctorRow{.verdict = verdict, .needed = needed};
  };
  DoctorReport report;
  EXPECT_TRUE(report.fit());
  report.rows = {row(Verdict::yes, true), row(Verdict::no, false), row(Verdict::unknown, false)};
  EXPECT_TRUE(report.fit());
  for (const Verdict verdict : {Verdict::no, Verdict::partly, Verdict::unknown}) {
    report.rows.back() = row(verdict, true);
    EXPECT_FALSE(report.fit()) << name_of(verdict);
  }
}

}  // namespace
}  // namespace stepstore
