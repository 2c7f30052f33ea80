#include "check/doctor.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "base/errors.h"
#include "base/log.h"
#include "base/ulid.h"
#include "check/doctor_cases.h"
#include "check/scratch_store.h"
#include "layout/keys.h"
#include "model/format_marker.h"

namespace stepstore {
namespace {

using Verdict = DoctorRow::Verdict;

// For tidying up after the call's own time is over.
constexpr std::chrono::seconds kGrace{20};

// Whether other things may work although this does not.
bool leaves_hope(const StorageManagerError& error) {
  return error.code() == ErrorCode::PermissionDenied || error.code() == ErrorCode::NoSpace;
}

// Throws why nothing can be tried: neither a write, nor a listing, nor a read.
void reach(ScratchStore& store, const std::string& folder, const CallLimits& limits) {
  const ObjectKey key(folder + "/reach");
  const auto put = put_one(store, {.key = key, .body = "x", .content_type = "text/plain"}, limits);
  if (put) return;
  if (!leaves_hope(put.error())) put.error().raise();
  const auto read = head_one(store, key, limits);
  if (read || read.is(ErrorCode::NotFound)) return;
  try {
    (void)store.list({.prefix = folder, .limit = 1}, limits);
    return;
  } catch (const StorageManagerError& failed) {
    if (!leaves_hope(failed)) throw;
  }
  put.error().raise();
}

Reply format_of(ObjectStore& store, const CallLimits& limits) {
  const ObjectKey key = format_marker_key();
  const auto found = get_one(store, key, limits);
  if (found.is(ErrorCode::NotFound)) {
    return {.verdict = Verdict::yes, .seen = "none so far: nothing was stored here"};
  }
  const FormatMarker marker = parse_format_marker(found.value().body.text(), key.text());
  const std::string takes = "to read it takes format " + std::to_string(marker.reader_min) +
                            ", to write format " + std::to_string(marker.writer_min) +
                            "; this release knows up to " + std::to_string(kFormatMajor);
  if (marker.reader_min > kFormatMajor || marker.writer_min > kFormatMajor) {
    return {.verdict = Verdict::no, .seen = takes, .advice = "Use a newer stepstore."};
  }
  return {.verdict = Verdict::yes, .seen = takes};
}

Question format_question(ObjectStore& store, const CallLimits& limits) {
  return {.area = "store",
          .name = "format",
          .tried = "what the store says of its own format",
          .needed = true,
          .ask = [&store, &limits] { return format_of(store, limits); }};
}

class Doctor {
 public:
  Doctor(ObjectStore& store, BucketExam* bucket, Clock& clock, Random& random,
         const DoctorOptions& options, const CallLimits& limits)
      : clock_(clock),
        options_(options),
        limits_(limits),
        scratch_(store, limits),
        id_(make_ulid(clock, random)),
        setting_{.store = scratch_,
                 .clock = clock,
                 .limits = limits,
                 .folder = folder_of(probe_key(id_, "x").text()),
                 .thorough = options.thorough,
                 .learns = bucket != nullptr},
        exam_(bucket ? bucket->examine(id_, options.thorough, limits) : nullptr) {}

  DoctorReport run() {
    try {
      reach(scratch_, setting_.folder, limits_);
      ask_all();
      if (exam_) exam_->conclude(shown_.create_races, shown_.swap_races);
    } catch (...) {
      tidy_up();
      throw;
    }
    tidy_up();
    if (exam_) report_.server = exam_->server();
    return std::move(report_);
  }

 private:
  static std::string folder_of(const std::string& key) { return key.substr(0, key.rfind('/')); }

  void ask_all() {
    std::vector<Question> questions{format_question(scratch_, limits_)};
    if (exam_) std::ranges::move(exam_->questions(), std::back_inserter(questions));
    std::ranges::move(case_questions(setting_, shown_), std::back_inserter(questions));
    for (const Question& question : questions) {
      if (options_.progress) {
        options_.progress(question.name, report_.rows.size(), questions.size());
      }
      report_.rows.push_back(time_is_over() ? unasked(question, "there was no time left to ask")
                                            : answer_to(question));
    }
  }

  // Throws Cancelled when the caller wants to stop.
  bool time_is_over() const {
    try {
      check_limits(limits_, clock_, "doctor");
      return false;
    } catch (const Timeout&) {
      return true;
    }
  }

  void tidy_up() {
    const CallLimits grace{.deadline = clock_.steady_now() + kGrace};
    report_.left_behind = scratch_.clear(grace);
    if (exam_) std::ranges::move(exam_->clean_up(grace), std::back_inserter(report_.left_behind));
    for (const std::string& stays : report_.left_behind) {
      log_warning("doctor could not remove {}", stays);
    }
  }

  Clock& clock_;
  const DoctorOptions& options_;
  const CallLimits& limits_;
  ScratchStore scratch_;
  const std::string id_;
  const CaseSetting setting_;
  Shown shown_{};
  std::unique_ptr<Examination> exam_;
  DoctorReport report_{};
};

}  // namespace

DoctorReport examine_store(ObjectStore& store, BucketExam* bucket, Clock& clock, Random& random,
                           const DoctorOptions& options, const CallLimits& limits) {
  return Doctor(store, bucket, clock, random, options, limits).run();
}

}  // namespace stepstore
