// presign: links to components, for somebody without credentials.
#include <charconv>

#include "commands.h"
#include "json_out.h"
#include "text.h"

namespace stepstore::cli {
namespace {

constexpr const char* kExpiresForm = "Write it like 90s, 30m, 1h or 7d.";

// "90s", "30m", "1h", "7d"; a number alone is seconds.
std::chrono::seconds lifetime(const std::string& text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [unit, failed] = std::from_chars(text.data(), end, number);
  const std::string_view word(unit, static_cast<std::size_t>(end - unit));
  std::int64_t seconds = 0;
  if (word.empty() || word == "s") seconds = 1;
  if (word == "m") seconds = 60;
  if (word == "h") seconds = 3'600;
  if (word == "d") seconds = 86'400;
  constexpr std::int64_t kMax = 7 * 86'400;
  if (failed != std::errc{} || seconds == 0 || number < 1 || number > kMax / seconds) {
    throw UsageError("--expires " + text + " is no time between 1s and 7d", kExpiresForm);
  }
  return std::chrono::seconds(number * seconds);
}

Json json_of(const PresignedUrl& link, const std::string& component) {
  Json headers = Json::object();
  for (const auto& [name, value] : link.headers) headers[name] = value;
  Json line{{"component", component},
            {"method", link.method},
            {"url", link.url},
            {"headers", std::move(headers)},
            {"expires_at", shown_time(link.expires_at)},
            {"key", link.key}};
  line["note"] = link.note.empty() ? Json() : Json(link.note);
  return line;
}

void report(Context& context, const PresignedUrl& link, const std::string& component, bool named) {
  if (context.options.json) {
    context.out.line(json_line(json_of(link, component)));
    return;
  }
  context.out.line(named ? shown(component) + "  " + link.url : link.url);
  for (const auto& [name, value] : link.headers) context.out.line(name + ": " + value);
}

std::vector<std::string> wanted(StorageManager& store, const Context& context,
                                const PresignArgs& args) {
  if (args.component) return {*args.component};
  if (args.put) {
    throw UsageError("an upload needs a component",
                     "Name html, screenshot, action or metadata behind the step.");
  }
  std::vector<std::string> names;
  const StepInfo info =
      store.stat_step(args.session, args.step, {.version = args.version, .call = context.call()});
  for (const ComponentInfo& component : info.components) names.push_back(component.name);
  return names;
}

}  // namespace

ExitCode run_presign(Context& context, const PresignArgs& args) {
  PresignOptions options{.method = args.put ? LinkMethod::put : LinkMethod::get,
                         .expires = lifetime(args.expires),
                         .version = args.version,
                         .content_type = args.content_type.value_or(""),
                         .content_disposition = args.content_disposition.value_or("")};
  StorageManager store(args.store);
  std::optional<PresignedUrl> last;
  for (const std::string& component : wanted(store, context, args)) {
    options.call = context.call();
    last = store.presign(args.session, args.step, component, options);
    report(context, *last, component, !args.component);
  }
  if (!last || context.options.json) return ExitCode::ok;
  context.note("valid until " + shown_time(last->expires_at));
  if (!last->note.empty()) context.note(last->note);
  return ExitCode::ok;
}

}  // namespace stepstore::cli
