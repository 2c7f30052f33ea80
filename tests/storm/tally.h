// What the processes of a storm have done, and what they saw that must not be. It lies in memory
// that all of them share, so that the sum stays when one of them dies.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <iosfwd>
#include <string_view>

namespace stepstore::storm {

enum class Did : std::uint8_t {
  stores,
  own_stores,
  creates,
  updates,
  refusals,
  reads,
  absences,
  lists,
  deletes,
  collections,
  refused_collections,
  collected_objects,
  count,
};

enum class Broken : std::uint8_t {
  half_step,           // what was read is made of two stores
  damaged_step,        // a read found the current version damaged, or `check` did
  undocumented_error,  // an error that the call's documentation does not name
  lost_own,            // a step with one writer is not what that writer stored last
  invented_step,       // a step was listed that nobody stored
  orphans,             // the collector left some although nobody was busy any more
  dead_process,
  // On a store that does not enforce conditions two writers may harm each other; protocol.md says
  // how, and the store's notes do. This is all of it.
  two_creators,          // two creates of one step were both acknowledged
  lost_update,           // two stores made the same version of a step
  damaged_kept_version,  // an older version cannot be read whole
  count,
};

// What a store has said that it does not enforce, or what is known of its server.
struct Weakness {
  bool creates = false, swaps = false, two_winners = false;

  bool any() const { return creates || swaps || two_winners; }
  // The note that excuses it; empty: nothing does.
  std::string_view excuse(Broken what) const;
};

class Tally {
 public:
  static constexpr std::uint64_t kCreatedSteps = 1 << 20, kUpdatedSteps = 4,
                                 kVersions = std::uint64_t{1} << 18;

  // In shared memory; never given back.
  static Tally& shared();

  void add(Did what, std::uint64_t number = 1) { did_.at(std::size_t(what)) += number; }
  // Prints it as well: the first ones of each kind.
  void broken(Broken what, std::string_view where);

  // The next step that several try to create; noted as won by one of them.
  std::uint64_t some_created_step(std::uint64_t dice);
  void won(std::uint64_t created_step);
  // One of the steps that are only ever stored again reached a version.
  void reached(std::uint64_t updated_step, std::uint64_t version);

  // Prints all of it, with its excuses by name. Whether nothing is left without one.
  bool judge(const Weakness& weakness, std::ostream& out) const;

 private:
  std::array<std::atomic<std::uint64_t>, std::size_t(Did::count)> did_{};
  std::array<std::atomic<std::uint64_t>, std::size_t(Broken::count)> broken_{};
  std::atomic<std::uint64_t> newest_created_step_{0};
  std::array<std::atomic<std::uint8_t>, kCreatedSteps> winners_{};
  std::array<std::array<std::atomic<std::uint8_t>, kVersions>, kUpdatedSteps> versions_{};
};

}  // namespace stepstore::storm
