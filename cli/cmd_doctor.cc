// doctor: tries out what a store really does, and says whether that is enough.
#include <algorithm>

#include "commands.h"
#include "json_out.h"
#include "text.h"

namespace stepstore::cli {
namespace {

using Verdict = DoctorRow::Verdict;

std::string_view colour_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::yes:
      return "\x1b[32m";
    case Verdict::no:
      return "\x1b[31m";
    case Verdict::partly:
    case Verdict::unknown:
      break;
  }
  return "\x1b[33m";
}

// The word itself tells it without colours, too.
std::string sign(Verdict verdict, bool coloured) {
  std::string word = left(std::string(name_of(verdict)), 7);
  if (!coloured) return word;
  return std::string(colour_of(verdict)) + word + "\x1b[0m";
}

// Of the rows that are needed: those without a yes, with or without an answer.
std::vector<std::string> lacking(const DoctorReport& report, bool answered) {
  std::vector<std::string> names;
  for (const DoctorRow& row : report.rows) {
    const bool has_answer = row.verdict != Verdict::unknown;
    if (row.needed && row.verdict != Verdict::yes && has_answer == answered) {
      names.push_back(row.name);
    }
  }
  return names;
}

std::string joined(const std::vector<std::string>& names) {
  std::string line;
  for (const std::string& name : names) line += (line.empty() ? "" : ", ") + name;
  return line;
}

void print_json(Context& context, const DoctorReport& report) {
  Json line = {{"fit", report.fit()},     {"location", report.location},
               {"server", report.server}, {"rows", Json::array()},
               {"notes", report.notes},   {"left_behind", report.left_behind}};
  for (const DoctorRow& row : report.rows) {
    line["rows"].push_back({{"area", row.area},
                            {"name", row.name},
                            {"tried", row.tried},
                            {"verdict", std::string(name_of(row.verdict))},
                            {"seen", row.seen},
                            {"advice", row.advice},
                            {"needed", row.needed}});
  }
  context.out.line(json_line(line));
}

void print_rows(Context& context, const DoctorReport& report) {
  std::size_t columns = 0;
  for (const DoctorRow& row : report.rows) columns = std::max(columns, row.name.size());
  const bool coloured = context.out.is_terminal() && wants_colour(1);
  std::string_view area;
  for (const DoctorRow& row : report.rows) {
    if (row.area != area) context.out.line(row.area);
    area = row.area;
    context.out.line("  " + sign(row.verdict, coloured) + "  " + left(row.name, columns) + "  " +
                     shown(row.tried) + ": " + shown(row.seen));
  }
}

void print_advice(Context& context, const DoctorReport& report) {
  for (const DoctorRow& row : report.rows) {
    if (row.advice.empty()) continue;
    context.out.line(row.name + ": " + shown(row.advice));
  }
  for (const std::string& note : report.notes) context.out.line("note: " + shown(note));
  for (const std::string& stays : report.left_behind) {
    context.out.line("not removed: " + shown(stays));
  }
}

std::string verdict_on(const DoctorReport& report) {
  const auto lacks = lacking(report, true);
  if (!lacks.empty()) return "NOT FIT: " + joined(lacks);
  const auto open = lacking(report, false);
  if (!open.empty()) return "not known to be fit; without an answer: " + joined(open);
  if (report.notes.empty()) return "fit";
  return "fit, with " + shown_count(report.notes.size(), "weaker promise", "weaker promises") +
         " (see the notes)";
}

void print_text(Context& context, const DoctorReport& report) {
  context.out.line(shown(report.location) +
                   (report.server.empty() ? "" : ", served by " + shown(report.server)));
  print_rows(context, report);
  print_advice(context, report);
  context.out.line(verdict_on(report));
}

// The name of the question in work, on a terminal.
class Asking {
 public:
  explicit Asking(Context& context)
      : messages_(context.messages),
        shown_(context.show_progress() && context.messages.is_terminal()) {}
  Asking(const Asking&) = delete;
  Asking& operator=(const Asking&) = delete;
  ~Asking() {
    if (shown_) messages_.status({});
  }

  void tell(std::string_view name, std::size_t done, std::size_t total) {
    if (!shown_) return;
    std::string line = "asking " + std::to_string(done + 1) + '/' + std::to_string(total) + "  " +
                       std::string(name);
    const std::size_t columns = messages_.columns();
    // A line as wide as the terminal would wrap.
    if (columns > 0 && line.size() >= columns) line.resize(columns - 1);
    messages_.status(line);
  }

 private:
  Messages& messages_;
  const bool shown_;
};

DoctorReport examine(Context& context, const DoctorArgs& args) {
  StorageManager store(args.store);
  Asking asking(context);
  return store.doctor({.thorough = args.thorough,
                       .progress = [&asking](std::string_view name, std::size_t done,
                                             std::size_t total) { asking.tell(name, done, total); },
                       .call = context.long_call()});
}

}  // namespace

ExitCode run_doctor(Context& context, const DoctorArgs& args) {
  const DoctorReport report = examine(context, args);
  context.options.json ? print_json(context, report) : print_text(context, report);
  if (report.fit()) return ExitCode::ok;
  return lacking(report, true).empty() ? ExitCode::unavailable : ExitCode::unfit;
}

}  // namespace stepstore::cli
