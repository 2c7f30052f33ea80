// Where everything lies: the only code that spells keys. docs/format.md is its specification.
//
//   <session>/<step>/observation.html ...   the components of a step
//   <session>/<step>/step.json              its manifest
//   <session>~<g>/...                       the same for generation g, once the session has been
//   deleted g times .stepstore/...                          what belongs to no step
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "stepstore/object_store.h"

namespace stepstore {

// --- Ids
// ------------------------------------------------------------------------------------------------------------

inline constexpr std::size_t kEncodedIdBytesMax = 200;
inline constexpr std::size_t kEncodedNameBytesMax = 150;

// The id as one segment of a key. Throws InvalidArgument: empty, not UTF-8, or longer than
// kEncodedIdBytesMax. `what` names the argument in the message. Injective; an id of letters,
// digits, '_', '-' and inner dots stays as it is.
std::string encode_id(std::string_view id, std::string_view what);
// The id that a segment stands for; none when encode_id makes no such segment.
std::optional<std::string> decode_id(std::string_view segment);
// Like encode_id, for the beginning of an id: encode_id(x) begins with it exactly when x begins
// with `prefix`.
std::string encode_id_prefix(std::string_view prefix, std::string_view what);

// The file of a component with a name of its own. Throws InvalidArgument as above; also for the
// names of the four parts.
std::string encode_component_name(std::string_view name);
std::optional<std::string> decode_component_name(std::string_view file);

// --- Folders
// --------------------------------------------------------------------------------------------------------

struct SessionFolder {
  std::string session_id;
  std::uint64_t generation = 0;
};
std::string session_folder(std::string_view session_id, std::uint64_t generation);
std::optional<SessionFolder> parse_session_folder(std::string_view segment);
std::string step_folder(std::string_view session_id, std::uint64_t generation,
                        std::string_view step_id);
// The beginning of the folders of a session's later generations.
std::string generations_prefix(std::string_view session_id);

// --- Keys
// -----------------------------------------------------------------------------------------------------------

ObjectKey in_folder(std::string_view folder, std::string_view location);
ObjectKey manifest_key(std::string_view step_folder);
ObjectKey session_root_key(std::string_view session_id);
ObjectKey format_marker_key();
// Where a bucket is tried out; `id` is used once.
ObjectKey probe_key(std::string_view id, std::string_view name);
// Everything below it belongs to no step.
inline constexpr std::string_view kSystemPrefix = ".stepstore/";

// What a key inside a session's folder is.
enum class FileRole : std::uint8_t { manifest, component, version_copy, foreign };
struct ParsedKey {
  std::string session_segment, step_segment;  // as encoded
  std::string location;                       // relative to the step's folder
  FileRole role = FileRole::foreign;          // foreign: stepstore writes no such key
};
ParsedKey parse_key(std::string_view key);

// --- Files of a step
// ------------------------------------------------------------------------------------------------

inline constexpr std::string_view kHtmlName = "html";
inline constexpr std::string_view kScreenshotName = "screenshot";
inline constexpr std::string_view kActionName = "action";
inline constexpr std::string_view kMetadataName = "metadata";
// True for the four names above, which a component of one's own cannot have.
bool is_reserved_name(std::string_view name) noexcept;

// The plain file name of a component: observation.html, screenshot.png (.jpg, .webp, .bin),
// action.json, metadata.json, or its own name, encoded.
std::string plain_file(std::string_view component, std::string_view content_type);
// The same with a ULID before its ending, for a name that is used once: observation.<ulid>.html.
std::string unique_file(std::string_view plain, std::string_view ulid);
std::string version_copy_file(std::uint64_t version, std::string_view ulid);

// The component that a file of the older layout (without manifests) is; none: no file of that
// layout.
std::optional<std::string_view> legacy_component(std::string_view file) noexcept;

}  // namespace stepstore
