#include "tree_export.h"

#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "file_names.h"
#include "json_out.h"
#include "pages.h"
#include "progress.h"
#include "step_folder.h"
#include "text.h"

namespace stepstore::cli {
namespace {

// A step on its way, and where it will be written.
struct Pending {
  StepName name;
  std::shared_ptr<const Folder> folder;
};

// Goes through the steps of a session; its folder is made for the first one, so that nothing leaves
// no trace.
struct Session {
  std::string id;
  Ids steps;
  std::shared_ptr<const Folder> folder{};
};

class TreeExporter {
 public:
  TreeExporter(Context& context, StorageManager& store, const ExportArgs& args,
               const std::string& dir)
      : context_(context), store_(store), args_(args), root_(Folder::open(dir, true)) {}

  ExportSummary run(const std::vector<std::string>& sessions);

 private:
  std::uint64_t count_all(const std::vector<std::string>& sessions);
  void for_each_session(const std::vector<std::string>& sessions, const EachId& each);
  std::optional<StepName> next_step();
  bool next_session();
  void finish(const Result<Step>& result);
  void export_session(const std::string& session);
  void write_step(const Folder& folder, const Step& step);
  void fail(const std::string& session, const std::string& step, const Told& error);
  bool stopped() const { return full_ || context_.interrupt.requested(); }

  Context& context_;
  StorageManager& store_;
  const ExportArgs& args_;
  Folder root_;
  std::vector<std::string> sessions_;  // without --all
  std::size_t next_session_ = 0;
  std::optional<Ids> all_sessions_;  // with it
  std::optional<Session> session_;
  std::deque<Pending> pending_;  // as the store was asked for them
  std::optional<Progress> progress_;
  ExportSummary summary_;
  Outcomes outcomes_;
  bool full_ = false;
};

ExportSummary TreeExporter::run(const std::vector<std::string>& sessions) {
  const bool bar = context_.show_progress() && context_.messages.is_terminal();
  progress_.emplace(context_.messages, "exporting", bar, bar ? count_all(sessions) : 0);
  try {
    sessions_ = sessions;
    if (args_.all) all_sessions_.emplace(Ids::of_sessions(context_, store_, {}));
    store_.retrieve_steps([this] { return next_step(); },
                          [this](const Result<Step>& result) { finish(result); },
                          {.legacy = args_.legacy, .call = context_.long_call()});
  } catch (const Cancelled&) {
    // ctrl-C: what was done before is still told, and main() tells the rest.
  }
  summary_.seconds = progress_->seconds();
  progress_.reset();
  summary_.exit = outcomes_.exit_code();
  return summary_;
}

void TreeExporter::for_each_session(const std::vector<std::string>& sessions, const EachId& each) {
  if (args_.all) return each_session(context_, store_, {}, each);
  for (const std::string& session : sessions) {
    if (!each(session)) return;
  }
}

std::uint64_t TreeExporter::count_all(const std::vector<std::string>& sessions) {
  std::uint64_t count = 0;
  for_each_session(sessions, [&](const std::string& session) {
    count += count_steps(context_, store_, session, args_.legacy);
    return true;
  });
  return count;
}

std::optional<StepName> TreeExporter::next_step() {
  while (!stopped()) {
    if (!session_) {
      if (!next_session()) break;
      continue;
    }
    auto step = session_->steps.next();
    if (!step) {
      if (!session_->folder && !args_.all) {
        fail(session_->id, "",
             {.code = ExitCode::not_found,
              .kind = "NotFound",
              .message = "there is no such session, or it has no steps",
              .advice = "List the sessions with `stepstore ls`."});
      }
      session_.reset();
      continue;
    }
    if (!session_->folder) {
      auto folder = std::make_shared<Folder>(root_.child(folder_name(session_->id)));
      remove_leftovers(*folder);
      ++summary_.sessions;
      session_->folder = std::move(folder);
    }
    pending_.push_back({{session_->id, *std::move(step)}, session_->folder});
    return pending_.back().name;
  }
  return std::nullopt;
}

bool TreeExporter::next_session() {
  std::optional<std::string> id;
  if (all_sessions_) {
    id = all_sessions_->next();
  } else if (next_session_ < sessions_.size()) {
    id = sessions_[next_session_++];
  }
  if (!id) return false;
  session_.emplace(Session{*id, Ids::of_steps(context_, store_, *id, {.legacy = args_.legacy})});
  return true;
}

void TreeExporter::finish(const Result<Step>& result) {
  const Pending step = std::move(pending_.front());
  pending_.pop_front();
  if (full_) return;
  if (result.ok()) {
    write_step(*step.folder, *result);
  } else if (!result.is(ErrorCode::NotFound) && !result.is(ErrorCode::Cancelled)) {
    // A step that was deleted since it was listed is none of this export.
    fail(step.name.session_id, step.name.step_id, told(result.error()));
  }
}

void TreeExporter::write_step(const Folder& folder, const Step& step) {
  std::uint64_t bytes = 0;
  try {
    const std::vector<FolderFile> files = files_of(step);
    for (const FolderFile& file : files) bytes += file.bytes.size();
    const Written written =
        write_step_folder(folder, folder_name(step.info().step_id), files, args_.force);
    (written == Written::unchanged ? summary_.unchanged : summary_.written) += 1;
    if (written != Written::unchanged) summary_.bytes += bytes;
    outcomes_.succeeded();
  } catch (const CliError& error) {
    fail(step.info().session_id, step.info().step_id, told(error));
    full_ = error.code() == ExitCode::no_space;
  }
  progress_->add(1, bytes);
}

void TreeExporter::fail(const std::string& session, const std::string& step, const Told& error) {
  ++summary_.failed;
  outcomes_.failed(error.code);
  if (context_.options.json) {
    Json line = {{"event", "failed"}, {"session", session}};
    if (!step.empty()) line["step"] = step;
    line.update({{"code", error.kind}, {"message", line_of(error)}, {"advice", error.advice}});
    context_.out.line(json_line(line));
    return;
  }
  const std::string which = session + (step.empty() ? "" : "/" + step);
  context_.problem("not exported: " + which + ": " + line_of(error) +
                   (error.advice.empty() ? "" : ". " + error.advice));
}

}  // namespace

ExportSummary export_trees(Context& context, StorageManager& store, const ExportArgs& args,
                           const std::vector<std::string>& sessions, const std::string& dir) {
  return TreeExporter(context, store, args, dir).run(sessions);
}

}  // namespace stepstore::cli
