// The stepstore command: sets the process up, runs one command, tells how it ended.
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <exception>

#include "parser.h"
#include "text.h"

namespace stepstore::cli {
namespace {

// A closed standard descriptor would be given to the next file that is opened, and a message
// printed into a recording. What takes its place fails when it is used.
void occupy_standard_descriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) < 0) ::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

ExitCode exit_code_of_signal(const Interrupt& interrupt) {
  return interrupt.signal() == SIGTERM ? ExitCode::terminated : ExitCode::interrupted;
}

ExitCode interrupted(Context& context) {
  const ExitCode code = exit_code_of_signal(context.interrupt);
  context.tell({.code = code,
                .kind = "Cancelled",
                .message = std::string(name_of(code)) + "; every step is whole or absent",
                .advice = "Run it again to go on.",
                .retryable = true});
  return code;
}

// Runs the command and turns whatever it throws into a message and an exit code.
ExitCode run(Context& context, const Action& action) {
  try {
    const ExitCode code = action(context);
    context.out.flush();
    return context.interrupt.requested() ? interrupted(context) : code;
  } catch (const ReaderGone&) {
    return ExitCode::reader_gone;
  } catch (const std::exception& error) {
    if (context.interrupt.requested()) return interrupted(context);
    Told what{.code = ExitCode::unexpected, .kind = "unexpected", .message = error.what()};
    if (const auto* ours = dynamic_cast<const StorageManagerError*>(&error)) what = told(*ours);
    if (const auto* ours = dynamic_cast<const CliError*>(&error)) what = told(*ours);
    context.tell(what);
    return what.code;
  }
}

int main_of(int argc, char** argv) {
  occupy_standard_descriptors();
  std::signal(SIGPIPE, SIG_IGN);  // a reader that went away is seen by write()
  std::signal(SIGXFSZ, SIG_IGN);  // and so is a file size limit
  Messages messages;
  CommandLine line;
  Action action;
  try {
    action = line.parse(argc, argv);
    set_up_log(messages, line.options().verbose);
  } catch (...) {
    action = [error = std::current_exception()](Context&) -> ExitCode {
      std::rethrow_exception(error);
    };
  }
  Interrupt interrupt;
  Context context(interrupt, messages, line.options());
  const ExitCode code = run(context, action);
  set_log_handler({}, LogLevel::off);  // it prints to `messages`
  return static_cast<int>(code);
}

}  // namespace
}  // namespace stepstore::cli

int main(int argc, char** argv) {
  try {
    return stepstore::cli::main_of(argc, argv);
  } catch (const std::exception& error) {
    stepstore::cli::Messages().line("stepstore: " + stepstore::cli::shown(error.what()));
    return static_cast<int>(stepstore::cli::ExitCode::unexpected);
  }
}
