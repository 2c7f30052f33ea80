// A stop that follows another one.
#pragma once

#include <memory>
#include <stop_token>
#include <utility>

#include "base/fork.h"

namespace stepstore {

// Asks `to` to stop when its token does, as long as it lives. Not in a forked child: there, what
// listens to `to` stands on the stacks of threads that the child does not have.
struct ForwardStop {
  explicit ForwardStop(std::stop_source source) : to(std::move(source)) {}
  void operator()() {
    if (process == this_process()) to.request_stop();
  }
  std::stop_source to;
  pid_t process = this_process();
};

// On the heap, since a child may ask a token of its parent to stop when the stack on which the link
// was made has another use already.
using StopLink = std::unique_ptr<std::stop_callback<ForwardStop>>;

inline StopLink link_stops(const std::stop_token& from, const std::stop_source& to) {
  if (!from.stop_possible()) return nullptr;
  return std::make_unique<std::stop_callback<ForwardStop>>(from, ForwardStop(to));
}

}  // namespace stepstore
