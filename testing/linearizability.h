// Judges a history of one step's stores, deletes and reads: is there an order in which they could
// have happened one by one?
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace stepstore {

struct HistoryEntry {
  enum class Kind : std::uint8_t {
    store,   // the step then has `value`
    remove,  // the step is then absent
    read,    // saw `value`; none: absent
    none,    // had no effect, and says nothing
  };
  Kind kind = Kind::none;
  std::optional<std::string> value{};
  std::uint64_t begun = 0;
  std::uint64_t ended = UINT64_MAX;  // no answer came: it may have happened at any moment since
                                     // `begun`, or not at all
};

// True when some order explains the history, beginning with `initial`.
bool is_linearizable(const std::vector<HistoryEntry>& history,
                     const std::optional<std::string>& initial);

std::string to_text(const std::vector<HistoryEntry>& history);

}  // namespace stepstore
