// What doctor() finds out about a store: what it was asked, what it did, and whether that is
// enough.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "stepstore/call.h"

namespace stepstore {
inline namespace v1 {

struct DoctorOptions {
  // Every spelling and longer races: minutes where it takes seconds otherwise.
  bool thorough = false;
  // Told on the calling thread before each question: its name, how many are answered, and how many
  // there are. It must not throw.
  std::function<void(std::string_view name, std::size_t done, std::size_t total)> progress{};
  // What is not answered when the time is over is `unknown`.
  Call call{std::chrono::minutes{10}};
};

// One question to the store, and its answer.
struct DoctorRow {
  enum class Verdict : std::uint8_t {
    yes,
    no,
    partly,   // in one of several ways; `seen` says which
    unknown,  // it failed for a moment, could not be tried, or does not arise; `seen` says why
  };
  std::string area{};   // "conditions": rows of one area follow each other
  std::string name{};   // "if-match-quoted": the same in every release
  std::string tried{};  // what was done to find out
  Verdict verdict = Verdict::unknown;
  std::string seen{};    // what the store did, in words
  std::string advice{};  // what to do about it; empty: nothing
  // stepstore's promises rest on it: unless the verdict is yes, the store is not fit. What other
  // rows lack is worked around, or costs a promise that the notes name.
  bool needed = false;
};
std::string_view name_of(DoctorRow::Verdict verdict) noexcept;

struct DoctorReport {
  std::string location{};  // as in StorageInfo
  std::string server{};    // what the server calls itself; empty: it does not, or there is none
  std::vector<DoctorRow> rows{};
  std::vector<std::string> notes{};  // promises that are weaker here, for people
  // Below where trials were made, something could not be removed: its key and why, a line each.
  std::vector<std::string> left_behind{};

  // True when every row that is needed says yes.
  bool fit() const noexcept;
};

}  // namespace v1
}  // namespace stepstore
