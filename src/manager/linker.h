// Linker: which object a link is to, and whether there may be one.
#pragma once

#include <string_view>

#include "manager/reader.h"
#include "manager/roots.h"
#include "stepstore/presign.h"

namespace stepstore {

class Linker {
 public:
  Linker(ObjectStore& store, Roots& roots, Reader& reader)
      : store_(store), roots_(roots), reader_(reader) {}

  PresignedUrl link(std::string_view session_id, std::string_view step_id,
                    std::string_view component, const PresignOptions& options,
                    const CallLimits& limits);

 private:
  LinkRequest to_component(std::string_view session_id, std::string_view step_id,
                           std::string_view component, const PresignOptions& options,
                           const CallLimits& limits);
  LinkRequest to_upload(std::string_view session_id, std::string_view step_id,
                        std::string_view component, const PresignOptions& options,
                        const CallLimits& limits);

  ObjectStore& store_;
  Roots& roots_;
  Reader& reader_;
};

}  // namespace stepstore
