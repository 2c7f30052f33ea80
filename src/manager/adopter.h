// Adopter: writes manifests for folders of the older layout. Moves and removes nothing.
#pragma once

#include <string>

#include "manager/lister.h"
#include "manager/roots.h"
#include "stepstore/storage_manager.h"

namespace stepstore {

class Adopter {
 public:
  Adopter(ObjectStore& store, Roots& roots, Lister& lister, Clock& clock)
      : store_(store), roots_(roots), lister_(lister), clock_(clock) {}

  AdoptReport adopt(const AdoptOptions& options, const CallLimits& limits);

 private:
  void adopt_session(const std::string& session_id, bool dry_run, AdoptReport& report,
                     const CallLimits& limits);

  ObjectStore& store_;
  Roots& roots_;
  Lister& lister_;
  Clock& clock_;
};

}  // namespace stepstore
