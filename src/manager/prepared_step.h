// A step that is ready to be sent: checked, named and checksummed, before anything is written.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/manifest.h"
#include "stepstore/object_store.h"
#include "stepstore/options.h"
#include "stepstore/step.h"

namespace stepstore {

struct PreparedPart {
  ManifestComponent component;  // location is still open
  std::string plain;            // its plain file name
  Source source;                // can be read again and again
  Bytes owned{};                // keeps a small file's bytes
  bool in_memory = false;       // `body` has all of it; else it is streamed from `source`
  BytesView body{};
};

struct PreparedStep {
  std::vector<PreparedPart> parts;
  std::optional<std::string_view> inline_metadata{};  // JSON text for the manifest
};

// Throws InvalidArgument or TooLarge for what the caller must mend, and what reading a source
// throws. Borrows from `data`.
PreparedStep prepare_step(const StepData& data, const Options& options, Clock& clock,
                          const CallLimits& limits);

}  // namespace stepstore
