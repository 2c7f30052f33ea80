#include "testing/linearizability.h"

#include <set>
#include <utility>

namespace stepstore {
namespace {

// Depth-first over the orders (Wing and Gong), remembering what has been tried.
class Search {
 public:
  explicit Search(const std::vector<HistoryEntry>& history) : history_(history) {}

  bool from(std::uint64_t done, const std::optional<std::string>& value) {
    if (!seen_.insert({done, value}).second) return false;
    bool all = true;
    std::uint64_t earliest_end = UINT64_MAX;
    for (std::size_t i = 0; i < history_.size(); ++i) {
      if ((done >> i & 1) != 0) continue;
      // What never got an answer need not have happened.
      all = all && history_[i].ended == UINT64_MAX;
      earliest_end = std::min(earliest_end, history_[i].ended);
    }
    if (all) return true;
    for (std::size_t i = 0; i < history_.size(); ++i) {
      const HistoryEntry& entry = history_[i];
      // Nothing can come before what had ended when it began.
      if ((done >> i & 1) != 0 || entry.begun > earliest_end) continue;
      const std::uint64_t next = done | std::uint64_t{1} << i;
      switch (entry.kind) {
        case HistoryEntry::Kind::store:
          if (from(next, entry.value)) return true;
          break;
        case HistoryEntry::Kind::remove:
          if (from(next, std::nullopt)) return true;
          break;
        case HistoryEntry::Kind::read:
          if (entry.value == value && from(next, value)) return true;
          break;
        case HistoryEntry::Kind::none:
          if (from(next, value)) return true;
          break;
      }
    }
    return false;
  }

 private:
  const std::vector<HistoryEntry>& history_;
  std::set<std::pair<std::uint64_t, std::optional<std::string>>> seen_;
};

}  // namespace

bool is_linearizable(const std::vector<HistoryEntry>& history,
                     const std::optional<std::string>& initial) {
  return Search(history).from(0, initial);
}

std::string to_text(const std::vector<HistoryEntry>& history) {
  constexpr const char* kKinds[] = {"store", "remove", "read", "none"};
  std::string out;
  for (const HistoryEntry& entry : history) {
    out += std::string("  ") + kKinds[static_cast<int>(entry.kind)] + " " +
           entry.value.value_or("-") + " from " + std::to_string(entry.begun) + " to " +
           (entry.ended == UINT64_MAX ? "?" : std::to_string(entry.ended)) + "\n";
  }
  return out;
}

}  // namespace stepstore
