// A recorder stores the steps of a session as they happen, and somebody reads them back.
//
// record [STORE]      STORE: a path or memory: (default ./.storage_data)
#include <stepstore/stepstore.h>

#include <cstdio>
#include <string>

namespace {

void record(stepstore::StorageManager& store, const std::string& session) {
  for (int i = 1; i <= 3; ++i) {
    const std::string html = "<h1>Page " + std::to_string(i) + "</h1>";
    const std::string action = R"({"type": "click", "selector": "#next"})";
    const std::string console = "loaded in 12 ms\n";
    // Bytes with a name are borrowed until the call returns; nothing is copied.
    const stepstore::Receipt receipt = store.store_step_data(
        session, "step_00" + std::to_string(i),
        {.html_content = html,
         .action_data = action,
         .components = {{.name = "console.log", .data = console, .content_type = "text/plain"}}});
    std::printf("stored version %d\n", static_cast<int>(receipt.version));
  }
}

void print(stepstore::StorageManager& store, const std::string& session) {
  stepstore::StepCursor cursor = store.iter_steps(session);
  while (const auto step = cursor.next()) {
    const auto& [html, screenshot, action] = *step;
    std::printf("%s: %s, %s\n", step->info().step_id.c_str(), std::string(html->text()).c_str(),
                screenshot ? "with a screenshot" : "no screenshot");
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    stepstore::StorageManager store(argc > 1 ? argv[1] : "");
    record(store, "session_123");
    print(store, "session_123");
  } catch (const stepstore::StorageManagerError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
