#include "manager/reader.h"

#include <algorithm>
#include <utility>

#include "base/crc64.h"
#include "base/errors.h"
#include "layout/keys.h"
#include "manager/legacy.h"
#include "model/content_type.h"

namespace stepstore {

struct Reader::Target {
  std::string session_id, step_id;
  std::uint64_t generation = 0;
  std::string folder;

  void go_to(std::uint64_t new_generation) {
    generation = new_generation;
    folder = step_folder(session_id, generation, step_id);
  }
  std::string name() const { return session_id + "/" + step_id; }
};

// What one round of requests brought back.
struct Reader::Look {
  std::optional<StepRoot> root{};  // none: there is no manifest
  std::vector<std::pair<std::string, Bytes>>
      bodies{};  // location -> bytes, of the guesses that hit
};

namespace {

constexpr int kRoundsMax =
    64;  // a step that changes this often while it is read is being fought over

[[noreturn]] void throw_not_found(const std::string& name, std::string message) {
  error(ErrorCode::NotFound, "", name, std::move(message)).raise();
  __builtin_unreachable();
}

bool verifies(const ManifestComponent& component, const Bytes& body) {
  return body.size() == component.size && crc64(body.view()) == component.crc64;
}

std::vector<std::string> usual_files() {
  return {plain_file(kHtmlName, kHtml), plain_file(kScreenshotName, "image/png"),
          plain_file(kActionName, kJson)};
}

}  // namespace

StepInfo to_step_info(const Manifest& manifest, const std::string& folder) {
  StepInfo info{.session_id = manifest.session_id,
                .step_id = manifest.step_id,
                .version = manifest.version,
                .commit_id = manifest.commit_id,
                .created_at = manifest.created_at,
                .expires_at = manifest.expires_at,
                .path = folder};
  for (const ManifestComponent& component : manifest.components) {
    if (component.name == kMetadataName) continue;  // it comes back as Step::metadata()
    info.components.push_back({.name = component.name,
                               .path = component.location,
                               .content_type = component.content_type,
                               .size = component.size,
                               .crc64 = component.crc64});
  }
  return info;
}

Step Reader::read(std::string_view session_id, std::string_view step_id, const ReadOptions& options,
                  const CallLimits& limits, std::optional<std::uint64_t> sure_generation) {
  Target target{
      .session_id = std::string(session_id), .step_id = std::string(step_id), .folder = {}};
  target.go_to(sure_generation.value_or(roots_.generation_hint(target.session_id)));
  bool with_session = !sure_generation;
  ETag judged;  // the root under which something was missing or wrong
  for (int round = 0; round < kRoundsMax; ++round) {
    check_limits(limits, clock_, "retrieve_step_data");
    const std::uint64_t asked = target.generation;
    Look found = look(target, round == 0, with_session, limits);
    if (target.generation != asked) continue;
    if (!found.root || found.root->manifest.state != RootState::live) {
      // Only the session root can say that this is the generation to look in.
      if (!std::exchange(with_session, true)) continue;
      if (options.legacy && !found.root && !options.version) return read_legacy(target, limits);
      throw_not_found(target.name(), "there is no such step");
    }
    with_session = true;
    const auto manifest = wanted_version(target, found.root->manifest, options, limits);
    if (manifest) {
      if (auto step = gather(target, *manifest, found, limits)) {
        remember_files(target, *manifest);
        return *std::move(step);
      }
    }
    // Something that the root names is missing or wrong. If the root has changed meanwhile, that
    // was the reason.
    if (found.root->etag == judged) {
      error(ErrorCode::Corrupt, "", target.name(),
            "a component is missing or differs from its checksum")
          .raise();
    }
    judged = found.root->etag;
  }
  error(ErrorCode::Unavailable, "", target.name(), "the step changes faster than it can be read")
      .raise();
  __builtin_unreachable();
}

StepInfo Reader::stat(std::string_view session_id, std::string_view step_id,
                      const ReadOptions& options, const CallLimits& limits) {
  Target target{
      .session_id = std::string(session_id), .step_id = std::string(step_id), .folder = {}};
  target.go_to(roots_.generation_hint(target.session_id));
  ETag judged;  // the root whose copy of the version was missing
  for (int round = 0; round < kRoundsMax; ++round) {
    check_limits(limits, clock_, "stat_step");
    const std::uint64_t asked = target.generation;
    const Look found = look(target, false, true, limits);
    if (target.generation != asked) continue;
    if (!found.root || found.root->manifest.state != RootState::live) {
      if (options.legacy && !found.root && !options.version)
        return read_legacy(target, limits).info();
      throw_not_found(target.name(), "there is no such step");
    }
    const auto manifest = wanted_version(target, found.root->manifest, options, limits);
    if (manifest) return to_step_info(*manifest, target.folder);
    if (found.root->etag == judged) {
      error(ErrorCode::Corrupt, "", target.name(),
            "the manifest of version " + std::to_string(*options.version) + " is missing")
          .raise();
    }
    judged = found.root->etag;
  }
  error(ErrorCode::Unavailable, "", target.name(), "the step changes faster than it can be read")
      .raise();
  __builtin_unreachable();
}

// One batch: the session root, the manifest, and what the step probably consists of. Moves the
// target to the session's generation when that is another one.
Reader::Look Reader::look(Target& target, bool with_bodies, bool with_session,
                          const CallLimits& limits) {
  std::vector<GetRequest> requests;
  requests.push_back({.key = manifest_key(target.folder)});
  std::vector<std::string> guesses;
  if (with_bodies) guesses = files_.get(target.session_id).value_or(usual_files());
  for (const std::string& file : guesses)
    requests.push_back({.key = in_folder(target.folder, file)});
  if (with_session) requests.push_back({.key = session_root_key(target.session_id)});
  auto outcomes = store_.get(requests, limits);

  Look found;
  if (with_session) {
    const std::uint64_t generation = to_session_state(outcomes.back()).root.generation;
    roots_.remember_generation(target.session_id, generation);
    if (generation != target.generation) {
      target.go_to(generation);
      return found;
    }
  }
  if (outcomes[0].is(ErrorCode::NotFound)) return found;
  found.root = to_step_root(outcomes[0].value());
  roots_.remember(target.folder, *found.root);
  // A guess that failed, for whatever reason, counts only if the root names it; then it is asked
  // for again.
  for (std::size_t i = 0; i < guesses.size(); ++i) {
    if (outcomes[1 + i].ok()) found.bodies.emplace_back(guesses[i], outcomes[1 + i]->body);
  }
  return found;
}

// The manifest of the version that was asked for. None: its copy is missing, which a concurrent
// change may explain.
std::optional<Manifest> Reader::wanted_version(const Target& target, const Manifest& current,
                                               const ReadOptions& options,
                                               const CallLimits& limits) {
  if (!options.version || *options.version == current.version) return current;
  const auto kept =
      std::find_if(current.kept_versions.begin(), current.kept_versions.end(),
                   [&](const KeptVersion& version) { return version.version == *options.version; });
  if (kept == current.kept_versions.end()) {
    throw_not_found(target.name(), "version " + std::to_string(*options.version) + " is not kept");
  }
  const ObjectKey key = in_folder(target.folder, kept->location);
  const auto copy = get_one(store_, key, limits);
  if (copy.is(ErrorCode::NotFound)) return std::nullopt;
  return parse_manifest(copy.value().body.text(), key.text());
}

// The bytes that the manifest names, verified. None: one is missing or wrong.
std::optional<Step> Reader::gather(const Target& target, const Manifest& manifest, Look& look,
                                   const CallLimits& limits) {
  std::vector<Bytes> bodies(manifest.components.size());
  std::vector<GetRequest> requests;
  std::vector<std::size_t> wanted;
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    const ManifestComponent& component = manifest.components[i];
    const auto guess = std::find_if(look.bodies.begin(), look.bodies.end(), [&](const auto& body) {
      return body.first == component.location;
    });
    if (guess != look.bodies.end() && verifies(component, guess->second)) {
      bodies[i] = guess->second;
      continue;
    }
    requests.push_back({.key = in_folder(target.folder, component.location)});
    wanted.push_back(i);
  }
  if (!requests.empty()) {
    const auto outcomes = store_.get(requests, limits);
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      if (outcomes[i].is(ErrorCode::NotFound)) return std::nullopt;
      bodies[wanted[i]] = outcomes[i].value().body;
      if (!verifies(manifest.components[wanted[i]], bodies[wanted[i]])) return std::nullopt;
    }
  }
  std::optional<Bytes> metadata;
  if (manifest.metadata) metadata = Bytes::copy(*manifest.metadata);
  if (const ManifestComponent* const own = manifest.find(kMetadataName)) {
    const auto index = own - manifest.components.data();
    metadata = bodies[static_cast<std::size_t>(index)];
    bodies.erase(bodies.begin() + index);
  }
  return Step(to_step_info(manifest, target.folder), std::move(bodies), std::move(metadata));
}

Step Reader::read_legacy(const Target& target, const CallLimits& limits) {
  const auto files = find_legacy_files(store_, clock_, target.folder, limits);
  if (files.empty()) throw_not_found(target.name(), "there is no such step");
  const Manifest manifest =
      legacy_manifest(store_, files, target.session_id, target.step_id, target.folder, limits);
  Look nothing;
  auto step = gather(target, manifest, nothing, limits);
  if (!step) throw_not_found(target.name(), "the step was removed while it was read");
  StepInfo info = step->info();
  info.legacy = true;
  std::vector<Bytes> bodies;
  for (const ComponentInfo& component : info.components) {
    bodies.push_back(step->component(component.name));
  }
  return Step(std::move(info), std::move(bodies), step->metadata());
}

// Steps of one session look alike, so the next one is probably made of the same files.
void Reader::remember_files(const Target& target, const Manifest& manifest) {
  std::vector<std::string> files;
  for (const ManifestComponent& component : manifest.components) {
    files.push_back(component.name == kMetadataName
                        ? component.location
                        : plain_file(component.name, component.content_type));
  }
  const auto known = files_.get(target.session_id);
  if (!known || *known != files) files_.set(target.session_id, std::move(files));
}

}  // namespace stepstore
