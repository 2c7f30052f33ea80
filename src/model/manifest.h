// The manifest (step.json): a step's root. docs/format.md has its bytes, docs/protocol in
// protocol.md its life.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stepstore/bytes.h"
#include "stepstore/call.h"

namespace stepstore {

struct ManifestComponent {
  std::string name;
  std::string location;  // key relative to the step's folder
  std::string content_type;
  std::uint64_t size = 0;
  std::uint64_t crc64 = 0;
  std::uint64_t block_size = 0;  // 0: no block checksums
  std::vector<std::uint64_t>
      block_crcs{};  // CRC-64/NVME of each block, so that a range can be verified

  // The same bytes under the same name; the location does not matter.
  bool same_content(const ManifestComponent& other) const noexcept {
    return name == other.name && content_type == other.content_type && size == other.size &&
           crc64 == other.crc64;
  }
};

// An older version that stays readable: a copy of its manifest, and what that copy names.
struct KeptVersion {
  std::uint64_t version = 0;
  std::string commit_id;
  std::string location;                // of the copy, relative to the step's folder
  std::vector<std::string> locations;  // of its components
};

enum class RootState : std::uint8_t { live, deleting, deleted };

struct Manifest {
  RootState state = RootState::live;
  std::string session_id;  // empty in a deleted root
  std::string step_id;     // empty in a deleted root
  std::uint64_t version = 1;
  std::string commit_id;
  std::vector<std::string> previous_commits{};  // newest first, at most kPreviousCommitsMax
  std::string write_id;  // fresh for every write of a root, so that its ETag never repeats
  Timestamp created_at{};
  std::optional<Timestamp> expires_at{};
  std::vector<ManifestComponent> components{};
  std::vector<KeptVersion> kept_versions{};  // oldest first
  std::optional<std::string> metadata{};     // JSON text, verbatim
  std::optional<std::string> was{};          // deleting: the live manifest before, verbatim

  bool has_commit(
      std::string_view id) const noexcept;  // it is the current one or among the previous
  // Every key, relative to the step's folder, that this root keeps alive. For a deleting root: what
  // `was` keeps alive.
  std::vector<std::string> named_locations() const;
  const ManifestComponent* find(std::string_view name) const noexcept;
};

inline constexpr std::size_t kPreviousCommitsMax = 16;
// The size of a manifest says its state, so that a listing alone tells what is a step: deleted ones
// have fewer bytes than this, deleting ones a multiple of it and one more, live ones any other
// size.
inline constexpr std::size_t kLiveBytesMin = 1024;
RootState state_by_size(std::uint64_t size) noexcept;
// User metadata beyond this becomes a component of its own.
inline constexpr std::size_t kInlineMetadataBytesMax = 256 * 1024;
// What a reader is willing to parse.
inline constexpr std::size_t kManifestBytesMax = 16 * 1024 * 1024;
inline constexpr std::string_view kFormatVersion = "1.0";

std::string to_json(const Manifest& manifest);
// `key` is for the error. Throws Corrupt, or Unsupported for a newer major format.
Manifest parse_manifest(std::string_view json_text, std::string_view key);

}  // namespace stepstore
