// The system calls that any program needs to make a folder of four files appear whole and durable:
// what the store is measured against.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace bench {

struct File {
  const char* name;
  std::string_view bytes;
};
using Files = std::array<File, 4>;

// Writes the files into the folder `<parent>/.new` and renames it to `<parent>/<name>`. With
// `durable`, syncs each file, the folder before the rename, and the parent after it. Throws
// std::system_error.
void write_bare(const std::string& parent, const std::string& name, const Files& files,
                bool durable);

// Reads the files of that folder, and returns how many bytes they have together.
std::size_t read_bare(const std::string& folder, const Files& names);

}  // namespace bench
