#include "store/s3/exam.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "store/s3/examiner.h"
#include "store/s3/probe.h"

namespace stepstore::bucket {
namespace {

using Verdict = DoctorRow::Verdict;

constexpr ProbeEffort kEffort{.racers = 32, .races = 3};
constexpr ProbeEffort kThoroughEffort{.racers = 32, .races = 10};

class S3Examination final : public Examination {
 public:
  S3Examination(std::shared_ptr<Bucket> bucket, std::string id, bool thorough,
                const CallLimits& limits)
      : examiner_(std::move(bucket), std::move(id), limits),
        effort_(thorough ? kThoroughEffort : kEffort) {}

  std::vector<Question> questions() override {
    std::vector<Question> all;
    const auto add = [&all](std::vector<Question> more) {
      std::ranges::move(more, std::back_inserter(all));
    };
    add(access_questions(examiner_));
    add(integrity_questions(examiner_));
    add(dialect_questions(examiner_));
    all.push_back({.area = "conditional requests",
                   .name = "probe",
                   .tried = "what writers go by: 32 of them create and swap one object, " +
                            std::to_string(effort_.races) + " times over",
                   .needed = true,
                   .ask = [this] { return probe(); }});
    add(condition_questions(examiner_));
    return all;
  }

  std::string server() const override { return examiner_.server(); }

  void conclude(bool create_races, bool swap_races) override {
    if (!found_) return;
    found_->create_if_absent = found_->create_if_absent && create_races;
    found_->complete_if_absent = found_->complete_if_absent && create_races;
    found_->swap_if_unchanged = found_->swap_if_unchanged && swap_races;
    keep(examiner_.bucket(), *found_, examiner_.limits());
  }

  std::vector<std::string> clean_up(const CallLimits& limits) noexcept override {
    return examiner_.clean_up(limits);
  }

 private:
  // Whatever it is, writers get along with it.
  Reply probe() {
    Bucket& bucket = examiner_.bucket();
    found_ = try_out(bucket, examiner_.id(), effort_, examiner_.limits());
    bucket.dialect.learn(*found_);
    const auto says = [](bool enforced) { return enforced ? "enforced" : "not enforced"; };
    std::string seen = std::string("create-if-absent is ") + says(found_->create_if_absent) +
                       ", swap is " + says(found_->swap_if_unchanged);
    if (found_->bare_etags) seen += " (by ETags without quotes)";
    return {.verdict = Verdict::yes, .seen = std::move(seen)};
  }

  Examiner examiner_;
  const ProbeEffort effort_;
  std::optional<BucketProbe> found_{};
};

}  // namespace

std::unique_ptr<Examination> start_exam(std::shared_ptr<Bucket> bucket, std::string id,
                                        bool thorough, const CallLimits& limits) {
  return std::make_unique<S3Examination>(std::move(bucket), std::move(id), thorough, limits);
}

}  // namespace stepstore::bucket
