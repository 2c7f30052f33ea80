// What every command works with: the options that all of them have, the outputs and the signals.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "errors.h"
#include "interrupt.h"
#include "output.h"
#include "stepstore/stepstore.h"

namespace stepstore::cli {

struct GlobalOptions {
  bool json = false;
  bool quiet = false;
  bool no_progress = false;
  int verbose = 0;
  std::optional<double> timeout_s{};
};

class Context {
 public:
  Context(Interrupt& interrupt_watch, Messages& message_lines, const GlobalOptions& global_options);

  const GlobalOptions& options;
  Interrupt& interrupt;
  Messages& messages;
  Output out;

  // Limits for the next call to the store: what is left of --timeout, else `usual`.
  Call call(std::chrono::milliseconds usual = std::chrono::seconds(60)) const;
  // For calls whose length depends on how much is stored.
  Call long_call() const { return call(std::chrono::hours(24)); }
  bool show_progress() const { return !options.no_progress && !options.quiet; }

  // A line on standard error, unless --quiet. `text` is raw; it is made safe here.
  void note(std::string_view text);
  // "stepstore: ..." on standard error, always.
  void problem(std::string_view text);
  // The error, as text or JSON, on standard error.
  void tell(const Told& error);

 private:
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

// Sends the library's log lines to `messages`, by -v and STEPSTORE_LOG; the louder one wins.
void set_up_log(Messages& messages, int verbose);

}  // namespace stepstore::cli
