// Reader: gets a step whole and verified, as protocol.md says under "Read".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manager/roots.h"
#include "stepstore/options.h"
#include "stepstore/step.h"

namespace stepstore {

class Reader {
 public:
  Reader(ObjectStore& store, Roots& roots, Clock& clock)
      : store_(store), roots_(roots), clock_(clock) {}

  // Thread-safe. `sure_generation`: the session root was read in this batch already and need not be
  // asked for again.
  Step read(std::string_view session_id, std::string_view step_id, const ReadOptions& options,
            const CallLimits& limits, std::optional<std::uint64_t> sure_generation = {});
  // Reads only the manifest.
  StepInfo stat(std::string_view session_id, std::string_view step_id, const ReadOptions& options,
                const CallLimits& limits);

 private:
  struct Target;
  struct Look;

  Look look(Target& target, bool with_bodies, bool with_session, const CallLimits& limits);
  std::optional<Manifest> wanted_version(const Target& target, const Manifest& current,
                                         const ReadOptions& options, const CallLimits& limits);
  std::optional<Step> gather(const Target& target, const Manifest& manifest, Look& look,
                             const CallLimits& limits);
  Step read_legacy(const Target& target, const CallLimits& limits);
  void remember_files(const Target& target, const Manifest& manifest);

  ObjectStore& store_;
  Roots& roots_;
  Clock& clock_;
  BoundedMap<std::vector<std::string>> files_{1024};  // the plain files of a session's last step
};

StepInfo to_step_info(const Manifest& manifest, const std::string& folder);

}  // namespace stepstore
