#include "tree_import.h"

#include <cerrno>
#include <deque>
#include <fstream>
#include <utility>

#include "json_out.h"
#include "json_text.h"
#include "progress.h"
#include "text.h"
#include "tree_scan.h"

namespace stepstore::cli {
namespace {

// A batch ends at whichever comes first. Only its JSON texts are in memory; other files are read
// while their step is stored.
constexpr std::uint64_t kBatchBytes = std::uint64_t{64} << 20U;
constexpr std::size_t kBatchStepsPerJob = 4;
constexpr std::uint64_t kJsonBytesMax = std::uint64_t{64} << 20U;

struct Batch {
  std::deque<std::string> texts;  // what the requests' action_data and metadata point into
  std::vector<StepRequest> requests;
  std::vector<StepFiles> files;  // of each request
  std::vector<std::string> paths;
  std::uint64_t bytes = 0;
};

std::string read_json_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw file_error(errno, "read", path);
  std::string text;
  std::string block(std::size_t{1} << 16U, '\0');
  while (file.read(block.data(), static_cast<std::streamsize>(block.size())), file.gcount() > 0) {
    text.append(block, 0, static_cast<std::size_t>(file.gcount()));
    if (text.size() > kJsonBytesMax) {
      throw CliError(ExitCode::invalid_data,
                     path + ": it is larger than " + shown_size(kJsonBytesMax),
                     "Give it another name, so that it becomes a component.");
    }
  }
  if (file.bad()) throw file_error(EIO, "read", path);
  return text;
}

// Failures after which the next step would fail as well.
bool concerns_the_store(ErrorCode code) {
  switch (code) {
    case ErrorCode::NoSpace:
    case ErrorCode::SpoolFull:
    case ErrorCode::Unavailable:
    case ErrorCode::Unauthenticated:
    case ErrorCode::ConfigError:
    case ErrorCode::Closed:
    case ErrorCode::Cancelled:
    case ErrorCode::Timeout:
      return true;
    default:
      return false;
  }
}

class TreeImporter {
 public:
  TreeImporter(Context& context, StorageManager& store, const ImportArgs& args)
      : context_(context), store_(store), args_(args) {}

  ImportSummary run();

 private:
  std::vector<SessionFolder> sessions_of_all();
  std::uint64_t count_steps(const std::vector<SessionFolder>& sessions);
  void import_session(const SessionFolder& session);
  void take_step(const SessionFolder& session, const std::string& name);
  void add(const SessionFolder& session, const std::string& path, StepFiles files,
           std::string step_id);
  void store_batch();
  void acknowledge(const StepRequest& request, const Receipt& receipt);
  void ignore(const std::string& path, const std::string& reason);
  void fail(const std::string& path, Told error);
  bool stopped() const { return store_refuses_ || context_.interrupt.requested(); }

  Context& context_;
  StorageManager& store_;
  const ImportArgs& args_;
  std::optional<Progress> progress_;
  Batch batch_;
  ImportSummary summary_;
  Outcomes outcomes_;
  bool store_refuses_ = false;
};

ImportSummary TreeImporter::run() {
  const std::vector<SessionFolder> sessions = sessions_of_all();
  const bool bar = context_.show_progress() && context_.messages.is_terminal();
  progress_.emplace(context_.messages, "importing", bar, bar ? count_steps(sessions) : 0);
  try {
    for (const SessionFolder& session : sessions) {
      if (stopped()) break;
      import_session(session);
    }
  } catch (const Cancelled&) {
    // ctrl-C: what was done before is still told, and main() tells the rest.
  }
  summary_.seconds = progress_->seconds();
  progress_.reset();
  summary_.exit = outcomes_.exit_code();
  return summary_;
}

std::vector<SessionFolder> TreeImporter::sessions_of_all() {
  std::vector<SessionFolder> all;
  for (const std::string& dir : args_.dirs) {
    const auto found = find_sessions(
        dir, args_.session,
        [this](const std::string& path, const std::string& reason) { ignore(path, reason); });
    all.insert(all.end(), found.begin(), found.end());
  }
  return all;
}

std::uint64_t TreeImporter::count_steps(const std::vector<SessionFolder>& sessions) {
  std::uint64_t count = 0;
  for (const SessionFolder& session : sessions) {
    count += find_steps(session.path, [](const auto&, const auto&) {}).size();
  }
  return count;
}

void TreeImporter::import_session(const SessionFolder& session) {
  ++summary_.sessions;
  std::vector<std::string> steps;
  try {
    steps = find_steps(session.path, [this](const std::string& path, const std::string& reason) {
      ignore(path, reason);
    });
  } catch (const CliError& error) {
    fail(session.path, told(error));
  }
  for (const std::string& name : steps) {
    if (stopped()) return;
    take_step(session, name);
  }
  store_batch();
}

void TreeImporter::take_step(const SessionFolder& session, const std::string& name) {
  const std::string path = session.path + "/" + name;
  try {
    std::string id = id_of_folder_in(session.path, name);
    StepFiles files = find_files(
        path, [this](const std::string& left, const std::string& reason) { ignore(left, reason); });
    if (files.empty()) {
      ignore(path, "there are no files in it");
      return;
    }
    add(session, path, std::move(files), std::move(id));
  } catch (const CliError& error) {
    fail(path, told(error));
  }
}

void TreeImporter::add(const SessionFolder& session, const std::string& path, StepFiles files,
                       std::string step_id) {
  StepRequest request{session.session_id, std::move(step_id), {}};
  std::optional<std::string> action;
  std::optional<std::string> metadata;
  if (files.action) action = read_json_file(*files.action);
  if (files.metadata) metadata = read_json_file(*files.metadata);
  if (files.html) request.data.html_content = Source::file(*files.html);
  if (files.screenshot) request.data.screenshot_bytes = Source::file(*files.screenshot);
  if (action) request.data.action_data = batch_.texts.emplace_back(*std::move(action));
  if (metadata) request.data.metadata = batch_.texts.emplace_back(*std::move(metadata));
  for (const auto& [name, file] : files.components) {
    request.data.components.push_back({name, Source::file(file), {}});
  }
  batch_.bytes += files.bytes;
  batch_.requests.push_back(std::move(request));
  batch_.files.push_back(std::move(files));
  batch_.paths.push_back(path);
  const std::size_t steps_max = args_.jobs * kBatchStepsPerJob;
  if (batch_.requests.size() >= steps_max || batch_.bytes >= kBatchBytes) store_batch();
}

void TreeImporter::store_batch() {
  const Batch batch = std::exchange(batch_, {});
  if (batch.requests.empty()) return;
  const auto results = store_.store_steps(
      batch.requests, {.if_exists = IfExists::skip_identical, .call = context_.long_call()});
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto& result = results[i];
    if (result.ok()) {
      outcomes_.succeeded();
      (result->skipped ? summary_.unchanged : summary_.stored) += 1;
      if (!result->skipped) summary_.bytes += batch.files[i].bytes;
      acknowledge(batch.requests[i], *result);
      progress_->add(1, batch.files[i].bytes);
      continue;
    }
    if (result.is(ErrorCode::Cancelled)) continue;  // not begun, or stopped by ctrl-C
    Told error = told(result.error());
    if (result.is(ErrorCode::InvalidArgument)) {
      explain_json(error, batch.files[i].action, batch.requests[i].data.action_data);
      explain_json(error, batch.files[i].metadata, batch.requests[i].data.metadata);
    }
    fail(batch.paths[i], std::move(error));
    if (concerns_the_store(result.error().code())) store_refuses_ = true;
  }
  if (args_.print_acknowledged || context_.options.json) context_.out.flush();
}

void TreeImporter::acknowledge(const StepRequest& request, const Receipt& receipt) {
  if (!args_.print_acknowledged) return;
  if (context_.options.json) {
    Json line = {{"event", receipt.skipped ? "unchanged" : "stored"},
                 {"session", request.session_id},
                 {"step", request.step_id},
                 {"version", receipt.version},
                 {"commit_id", receipt.commit_id}};
    context_.out.line(json_line(line));
    return;
  }
  context_.out.line((receipt.skipped ? "unchanged " : "stored ") + shown_id(request.session_id) +
                    " " + shown_id(request.step_id) + " " + std::to_string(receipt.version));
}

void TreeImporter::ignore(const std::string& path, const std::string& reason) {
  ++summary_.ignored;
  if (context_.options.json) {
    context_.out.line(
        json_line({{"event", "ignored"}, {"path", shown_id(path)}, {"reason", reason}}));
  } else {
    context_.note("left alone: " + path + ": " + reason);
  }
}

void TreeImporter::fail(const std::string& path, Told error) {
  ++summary_.failed;
  outcomes_.failed(error.code);
  if (context_.options.json) {
    context_.out.line(json_line({{"event", "failed"},
                                 {"path", shown_id(path)},
                                 {"code", error.kind},
                                 {"message", shown(line_of(error))},
                                 {"advice", error.advice}}));
    return;
  }
  std::string line = line_of(error);
  if (line.find(path) == std::string::npos) line = path + ": " + line;
  context_.problem("not stored: " + line + (error.advice.empty() ? "" : ". " + error.advice));
}

}  // namespace

ImportSummary import_trees(Context& context, StorageManager& store, const ImportArgs& args) {
  return TreeImporter(context, store, args).run();
}

}  // namespace stepstore::cli
