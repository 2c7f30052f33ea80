#include "tests/storm/tally.h"

#include <sys/mman.h>

#include <iostream>
#include <new>
#include <sstream>
#include <stdexcept>
#include <string>

namespace stepstore::storm {
namespace {

constexpr std::uint64_t kPrintedMax = 10;  // of each kind

constexpr std::array<std::string_view, std::size_t(Did::count)> kDid{
    "stores",         "of one's own", "creates won",         "updates",
    "refused stores", "reads",        "reads of nothing",    "lists",
    "deletes",        "collections",  "refused collections", "objects collected"};

constexpr std::array<std::string_view, std::size_t(Broken::count)> kBroken{
    "half a step was read",
    "a current version is damaged",
    "an error that is not documented",
    "a step with one writer is not what was stored last",
    "a step was listed that nobody stored",
    "the collector left orphans",
    "a process died",
    "two creates of one step won",
    "an update was lost",
    "a kept version is damaged"};

}  // namespace

std::string_view Weakness::excuse(Broken what) const {
  if (what == Broken::two_creators && creates) return "the bucket does not enforce If-None-Match";
  if ((what == Broken::lost_update || what == Broken::damaged_kept_version) && swaps) {
    return "the bucket does not enforce If-Match";
  }
  if (what >= Broken::two_creators && two_winners) {
    return "the server is known for it (races-may-have-two-winners)";
  }
  return {};
}

Tally& Tally::shared() {
  void* const memory = ::mmap(nullptr, sizeof(Tally), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("no shared memory");
  // The kernel has zeroed it, and that is what every counter begins with.
  return *std::launder(static_cast<Tally*>(memory));
}

void Tally::broken(Broken what, std::string_view where) {
  if (++broken_.at(std::size_t(what)) > kPrintedMax) return;
  // As one piece, since several processes write here.
  std::ostringstream line;
  line << kBroken.at(std::size_t(what)) << ": " << where << '\n';
  std::cerr << line.str() << std::flush;
}

std::uint64_t Tally::some_created_step(std::uint64_t dice) {
  // Now and then a new one; until then everybody tries the same.
  if (dice % 8 == 0) ++newest_created_step_;
  return newest_created_step_ % kCreatedSteps;
}

void Tally::won(std::uint64_t created_step) {
  if (++winners_.at(created_step) > 1) {
    broken(Broken::two_creators, "step " + std::to_string(created_step));
  }
}

void Tally::reached(std::uint64_t updated_step, std::uint64_t version) {
  if (++versions_.at(updated_step).at(version % kVersions) > 1) {
    broken(Broken::lost_update,
           "step " + std::to_string(updated_step) + " version " + std::to_string(version));
  }
}

bool Tally::judge(const Weakness& weakness, std::ostream& out) const {
  for (std::size_t i = 0; i < kDid.size(); ++i) {
    out << (i == 0 ? "" : ", ") << did_.at(i) << ' ' << kDid.at(i);
  }
  out << std::endl;
  bool held = true;
  for (std::size_t i = 0; i < kBroken.size(); ++i) {
    const std::uint64_t times = broken_.at(i);
    if (times == 0) continue;
    const std::string_view excuse = weakness.excuse(static_cast<Broken>(i));
    held = held && !excuse.empty();
    out << (excuse.empty() ? "VIOLATION: " : "excused: ") << kBroken.at(i) << ", " << times
        << " times";
    if (!excuse.empty()) out << ", since " << excuse;
    out << std::endl;
  }
  return held;
}

}  // namespace stepstore::storm
