#include "s3/credentials/token_file.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <system_error>

#include "s3/credentials/means.h"

namespace stepstore::s3 {
namespace {

constexpr std::size_t kBytesMax = 64U << 10;

}  // namespace

std::string read_token(const std::string& path, std::string_view source) {
  std::string text(kBytesMax + 1, '\0');
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  const int failed = errno;
  const auto wrong = [&](const std::string& what) {
    no_credentials(std::string(source) + ": the token's file " + path + ' ' + what,
                   "Whoever issues the token writes it there; is this the right path?");
  };
  if (!file.is_open() || file.bad()) {
    wrong("cannot be read: " + std::generic_category().message(failed));
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kBytesMax) wrong("is larger than 64 KiB");
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) wrong("is empty");
  text = text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
  if (!std::ranges::all_of(text, [](char c) { return c >= ' ' && c < 0x7f; })) {
    wrong("holds a line break or another character that no token has");
  }
  return text;
}

}  // namespace stepstore::s3
