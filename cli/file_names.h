// The names of folders and files of an exported recording, and the way back.
//
// They are the names that stepstore itself uses in a store: bytes outside [A-Za-z0-9._-] and a
// leading dot are percent-encoded, so that no id and no component's name leaves its folder.
#pragma once

#include <string>
#include <string_view>

namespace stepstore::cli {

// The folder of a session or step.
std::string folder_name(std::string_view id);
// The id of a folder: decoded when it is exactly what folder_name() makes, else as it stands.
std::string id_of_folder(std::string_view name);

// The file of a component that is not one of the usual four. A name that would pass for one of
// their files, or for a manifest, gets its first byte encoded.
std::string component_file_name(std::string_view component);
std::string component_of_file(std::string_view name);

// The role that a file has by its name.
enum class FileRole { html, screenshot, action, metadata, component };
FileRole role_of_file(std::string_view name);
// The place of a screenshot's file among those that a step may have: 0 for screenshot.png.
std::size_t screenshot_rank(std::string_view name);

}  // namespace stepstore::cli
