// Shows that the installed headers and library are enough to store a step and to read it back.
#include <cstdio>

#include "stepstore/stepstore.h"
#include "testing/object_store_conformance.h"

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
  std::printf("stored and read back; %zu conformance cases are at hand for a store of one's own\n",
              stepstore::conformance_cases().size());
  return 0;
}
