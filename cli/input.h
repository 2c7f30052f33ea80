// Files and standard input as parts of a step.
#pragma once

#include <string>

#include "context.h"

namespace stepstore::cli {

// Reads the files that a command line names. "-" is standard input, once.
class Inputs {
 public:
  explicit Inputs(Context& context) : context_(context) {}

  // The bytes, read while the step is stored. Pipes and devices are streamed.
  Source source(const std::string& file);
  // All of it, now. For JSON text.
  std::string text(const std::string& file);

 private:
  void take_stdin();

  Context& context_;
  bool stdin_taken_ = false;
};

struct ComponentSpec {
  std::string name, file, content_type;
};
// "har=session.har:application/json". The type is optional, and known by its slash and the
// registered word before it. Throws UsageError.
ComponentSpec parse_component(const std::string& text);

}  // namespace stepstore::cli
