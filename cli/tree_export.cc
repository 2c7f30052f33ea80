#include "tree_export.h"

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

class TreeExporter {
 public:
  TreeExporter(Context& context, StorageManager& store, const ExportArgs& args,
               const std::string& dir)
      : context_(context), store_(store), args_(args), root_(Folder::open(dir, true)) {}

  ExportSummary run(const std::vector<std::string>& sessions);

 private:
  std::uint64_t count_all(const std::vector<std::string>& sessions);
  void for_each_session(const std::vector<std::string>& sessions, const EachId& each);
  void export_session(const std::string& session);
  void write_batch(const Folder& folder, std::vector<StepName> names);
  void write_step(const Folder& folder, const Step& step);
  void fail(const std::string& session, const std::string& step, const Told& error);
  bool stopped() const { return full_ || context_.interrupt.requested(); }

  Context& context_;
  StorageManager& store_;
  const ExportArgs& args_;
  Folder root_;
  std::optional<Progress> progress_;
  ExportSummary summary_;
  Outcomes outcomes_;
  bool full_ = false;
};

ExportSummary TreeExporter::run(const std::vector<std::string>& sessions) {
  const bool bar = context_.show_progress() && context_.messages.is_terminal();
  progress_.emplace(context_.messages, "exporting", bar, bar ? count_all(sessions) : 0);
  try {
    for_each_session(sessions, [this](const std::string& session) {
      export_session(session);
      return !stopped();
    });
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

void TreeExporter::export_session(const std::string& session) {
  std::optional<Folder> folder;  // made for the first step, so that nothing leaves no trace
  std::vector<StepName> names;
  each_step(context_, store_, session, {.legacy = args_.legacy}, [&](const std::string& step) {
    if (!folder) {
      folder.emplace(root_.child(folder_name(session)));
      remove_leftovers(*folder);
      ++summary_.sessions;
    }
    names.push_back({session, step});
    if (names.size() >= args_.jobs) write_batch(*folder, std::exchange(names, {}));
    return !stopped();
  });
  if (folder) {
    if (!names.empty() && !stopped()) write_batch(*folder, std::move(names));
  } else if (!args_.all) {
    fail(session, "",
         {.code = ExitCode::not_found,
          .kind = "NotFound",
          .message = "there is no such session, or it has no steps",
          .advice = "List the sessions with `stepstore ls`."});
  }
}

void TreeExporter::write_batch(const Folder& folder, std::vector<StepName> names) {
  const auto steps =
      store_.retrieve_steps(names, {.legacy = args_.legacy, .call = context_.long_call()});
  for (std::size_t i = 0; i < steps.size() && !full_; ++i) {
    if (steps[i].ok()) {
      write_step(folder, *steps[i]);
    } else if (!steps[i].is(ErrorCode::NotFound) && !steps[i].is(ErrorCode::Cancelled)) {
      // A step that was deleted since it was listed is none of this export.
      fail(names[i].session_id, names[i].step_id, told(steps[i].error()));
    }
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
