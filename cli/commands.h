// The commands: what each was asked for, and the function that does it. The parser fills the
// structs; every function returns the exit code, or throws what main() tells.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "context.h"

namespace stepstore::cli {

struct PutArgs {
  std::string store, session, step;
  std::optional<std::string> html, screenshot, action, metadata;  // files; "-": standard input
  std::optional<std::string> action_json, metadata_json;          // the text itself
  std::vector<std::string> components;                            // NAME=FILE[:content-type]
  std::string if_exists = "new_version";
  std::optional<std::uint64_t> if_version;
  std::optional<std::string> keep_versions;
};

struct GetArgs {
  std::string store, session, step;
  std::optional<std::string> component;
  std::optional<std::string> output;  // a file; "-": standard output, whatever it is
  std::optional<std::string> dir;
  std::optional<std::uint64_t> version;
  bool force = false;
  bool legacy = false;
};

struct LsArgs {
  std::string store;
  std::optional<std::string> session;
  bool details = false;
  std::string prefix, after;
  std::size_t limit = 0;
  bool legacy = false;
};

struct PresignArgs {
  std::string store, session, step;
  std::optional<std::string> component;  // none: all of the step
  bool put = false;
  std::string expires = "1h";
  std::optional<std::uint64_t> version;
  std::optional<std::string> content_type, content_disposition;
};

struct RmArgs {
  std::string store, session;
  std::vector<std::string> steps;
  bool recursive = false;
  bool yes = false;
};

struct ImportArgs {
  std::string store;
  std::vector<std::string> dirs;
  std::optional<std::string> session;
  std::size_t jobs = 16;
  bool print_acknowledged = false;
};

struct ExportArgs {
  std::string store;
  std::vector<std::string> names;  // the sessions, and the folder as the last one
  bool all = false;
  bool force = false;
  bool legacy = false;
  std::size_t jobs = 16;
};

struct AdoptArgs {
  std::string store;
  std::optional<std::string> session;
  bool apply = false;
  bool dry_run = false;  // the default, said aloud
};

struct CheckArgs {
  std::string store;
  std::optional<std::string> session;
  bool data = false;
};

struct DoctorArgs {
  std::string store;
  bool thorough = false;
};

struct InfoArgs {
  std::string store;
};

ExitCode run_put(Context& context, const PutArgs& args);
ExitCode run_get(Context& context, const GetArgs& args);
ExitCode run_ls(Context& context, const LsArgs& args);
ExitCode run_presign(Context& context, const PresignArgs& args);
ExitCode run_rm(Context& context, const RmArgs& args);
ExitCode run_import(Context& context, const ImportArgs& args);
ExitCode run_export(Context& context, const ExportArgs& args);
ExitCode run_adopt(Context& context, const AdoptArgs& args);
ExitCode run_check(Context& context, const CheckArgs& args);
ExitCode run_doctor(Context& context, const DoctorArgs& args);
ExitCode run_info(Context& context, const InfoArgs& args);

}  // namespace stepstore::cli
