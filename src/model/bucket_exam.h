// BucketExam: a store that can also be asked about the server behind it, request by request.
// S3Store is one; a store need not be.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/questions.h"
#include "stepstore/object_store.h"

namespace stepstore {

// One examination, with a folder of its own below which all of its objects lie. Not thread-safe.
class Examination {
 public:
  virtual ~Examination() = default;

  // What can be asked, in the order in which it has to be.
  virtual std::vector<Question> questions() = 0;
  // What the server calls itself, once it has answered; empty: it does not.
  virtual std::string server() const = 0;
  // To be called when all is asked: `create_races`, `swap_races` are false where the store itself
  // was seen to let several writers win. Keeps what was found out, for every writer.
  virtual void conclude(bool create_races, bool swap_races) = 0;
  // Removes everything below the folder that listing or memory tells of, whatever was done before;
  // what stays, and why. Never throws.
  virtual std::vector<std::string> clean_up(const CallLimits& limits) noexcept = 0;
};

class BucketExam {
 public:
  virtual ~BucketExam() = default;
  // `id` names the folder, as of probe_key(). `limits` must live as long as the examination.
  virtual std::unique_ptr<Examination> examine(std::string id, bool thorough,
                                               const CallLimits& limits) = 0;
};

}  // namespace stepstore
