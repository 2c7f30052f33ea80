// What deletes, checks and adoptions tell, and what a manager says of itself.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stepstore {
inline namespace v1 {

struct StepName {
  std::string session_id;
  std::string step_id;
};

struct DeleteResult {
  std::uint64_t steps = 0;    // steps that were live and are gone
  std::uint64_t objects = 0;  // objects removed, the manifests of a session included
};

// One thing that check() found. `key` is an object key or folder in the store.
struct Finding {
  enum class Kind : std::uint8_t {
    missing,  // a live step names an object that is not there: the step cannot be read whole; or a
              // session's root is not there, or too old: its steps cannot be read
    corrupt,  // an object's size or checksum differs from its manifest, or a manifest does not
              // parse
    orphan,   // an object of stepstore's that no manifest names: left by a crash, harmless, costs
              // space
    foreign,  // an object that stepstore does not write
    unfinished,  // the rest of a delete: it was interrupted, or something came late; the message
                 // says what removes it
  };
  Kind kind;
  std::string key;
  std::string message;
};
std::string_view name_of(Finding::Kind kind) noexcept;

struct CheckReport {
  std::uint64_t sessions = 0, steps = 0, legacy_steps = 0, components = 0, bytes = 0;
  std::vector<Finding> findings{};
  bool data_verified = false;
  // True when no live step is damaged: no `missing` and no `corrupt`.
  bool healthy() const noexcept;
};

struct AdoptReport {
  std::vector<StepName> adopted{};  // with dry_run: would be adopted
  std::vector<Finding> skipped{};   // folders that were left alone, with the reason
};

struct StorageInfo {
  std::string backend{};   // "local", "memory", "s3"
  std::string location{};  // where the data lies: an absolute path or a URI, without secrets
  std::string stack{};     // wrappers and store, outermost first
  std::string format{};    // layout version written by this release
  std::string reason{};    // why this backend was chosen
  bool durable = true;
  bool fsync = true;
  std::vector<std::string> notes{};  // weaker promises, for people
};

}  // namespace v1
}  // namespace stepstore
