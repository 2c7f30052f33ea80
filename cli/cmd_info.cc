// info: what this store is, and what it promises.
#include "commands.h"
#include "json_out.h"
#include "text.h"

namespace stepstore::cli {

ExitCode run_info(Context& context, const InfoArgs& args) {
  StorageManager store(args.store);
  const StorageInfo info = store.get_storage_info();
  if (context.options.json) {
    context.out.line(json_line({{"stepstore", std::string(kVersion)},
                                {"backend", info.backend},
                                {"location", info.location},
                                {"stack", info.stack},
                                {"format", info.format},
                                {"reason", info.reason},
                                {"durable", info.durable},
                                {"fsync", info.fsync},
                                {"notes", info.notes}}));
    return ExitCode::ok;
  }
  const auto row = [&](const std::string& name, std::string_view value) {
    context.out.line(left(name, 11) + shown(value));
  };
  row("stepstore", kVersion);
  row("backend", info.backend);
  row("location", info.location);
  row("stack", info.stack);
  row("format", info.format);
  row("reason", info.reason);
  row("durable", info.durable ? "yes" : "no");
  if (info.backend == "local") row("fsync", info.fsync ? "yes" : "no");
  for (const std::string& note : info.notes) row("note", note);
  return ExitCode::ok;
}

}  // namespace stepstore::cli
