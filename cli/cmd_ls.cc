// ls: the sessions of a store, or the steps of a session. Prints as it reads.
#include "commands.h"
#include "json_out.h"
#include "pages.h"
#include "text.h"

namespace stepstore::cli {
namespace {

std::string components_of(const StepInfo& info) {
  std::string names;
  for (const ComponentInfo& component : info.components) {
    if (!names.empty()) names += ",";
    names += shown_id(component.name);
  }
  return names.empty() ? "-" : names;
}

std::string row(const std::string& version, const std::string& size, const std::string& created,
                const std::string& step, const std::string& components) {
  return right(version, 7) + "  " + right(size, 9) + "  " + left(created, 24) + "  " +
         left(step, 12) + "  " + components;
}

std::string bold(const Context& context, std::string header) {
  const bool colour = context.out.is_terminal() && wants_colour(1);
  return colour ? "\x1b[1m" + std::move(header) + "\x1b[0m" : header;
}

// False: the step was deleted since it was listed.
bool print_step(Context& context, StorageManager& store, const LsArgs& args,
                const std::string& step) {
  try {
    const StepInfo info =
        store.stat_step(*args.session, step, {.legacy = args.legacy, .call = context.call()});
    if (context.options.json) {
      context.out.line(json_line(json_of(info)));
    } else {
      context.out.line(row(std::to_string(info.version), shown_size(info.total_size()),
                           shown_time(info.created_at), shown_id(step), components_of(info)));
    }
    return true;
  } catch (const NotFound&) {
    return false;
  }
}

void list_steps(Context& context, StorageManager& store, const LsArgs& args,
                const ListOptions& list) {
  if (args.details && !context.options.json) {
    context.out.line(bold(context, row("VERSION", "SIZE", "CREATED", "STEP", "COMPONENTS")));
  }
  each_step(context, store, *args.session, list, [&](const std::string& step) {
    if (args.details) {
      print_step(context, store, args, step);
    } else if (context.options.json) {
      context.out.line(json_line({{"session", *args.session}, {"step", step}}));
    } else {
      context.out.line(shown_id(step));
    }
    return true;
  });
}

void list_sessions(Context& context, StorageManager& store, const LsArgs& args,
                   const ListOptions& list) {
  if (args.details && !context.options.json) {
    context.out.line(bold(context, right("STEPS", 7) + "  SESSION"));
  }
  each_session(context, store, list, [&](const std::string& session) {
    Json line = {{"session", session}};
    std::string text = shown_id(session);
    if (args.details) {
      const std::uint64_t steps = count_steps(context, store, session, args.legacy);
      line["steps"] = steps;
      text = right(std::to_string(steps), 7) + "  " + text;
    }
    context.out.line(context.options.json ? json_line(line) : text);
    return true;
  });
}

}  // namespace

ExitCode run_ls(Context& context, const LsArgs& args) {
  StorageManager store(args.store);
  const ListOptions list{
      .prefix = args.prefix, .after = args.after, .limit = args.limit, .legacy = args.legacy};
  if (args.session) {
    list_steps(context, store, args, list);
  } else {
    list_sessions(context, store, args, list);
  }
  return ExitCode::ok;
}

}  // namespace stepstore::cli
