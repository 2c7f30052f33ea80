// The name of an entry's file says what is needed to find it without opening it: its place in the
// order, whose step it is, and how large.
//
//   01JD3QK8Z1M8T0V7X5W2R4Y6AB-9f86d081884c7d65-2c26b46b68ffc68f-731904
//   order (a ULID)             session          step             bytes
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stepstore::spool {

struct EntryName {
  std::string order{};  // later entries of a process come later
  std::uint64_t session = 0;
  std::uint64_t step = 0;  // of session and step id together
  std::uint64_t bytes = 0;

  std::string file() const;
  // The folder that it lies in: those of a step lie in one, which holds a 256th of all.
  std::string shard() const;

  friend auto operator<=>(const EntryName&, const EntryName&) = default;  // by order first
};

// None: no name that file() makes.
std::optional<EntryName> parse_entry_name(std::string_view file);

// What stands for an id in names. Two ids may have the same: the head tells.
std::uint64_t session_number(std::string_view session_id);
std::uint64_t step_number(std::string_view session_id, std::string_view step_id);

}  // namespace stepstore::spool
