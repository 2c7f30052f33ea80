#include "manager/writer.h"

#include <algorithm>
#include <utility>

#include "base/crc64.h"
#include "base/errors.h"
#include "base/log.h"
#include "layout/keys.h"

namespace stepstore {

// One store call on its way: what is to be stored, under which names, in which generation.
struct Writer::Job {
  std::string session_id, step_id;
  PreparedStep step;
  const StoreOptions& options;
  const CallLimits& limits;
  Keep keep;
  std::string commit_id;
  std::uint64_t generation = 0;
  std::string folder;

  // Where each part goes in this attempt, in the order of step.parts.
  enum class Send : std::uint8_t {
    create,  // under its plain name, if that is free
    put,     // under a name that is used once
    no,      // the bytes are there already
  };
  struct Place {
    std::string location;
    Send send;
  };
  std::vector<Place> places{};
  std::optional<Manifest> in_doubt{};   // the last one whose fate was unknown for a while
  std::vector<std::string> replaced{};  // what the last one no longer names of the root before it

  void go_to(std::uint64_t new_generation) {
    generation = new_generation;
    folder = step_folder(session_id, generation, step_id);
    replaced.clear();  // what it names lies in the generation that was left
  }
  std::string name() const { return session_id + "/" + step_id; }
  // Those of this attempt that nobody else can have named.
  std::vector<std::string> names_of_its_own() const {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (places[i].location != step.parts[i].plain) names.push_back(places[i].location);
    }
    return names;
  }
};

// How an attempt ended: with a receipt, or with what to begin the next attempt from.
struct Writer::Turn {
  std::optional<Receipt> receipt{};
  std::optional<StepRoot> base{};  // a root is there: store again over it; none: first store
  bool failing = false;            // nobody was in the way: parts could not be sent for now
};

namespace {

// Up to which try waits grow (Roots::back_off): to 64 ms, and to a second.
constexpr unsigned kRaceTries = 6, kOutageTries = 10;

bool is_taken(const Result<ETag>& outcome) {
  return !outcome.ok() &&
         (outcome.error().code() == ErrorCode::AlreadyExists || outcome.error().outcome_unknown());
}

// Parts that failed for good end the call. An unknown part is as good as taken: it gets another
// name.
void raise_failures(const std::vector<Result<ETag>>& outcomes) {
  for (const auto& outcome : outcomes) {
    if (!outcome.ok() && !is_taken(outcome)) outcome.error().raise();
  }
}

ManifestComponent placed(const PreparedPart& part, std::string location) {
  ManifestComponent component = part.component;
  component.location = std::move(location);
  return component;
}

bool is_identical(const PreparedStep& step, const Manifest& manifest) {
  const bool same_metadata =
      step.inline_metadata ? manifest.metadata == *step.inline_metadata : !manifest.metadata;
  if (!same_metadata || step.parts.size() != manifest.components.size()) return false;
  return std::all_of(step.parts.begin(), step.parts.end(), [&](const PreparedPart& part) {
    const ManifestComponent* const there = manifest.find(part.component.name);
    return there != nullptr && there->same_content(part.component);
  });
}

std::vector<std::string> difference(const std::vector<std::string>& from,
                                    const std::vector<std::string>& minus) {
  std::vector<std::string> out;
  std::set_difference(from.begin(), from.end(), minus.begin(), minus.end(),
                      std::back_inserter(out));
  return out;
}

}  // namespace

Receipt Writer::store(std::string_view session_id, std::string_view step_id, const StepData& data,
                      const StoreOptions& options, const CallLimits& limits) {
  encode_id(session_id, "session_id");
  encode_id(step_id, "step_id");
  if (options.keep_versions && options.keep_versions->versions == 0) {
    error(ErrorCode::InvalidArgument, "", "", "keep_versions is 0",
          "Keep at least the current version.")
        .raise();
  }
  Job job{.session_id = std::string(session_id),
          .step_id = std::string(step_id),
          .step = prepare_step(data, options_, clock_, limits),
          .options = options,
          .limits = limits,
          .keep = options.keep_versions.value_or(options_.keep_versions),
          .commit_id = roots_.new_id(),
          .folder = {}};
  job.go_to(roots_.generation_hint(job.session_id));

  std::optional<StepRoot> base;
  if (options.if_exists == IfExists::skip_identical || options.if_version.value_or(0) > 0) {
    // These callers expect a root more often than not, so they look before they send.
    base = roots_.read_step(job.folder, limits);
  } else if (options.if_exists == IfExists::new_version && !options.if_version) {
    // A remembered root may be stale. That is no harm for a swap, which is then refused; but no
    // refusal may rest on it.
    base = roots_.cached(job.folder);
  }
  // Whoever stores the same step is done soon; a server that fails may take its time.
  unsigned longest = kRaceTries;
  for (unsigned tries = 0;; ++tries) {
    if (tries > 0) roots_.back_off(std::min(tries, longest), limits);
    Turn turn = base ? store_again(job, *base) : first_store(job);
    if (turn.receipt) return *std::move(turn.receipt);
    base = std::move(turn.base);
    longest = turn.failing ? kOutageTries : kRaceTries;
  }
}

// --- First store
// ------------------------------------------------------------------------------------------------------

Writer::Turn Writer::first_store(Job& job) {
  if (job.options.if_version && *job.options.if_version > 0) {
    error(
        ErrorCode::Conflict, "", job.name(),
        "if_version is " + std::to_string(*job.options.if_version) + ", but there is no such step",
        "Use if_version=0 for a new step.")
        .raise();
  }
  give_plain_names(job);
  for (unsigned tries = 0;; ++tries) {
    const Manifest manifest = new_manifest(job);
    Commit done = commit(job, manifest, Condition::absent(), {});
    switch (done.outcome) {
      case Commit::Outcome::done:
        return {.receipt = receipt(job, manifest)};
      case Commit::Outcome::moved:
        clear_dead_folder(job, done, manifest.named_locations());
        return moved_to(job, done.generation);
      case Commit::Outcome::refused:
        // Plain names may be shared with whoever was first.
        return refused(job, done, job.names_of_its_own());
      case Commit::Outcome::not_tried:
        break;
    }
    raise_failures(done.parts);
    if (auto base = roots_.read_step(job.folder, job.limits)) {
      remove_locations(job.folder, job.names_of_its_own(), job.limits);
      return {.base = std::move(base)};
    }
    give_other_names_where_taken(job, done.parts);
    // The first time somebody had the names, most likely; then the server is failing.
    if (tries > 0) roots_.back_off(std::min(tries, kOutageTries), job.limits);
    check_limits(job.limits, clock_, "store_step_data");
  }
}

// Plain names, unless the store would let another writer replace what lies under them.
void Writer::give_plain_names(Job& job) {
  const Capabilities able = store_.capabilities();
  job.places.clear();
  for (const PreparedPart& part : job.step.parts) {
    if (part.in_memory ? able.create_if_absent : able.upload_if_absent) {
      job.places.push_back({part.plain, Job::Send::create});
    } else {
      job.places.push_back({unique_file(part.plain, roots_.new_id()), Job::Send::put});
    }
  }
}

// A plain name is taken and there is no root: somebody died, or is on the way to the same step. The
// same bytes can be shared, since nobody removes a plain name before a root says so; other bytes go
// under a name of their own.
void Writer::give_other_names_where_taken(Job& job, const std::vector<Result<ETag>>& outcomes) {
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (job.places[i].send == Job::Send::no) continue;
    if (outcomes[i].ok()) {
      job.places[i].send = Job::Send::no;
      continue;
    }
    const PreparedPart& part = job.step.parts[i];
    if (part.in_memory && job.places[i].send == Job::Send::create) {
      const auto there = get_one(store_, in_folder(job.folder, part.plain), job.limits);
      if (there.ok() && there->body.size() == part.component.size &&
          crc64(there->body.view()) == part.component.crc64) {
        job.places[i].send = Job::Send::no;
        continue;
      }
    }
    job.places[i] = {unique_file(part.plain, roots_.new_id()), Job::Send::put};
  }
}

// --- Store again
// ------------------------------------------------------------------------------------------------------

Writer::Turn Writer::store_again(Job& job, const StepRoot& base) {
  const Manifest& old = base.manifest;
  // An earlier try was ours after all; by now the root may be somebody's next version.
  if (old.has_commit(job.commit_id)) {
    remove_locations(job.folder, job.replaced, job.limits);
    return {.receipt = receipt(job, job.in_doubt.value_or(old))};
  }
  const bool live = old.state == RootState::live;
  const std::uint64_t there = live ? old.version : 0;
  if (live && job.options.if_exists == IfExists::fail) {
    error(ErrorCode::AlreadyExists, "", job.name(),
          "the step is there, in version " + std::to_string(there))
        .raise();
  }
  if (job.options.if_version && *job.options.if_version != there) {
    error(ErrorCode::Conflict, "", job.name(),
          "if_version is " + std::to_string(*job.options.if_version) + ", but the step " +
              (live ? "is in version " + std::to_string(there) : "was deleted"))
        .raise();
  }
  if (live && job.options.if_exists == IfExists::skip_identical && is_identical(job.step, old)) {
    return {.receipt = receipt(job, old, true)};
  }

  // What is new is sent under new names, and only now that the root to be swapped is known:
  // whatever was sent before could have been collected since.
  job.places.clear();
  // Where a swap may overwrite another one, what both share would be removed by the first.
  const bool share = live && gate_.swaps_hold() && store_.capabilities().swap_if_unchanged;
  for (const PreparedPart& part : job.step.parts) {
    const ManifestComponent* const same = share ? old.find(part.component.name) : nullptr;
    if (same != nullptr && same->same_content(part.component)) {
      job.places.push_back({same->location, Job::Send::no});
    } else {
      job.places.push_back({unique_file(part.plain, roots_.new_id()), Job::Send::put});
    }
  }
  Manifest manifest = new_manifest(job);
  manifest.version = old.version + 1;
  manifest.previous_commits = old.previous_commits;
  manifest.previous_commits.insert(manifest.previous_commits.begin(), old.commit_id);
  if (manifest.previous_commits.size() > kPreviousCommitsMax) manifest.previous_commits.pop_back();
  std::vector<PutRequest> copies;
  if (live && job.keep.versions > 1) {
    manifest.kept_versions = old.kept_versions;
    KeptVersion kept{.version = old.version,
                     .commit_id = old.commit_id,
                     .location = version_copy_file(old.version, roots_.new_id()),
                     .locations = {}};
    for (const ManifestComponent& component : old.components) {
      kept.locations.push_back(component.location);
    }
    copies.push_back({.key = in_folder(job.folder, kept.location),
                      .body = base.text.view(),
                      .content_type = "application/json"});
    manifest.kept_versions.push_back(std::move(kept));
    while (manifest.kept_versions.size() >= job.keep.versions) {
      manifest.kept_versions.erase(manifest.kept_versions.begin());
    }
  }

  job.replaced = difference(old.named_locations(), manifest.named_locations());
  const Commit done = commit(job, manifest, Condition::unchanged(base.etag), std::move(copies));
  switch (done.outcome) {
    case Commit::Outcome::done:
      remove_locations(job.folder, job.replaced, job.limits);
      return {.receipt = receipt(job, manifest)};
    case Commit::Outcome::moved:
      clear_dead_folder(job, done, difference(manifest.named_locations(), old.named_locations()));
      return moved_to(job, done.generation);
    case Commit::Outcome::refused:
      return refused(job, done, difference(manifest.named_locations(), old.named_locations()));
    case Commit::Outcome::not_tried:
      break;
  }
  raise_failures(done.parts);
  return {.base = base, .failing = true};  // the next attempt uses other names
}

// --- Common to both
// ---------------------------------------------------------------------------------------------------

Manifest Writer::new_manifest(const Job& job) const {
  Manifest manifest{.session_id = job.session_id,
                    .step_id = job.step_id,
                    .commit_id = job.commit_id,
                    .write_id = roots_.new_id(),
                    .created_at = clock_.now_ms()};
  for (std::size_t i = 0; i < job.places.size(); ++i) {
    manifest.components.push_back(placed(job.step.parts[i], job.places[i].location));
  }
  if (job.step.inline_metadata) manifest.metadata = std::string(*job.step.inline_metadata);
  return manifest;
}

// Sends what the places say, then the root. The outcome's parts stand in the order of step.parts,
// what was not sent counting as taken well.
Commit Writer::commit(Job& job, const Manifest& manifest, const Condition& condition,
                      std::vector<PutRequest> more_parts) {
  const std::string body = to_json(manifest);
  check_manifest_size(job, body.size());
  std::vector<Result<ETag>> outcomes(job.step.parts.size(), Result<ETag>(ETag()));
  if (!send_streamed(job, outcomes)) return {.parts = std::move(outcomes)};
  std::vector<PutRequest> parts;
  std::vector<std::size_t> origin;
  for (std::size_t i = 0; i < job.step.parts.size(); ++i) {
    const PreparedPart& part = job.step.parts[i];
    if (!part.in_memory || job.places[i].send == Job::Send::no) continue;
    parts.push_back(
        {.key = in_folder(job.folder, job.places[i].location),
         .body = part.body,
         .content_type = part.component.content_type,
         .condition = job.places[i].send == Job::Send::create ? Condition::absent() : Condition{},
         .crc64 = part.component.crc64});
    origin.push_back(i);
  }
  for (PutRequest& part : more_parts) {
    parts.push_back(std::move(part));
    origin.push_back(outcomes.size());
    outcomes.emplace_back(ETag());
  }
  Commit done = roots_.commit({.session_id = job.session_id,
                               .generation = job.generation,
                               .key = manifest_key(job.folder),
                               .body = body,
                               .condition = condition,
                               .parts = parts},
                              job.limits);
  for (std::size_t i = 0; i < done.parts.size(); ++i) outcomes[origin[i]] = done.parts[i];
  done.parts = std::move(outcomes);
  if (done.ever_unknown) job.in_doubt = manifest;
  if (done.outcome == Commit::Outcome::done) {
    roots_.remember(job.folder,
                    {.etag = done.etag, .text = Bytes::copy(body), .manifest = manifest});
  }
  return done;
}

// Before anything is sent: what readers refuse could never be read, replaced or deleted. A delete
// writes the manifest once more, with a little around it.
void Writer::check_manifest_size(const Job& job, std::size_t bytes) {
  constexpr std::size_t kAroundIt = 64 * 1024;
  if (bytes <= kManifestBytesMax - kAroundIt) return;
  error(ErrorCode::TooLarge, "", job.name(),
        "its manifest would have " + std::to_string(bytes) + " bytes; " +
            std::to_string(kManifestBytesMax - kAroundIt) + " are possible",
        "Keep fewer versions of it, or store fewer components in one step.")
      .raise();
}

// Components too large to hold go before the others, each as an upload. False: one was not taken.
bool Writer::send_streamed(Job& job, std::vector<Result<ETag>>& outcomes) {
  bool all = true;
  for (std::size_t i = 0; i < job.step.parts.size(); ++i) {
    Job::Place& place = job.places[i];
    if (job.step.parts[i].in_memory || place.send == Job::Send::no) continue;
    outcomes[i] = upload(job, job.step.parts[i], in_folder(job.folder, place.location),
                         place.send == Job::Send::create ? Condition::absent() : Condition{});
    all = all && outcomes[i].ok();
    if (outcomes[i].ok() && place.send == Job::Send::create) place.send = Job::Send::no;
  }
  return all;
}

Result<ETag> Writer::upload(const Job& job, const PreparedPart& part, const ObjectKey& key,
                            const Condition& condition) {
  constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
  const auto upload = store_.start_upload(key, part.component.content_type, job.limits);
  const Source::Reader read = part.source.open();
  std::vector<std::byte> piece(kPieceBytes);
  std::uint64_t crc = 0;
  for (;;) {
    check_limits(job.limits, clock_, "store_step_data");
    const std::size_t size = read(piece);
    if (size == 0) break;
    const BytesView bytes(piece.data(), size);
    crc = crc64(bytes, crc);
    upload->write(bytes, job.limits);
  }
  if (crc != part.component.crc64) {
    return error(ErrorCode::InvalidArgument, "", part.component.name,
                 "the file changed while it was being stored", "Store it when it is complete.");
  }
  return upload->finish(condition, job.limits);
}

// What was sent below the folder of a session that had been deleted. Nobody commits there any more,
// so it can go at once, unless our own root may be there and name it: then the next deletion's
// sweep takes both.
void Writer::clear_dead_folder(const Job& job, const Commit& moved,
                               const std::vector<std::string>& sent) {
  if (!moved.ever_unknown && moved.generation > job.generation) {
    remove_locations(job.folder, sent, job.limits);
  }
}

Writer::Turn Writer::moved_to(Job& job, std::uint64_t generation) {
  roots_.remember_generation(job.session_id, generation);
  job.go_to(generation);
  return {.base = roots_.cached(job.folder)};
}

// `sent`: under names that nobody else can have named. They go, unless the root that refused is our
// own after all; the root is read before that is decided, whatever the answers have said.
Writer::Turn Writer::refused(Job& job, const Commit& done, const std::vector<std::string>& sent) {
  // Until the root was read, it may be that of an earlier try of ours.
  auto base =
      told_unknown_if(done.ever_unknown, [&] { return roots_.read_step(job.folder, job.limits); });
  const bool ours = base && base->manifest.has_commit(job.commit_id);
  if (!ours && !done.ever_unknown) remove_locations(job.folder, sent, job.limits);
  // A create over nothing cannot be refused, unless the whole generation has been swept meanwhile.
  if (!base) {
    const std::uint64_t generation =
        roots_.read_session(job.session_id, job.limits).root.generation;
    if (generation != job.generation) return moved_to(job, generation);
  }
  return {.base = std::move(base)};
}

// Objects that no root names any more. What cannot be removed now costs space and is found by
// `check`.
void Writer::remove_locations(const std::string& folder, const std::vector<std::string>& locations,
                              const CallLimits& limits) {
  std::vector<ObjectKey> keys;
  for (const std::string& location : locations) keys.push_back(in_folder(folder, location));
  if (keys.empty()) return;
  try {
    for (const auto& outcome : roots_.remove(keys, limits)) {
      if (!outcome.ok()) log_warning("an old object stays: {}", outcome.error().what());
    }
  } catch (const StorageManagerError& stopped) {
    log_warning("old objects of '{}' stay: {}", folder, stopped.what());
  }
}

Receipt Writer::receipt(const Job& job, const Manifest& manifest, bool skipped) const {
  Receipt receipt{.version = manifest.version, .commit_id = manifest.commit_id, .skipped = skipped};
  for (const ManifestComponent& component : manifest.components) {
    receipt.paths[component.name] = in_folder(job.folder, component.location).text();
  }
  return receipt;
}

}  // namespace stepstore
