// Shows that the installed headers and libraries are enough to store a step and to read it back, in
// a directory and in an S3 bucket whose answers get lost.
#include <cstdio>
#include <cstdlib>

#include "stepstore/stepstore.h"
#include "testing/fault_server/fault_server.h"
#include "testing/object_store_conformance.h"

namespace {

bool stores_though_answers_get_lost() {
  setenv("AWS_ACCESS_KEY_ID", "any", 1);
  setenv("AWS_SECRET_ACCESS_KEY", "any", 1);
  stepstore::fault::FaultServer server;
  stepstore::StorageManager store(server.uri());
  server.plan().on("PUT", "step.json").nth(1).lose_answer();
  store.store_step_data("login-test", "0001", {.html_content = "<p>hello</p>"});
  const stepstore::Step step = store.retrieve_step_data("login-test", "0001");
  const auto html = step.html_content();
  return html && html->text() == "<p>hello</p>" && !server.plan().journal().empty();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  stepstore::StorageManager store(argv[1]);
  store.store_step_data("login-test", "0001", {.html_content = "<p>hello</p>"});
  const stepstore::Step step = store.retrieve_step_data("login-test", "0001");
  try {
    store.retrieve_step_data("login-test", "0002");
    std::puts("a step that was never stored was found");
    return 1;
  } catch (const stepstore::NotFound& error) {
    std::printf("as expected: %s\n", error.what());
  }
  const auto html = step.html_content();
  if (!html || html->text() != "<p>hello</p>") {
    std::puts("what was read back is not what was stored");
    return 1;
  }
  if (!stores_though_answers_get_lost()) {
    std::puts("what was read back from S3 is not what was stored");
    return 1;
  }
  std::printf("stored and read back; %zu conformance cases are at hand for a store of one's own\n",
              stepstore::conformance_cases().size());
  return 0;
}
