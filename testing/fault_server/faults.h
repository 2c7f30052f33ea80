// The catalogue of faults: by these names rules, plans in JSON and sweeps know them. README.md
// tells them to users.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "testing/fault_server/fault.h"

namespace stepstore::fault {

// What can be chosen about a fault; each kind looks at what concerns it, and has defaults.
struct FaultSettings {
  // Where it breaks: at this byte of the body, or of the answer's head. Else an answer does in the
  // middle, and a request behind its head.
  std::optional<std::uint64_t> at_byte{};
  bool in_head = false;
  std::chrono::milliseconds stall_max{std::chrono::hours(24)};  // then the connection is closed
  std::size_t drip_bytes = 16;                                  // at a time
  std::chrono::milliseconds drip_every{1};
  std::size_t spaces = 3;
  std::chrono::milliseconds space_every{1};
  // Of answers.
  std::optional<int> status{};
  std::string code{}, message{};      // of an error in XML
  std::optional<std::string> body{};  // in place of that
  http::Headers headers{};            // added
  std::optional<std::int64_t> retry_after_s{};
  bool done = false;                        // the request is done, though the answer denies it
  std::string region = "eu-west-1";         // that an answer names
  std::string location{};                   // that a redirection names
  std::chrono::seconds clock_ahead{3'600};  // the server's, before ours
  // Of late and twice: done after so many more requests; else at FaultPlan::release().
  std::size_t overtaken_by = SIZE_MAX;
  std::size_t keys = 1;  // of a bulk deletion: how many fail, from the first on
};

struct Kind {
  std::string_view name;
  std::string_view what;           // what happens to the request
  bool (*fits)(const Call& call);  // whether that makes sense for it
  Fault (*make)(const FaultSettings& settings);
};

std::span<const Kind> catalogue() noexcept;
const Kind* find_kind(std::string_view name) noexcept;  // null: there is none
// Throws std::invalid_argument that names all kinds.
Fault make_fault(std::string_view name, const FaultSettings& settings = {});

}  // namespace stepstore::fault
