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

constexpr std::uint64_t kJsonBytesMax = std::uint64_t{64} << 20U;

// A step on its way. Its JSON texts are in memory; other files are read while it is stored.
struct Pending {
  StepRequest request;
  StepFiles files;
  std::string path;
  std::optional<std::string> action;  // what the request's action_data and metadata point into
  std::optional<std::string> metadata;
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

std::uint64_t count_steps(const std::vector<SessionFolder>& sessions) {
  std::uint64_t count = 0;
  for (const SessionFolder& session : sessions) {
    count += find_steps(session.path, [](const auto&, const auto&) {}).size();
  }
  return count;
}

class TreeImporter {
 public:
  TreeImporter(Context& context, StorageManager& store, const ImportArgs& args)
      : context_(context), store_(store), args_(args) {}

  ImportSummary run();

 private:
  std::vector<SessionFolder> sessions_of(const std::string& dir);
  void import_dir(std::vector<SessionFolder> sessions);
  std::optional<StepRequest> next_step();
  bool next_session();
  std::optional<StepRequest> take_step(const std::string& name);
  StepRequest prepare(const std::string& path, StepFiles files, std::string step_id);
  void finish(const Result<Receipt>& result);
  void acknowledge(const StepRequest& request, const Receipt& receipt);
  void ignore(const std::string& path, const std::string& reason);
  void fail(const std::string& path, Told error);
  bool stopped() const { return store_refuses_ || context_.interrupt.requested(); }

  Context& context_;
  StorageManager& store_;
  const ImportArgs& args_;
  std::optional<Progress> progress_;
  std::vector<SessionFolder> sessions_;
  std::size_t session_ = 0;  // one behind that of steps_
  std::vector<std::string> steps_;
  std::size_t step_ = 0;
  std::deque<Pending> pending_;  // as the store was given them
  ImportSummary summary_;
  Outcomes outcomes_;
  bool store_refuses_ = false;
};

ImportSummary TreeImporter::run() {
  std::vector<std::vector<SessionFolder>> dirs;
  for (const std::string& dir : args_.dirs) dirs.push_back(sessions_of(dir));
  const bool bar = context_.show_progress() && context_.messages.is_terminal();
  std::uint64_t steps = 0;
  for (const auto& sessions : dirs) steps += bar ? count_steps(sessions) : 0;
  progress_.emplace(context_.messages, "importing", bar, steps);
  try {
    // One after the other: what two of them have in common is stored in their order.
    for (auto& sessions : dirs) {
      if (!stopped()) import_dir(std::move(sessions));
    }
  } catch (const Cancelled&) {
    // ctrl-C: what was done before is still told, and main() tells the rest.
  }
  summary_.seconds = progress_->seconds();
  progress_.reset();
  summary_.exit = outcomes_.exit_code();
  return summary_;
}

void TreeImporter::import_dir(std::vector<SessionFolder> sessions) {
  sessions_ = std::move(sessions);
  session_ = 0;
  store_.store_steps([this] { return next_step(); },
                     [this](const Result<Receipt>& result) { finish(result); },
                     {.if_exists = IfExists::skip_identical, .call = context_.long_call()});
}

std::vector<SessionFolder> TreeImporter::sessions_of(const std::string& dir) {
  return find_sessions(
      dir, args_.session,
      [this](const std::string& path, const std::string& reason) { ignore(path, reason); });
}

std::optional<StepRequest> TreeImporter::next_step() {
  while (!stopped()) {
    if (step_ == steps_.size()) {
      if (!next_session()) break;
      continue;
    }
    if (auto request = take_step(steps_[step_++])) return request;
  }
  return std::nullopt;
}

bool TreeImporter::next_session() {
  if (session_ == sessions_.size()) return false;
  const SessionFolder& session = sessions_[session_++];
  ++summary_.sessions;
  steps_.clear();
  step_ = 0;
  try {
    steps_ = find_steps(session.path, [this](const std::string& path, const std::string& reason) {
      ignore(path, reason);
    });
  } catch (const CliError& error) {
    fail(session.path, told(error));
  }
  return true;
}

// None: the folder is no step, or cannot be read, which has been said.
std::optional<StepRequest> TreeImporter::take_step(const std::string& name) {
  const SessionFolder& session = sessions_[session_ - 1];
  const std::string path = session.path + "/" + name;
  try {
    std::string id = id_of_folder_in(session.path, name);
    StepFiles files = find_files(
        path, [this](const std::string& left, const std::string& reason) { ignore(left, reason); });
    if (!files.empty()) return prepare(path, std::move(files), std::move(id));
    ignore(path, "there are no files in it");
  } catch (const CliError& error) {
    fail(path, told(error));
  }
  return std::nullopt;
}

StepRequest TreeImporter::prepare(const std::string& path, StepFiles files, std::string step_id) {
  Pending step{.request = {sessions_[session_ - 1].session_id, std::move(step_id), {}},
               .files = std::move(files),
               .path = path,
               .action = {},
               .metadata = {}};
  if (step.files.action) step.action = read_json_file(*step.files.action);
  if (step.files.metadata) step.metadata = read_json_file(*step.files.metadata);
  Pending& kept = pending_.emplace_back(std::move(step));
  StepData& data = kept.request.data;
  if (kept.files.html) data.html_content = Source::file(*kept.files.html);
  if (kept.files.screenshot) data.screenshot_bytes = Source::file(*kept.files.screenshot);
  data.action_data = kept.action;
  data.metadata = kept.metadata;
  for (const auto& [name, file] : kept.files.components) {
    data.components.push_back({name, Source::file(file), {}});
  }
  return kept.request;
}

void TreeImporter::finish(const Result<Receipt>& result) {
  const Pending step = std::move(pending_.front());
  pending_.pop_front();
  if (result.ok()) {
    outcomes_.succeeded();
    (result->skipped ? summary_.unchanged : summary_.stored) += 1;
    if (!result->skipped) summary_.bytes += step.files.bytes;
    acknowledge(step.request, *result);
    progress_->add(1, step.files.bytes);
    return;
  }
  if (result.is(ErrorCode::Cancelled)) return;  // not begun, or stopped by ctrl-C
  Told error = told(result.error());
  if (result.is(ErrorCode::InvalidArgument)) {
    explain_json(error, step.files.action, step.action);
    explain_json(error, step.files.metadata, step.metadata);
  }
  fail(step.path, std::move(error));
  if (concerns_the_store(result.error().code())) store_refuses_ = true;
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
  } else {
    context_.out.line((receipt.skipped ? "unchanged " : "stored ") + shown_id(request.session_id) +
                      " " + shown_id(request.step_id) + " " + std::to_string(receipt.version));
  }
  context_.out.flush();
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
