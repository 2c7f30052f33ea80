#include "manager/linker.h"

#include <algorithm>
#include <string>

#include "base/errors.h"
#include "layout/keys.h"
#include "model/content_type.h"
#include "model/text.h"

namespace stepstore {
namespace {

constexpr std::chrono::seconds kExpiresMax = std::chrono::hours(7 * 24);
constexpr std::size_t kHeaderBytesMax = 1'024;

[[noreturn]] void refuse(std::string message, std::string advice = {}) {
  error(ErrorCode::InvalidArgument, "", "", std::move(message), std::move(advice)).raise();
  __builtin_unreachable();
}

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

void check(const PresignOptions& options) {
  if (options.expires < std::chrono::seconds(1) || options.expires > kExpiresMax) {
    refuse("a link lives at least 1 second and at most 7 days", "Choose another time for expires.");
  }
  if (!options.content_type.empty() && !is_content_type(options.content_type)) {
    refuse("content_type is no content type", "Write it like text/html, in printable ASCII.");
  }
  if (!is_printable(options.content_disposition) ||
      options.content_disposition.size() > kHeaderBytesMax) {
    refuse("content_disposition is no printable ASCII of at most 1024 bytes",
           "Write it like attachment; filename=page.html.");
  }
  if (options.method == LinkMethod::get) return;
  if (options.version) refuse("an upload has no version", "Leave out version.");
  if (!options.content_disposition.empty()) {
    refuse("content_disposition is for what is read", "Leave it out.");
  }
}

std::string quoted(std::string_view name) {
  return is_utf8(name) ? "'" + std::string(name) + "'" : std::string("of that name");
}

struct UploadFile {
  std::string name;
  std::string content_type;
};

// Only what makes a step without a manifest, which adopt finds.
UploadFile upload_file(std::string_view component, const std::string& content_type) {
  if (!is_reserved_name(component)) {
    refuse("no step could be made of an upload " + quoted(component),
           "Upload html, screenshot, action or metadata; only these are adopted.");
  }
  const std::string type =
      content_type.empty() && component == kScreenshotName ? "image/png" : content_type;
  UploadFile file{.name = plain_file(component, type), .content_type = type};
  if (!legacy_component(file.name)) {
    refuse("a screenshot is image/png, image/jpeg or image/webp", "Mend content_type.");
  }
  if (file.content_type.empty()) file.content_type = content_type_of(file.name);
  return file;
}

}  // namespace

PresignedUrl Linker::link(std::string_view session_id, std::string_view step_id,
                          std::string_view component, const PresignOptions& options,
                          const CallLimits& limits) {
  check(options);
  const LinkRequest request = options.method == LinkMethod::get
                                  ? to_component(session_id, step_id, component, options, limits)
                                  : to_upload(session_id, step_id, component, options, limits);
  return link_one(store_, request, limits);
}

LinkRequest Linker::to_component(std::string_view session_id, std::string_view step_id,
                                 std::string_view component, const PresignOptions& options,
                                 const CallLimits& limits) {
  const StepInfo step = reader_.stat(session_id, step_id, {.version = options.version}, limits);
  const ComponentInfo* const found = step.find(component);
  if (found == nullptr) {
    const bool metadata = component == kMetadataName;
    error(ErrorCode::NotFound, "", "",
          metadata ? "metadata has no object of its own that a link could be to"
                   : "the step has no component " + quoted(component),
          metadata ? "Read the step." : "stat_step names the components.")
        .raise();
  }
  return {.key = in_folder(step.path, found->path),
          .method = LinkMethod::get,
          .expires = options.expires,
          .content_type = options.content_type,
          .content_disposition = options.content_disposition};
}

LinkRequest Linker::to_upload(std::string_view session_id, std::string_view step_id,
                              std::string_view component, const PresignOptions& options,
                              const CallLimits& limits) {
  UploadFile file = upload_file(component, options.content_type);
  const std::uint64_t generation = roots_.read_session(session_id, limits).root.generation;
  const std::string folder = step_folder(session_id, generation, step_id);
  // A folder with a manifest is never adopted.
  if (const auto root = roots_.read_step(folder, limits)) {
    const bool live = root->manifest.state == RootState::live;
    error(ErrorCode::AlreadyExists, "", "",
          live ? "the step is there" : "the step was deleted, and its name takes no uploads",
          "Choose another step_id for the upload.")
        .raise();
  }
  return {.key = in_folder(folder, file.name),
          .method = LinkMethod::put,
          .expires = options.expires,
          .content_type = std::move(file.content_type)};
}

}  // namespace stepstore
