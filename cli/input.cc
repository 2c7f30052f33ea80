#include "input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "folder.h"

namespace stepstore::cli {
namespace {

constexpr std::size_t kTextMax = std::size_t{64} << 20U;

std::size_t read_some(Context& context, int fd, std::span<std::byte> out, const std::string& name) {
  while (true) {
    if (!context.interrupt.wait_readable(fd)) throw CliError(ExitCode::interrupted, "interrupted");
    const ssize_t got = ::read(fd, out.data(), out.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR && errno != EAGAIN) throw file_error(errno, "read", name);
  }
}

bool is_regular(int fd) {
  struct stat status{};
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

Fd open_input(const std::string& file) {
  Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status{};
  if (!fd.ok() || ::fstat(fd.get(), &status) != 0) throw file_error(errno, "read", file);
  if (S_ISDIR(status.st_mode)) throw file_error(EISDIR, "read", file);
  return fd;
}

Source::Reader streamed(Context& context, std::shared_ptr<Fd> fd, const std::string& name) {
  return [&context, fd = std::move(fd), name](std::span<std::byte> out) {
    return read_some(context, fd->get(), out, name);
  };
}

bool is_content_type(std::string_view text) {
  constexpr std::array<std::string_view, 9> kTypes = {"application/", "audio/",   "font/",
                                                      "image/",       "message/", "model/",
                                                      "multipart/",   "text/",    "video/"};
  return std::ranges::any_of(kTypes, [&](std::string_view type) {
    return text.size() > type.size() && text.starts_with(type);
  });
}

}  // namespace

void Inputs::take_stdin() {
  if (stdin_taken_) throw UsageError("standard input can be one part of the step only");
  stdin_taken_ = true;
}

Source Inputs::source(const std::string& file) {
  if (file == "-") {
    take_stdin();
    return Source::reader(streamed(context_,
                                   std::make_shared<Fd>(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)),
                                   "standard input"));
  }
  auto fd = std::make_shared<Fd>(open_input(file));
  if (is_regular(fd->get())) return Source::file(file);
  return Source::reader(streamed(context_, std::move(fd), file));
}

std::string Inputs::text(const std::string& file) {
  if (file == "-") take_stdin();
  const Fd fd = file == "-" ? Fd(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)) : open_input(file);
  std::string text;
  std::string block(std::size_t{1} << 16U, '\0');
  while (const std::size_t got =
             read_some(context_, fd.get(), std::as_writable_bytes(std::span(block)), file)) {
    text.append(block, 0, got);
    if (text.size() > kTextMax) {
      throw CliError(ExitCode::invalid_data, file + ": it is larger than 64 MiB",
                     "Give it with --component instead.");
    }
  }
  return text;
}

ComponentSpec parse_component(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == text.npos || equals == 0 || equals + 1 == text.size()) {
    throw UsageError("--component " + text + " is not NAME=FILE or NAME=FILE:content-type");
  }
  ComponentSpec spec{text.substr(0, equals), text.substr(equals + 1), {}};
  // From the right, as a file's name may hold colons.
  const std::size_t colon = spec.file.rfind(':');
  if (colon != spec.file.npos && colon > 0 && is_content_type(spec.file.substr(colon + 1))) {
    spec.content_type = spec.file.substr(colon + 1);
    spec.file.resize(colon);
  }
  return spec;
}

}  // namespace stepstore::cli
