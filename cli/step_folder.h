// A step as a folder of files: observation.html, screenshot.png, action.json, metadata.json and one
// file for each further component. Used by `get` and `export`.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "folder.h"
#include "stepstore/step.h"

namespace stepstore::cli {

struct FolderFile {
  std::string name;
  Bytes bytes;
};

// The files of a step, in the order of their names. No two have the same name.
std::vector<FolderFile> files_of(const Step& step);

// Makes the folder `name` with exactly these files appear in `parent` at once: nobody sees half of
// it. Something else lies there: CliError already_exists, or with `force` it is replaced.
Written write_step_folder(const Folder& parent, const std::string& name,
                          std::span<const FolderFile> files, bool force);

}  // namespace stepstore::cli
