// Writer: commits a step, as protocol.md says under "Store" and "Store again".
#pragma once

#include <string>
#include <string_view>

#include "manager/format_gate.h"
#include "manager/prepared_step.h"
#include "manager/roots.h"
#include "stepstore/options.h"
#include "stepstore/step.h"

namespace stepstore {

class Writer {
 public:
  Writer(ObjectStore& store, const FormatGate& gate, Roots& roots, Clock& clock,
         const Options& options)
      : store_(store), gate_(gate), roots_(roots), clock_(clock), options_(options) {}

  // Thread-safe.
  Receipt store(std::string_view session_id, std::string_view step_id, const StepData& data,
                const StoreOptions& options, const CallLimits& limits);

 private:
  struct Job;
  struct Turn;

  Turn first_store(Job& job);
  Turn store_again(Job& job, const StepRoot& base);

  void give_plain_names(Job& job);
  void give_other_names_where_taken(Job& job, const std::vector<Result<ETag>>& outcomes);
  Commit commit(Job& job, const Manifest& manifest, const Condition& condition,
                std::vector<PutRequest> more_parts);
  static void check_manifest_size(const Job& job, std::size_t bytes);
  bool send_streamed(Job& job, std::vector<Result<ETag>>& outcomes);
  Result<ETag> upload(const Job& job, const PreparedPart& part, const ObjectKey& key,
                      const Condition& condition);
  Manifest new_manifest(const Job& job) const;
  void clear_dead_folder(const Job& job, const Commit& moved, const std::vector<std::string>& sent);
  Turn moved_to(Job& job, std::uint64_t generation);
  Turn refused(Job& job, const Commit& done, const std::vector<std::string>& sent);
  void remove_locations(const std::string& folder, const std::vector<std::string>& locations,
                        const CallLimits& limits);
  Receipt receipt(const Job& job, const Manifest& manifest, bool skipped = false) const;

  ObjectStore& store_;
  const FormatGate& gate_;
  Roots& roots_;
  Clock& clock_;
  const Options& options_;
};

}  // namespace stepstore
