// Shows that the installed headers and library are enough to store a step and to read it back.
#include <cstdio>
#include <string>

#include "stepstore/stepstore.h"

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
  std::printf("stored and read back: %s\n", html ? std::string(*html).c_str() : "nothing");
  return html && *html == "<p>hello</p>" ? 0 : 1;
}
