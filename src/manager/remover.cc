#include "manager/remover.h"

#include <algorithm>
#include <utility>

#include "base/errors.h"
#include "layout/keys.h"

namespace stepstore {
namespace {

[[noreturn]] void throw_held(std::string_view name) {
  error(ErrorCode::Held, "", name, "a hold protects it").raise();
  __builtin_unreachable();
}

// The root after `from`, as far as all of them agree: same version, `from`'s commit among the
// previous ones.
Manifest successor(const Manifest& from, RootState state, std::string commit_id, Timestamp now) {
  Manifest next;
  next.state = state;
  next.session_id = from.session_id;
  next.step_id = from.step_id;
  next.version = from.version;
  next.commit_id = std::move(commit_id);
  next.previous_commits = from.previous_commits;
  next.previous_commits.insert(next.previous_commits.begin(), from.commit_id);
  if (next.previous_commits.size() > kPreviousCommitsMax) next.previous_commits.pop_back();
  next.created_at = now;
  return next;
}

bool is_manifest(const ObjectInfo& object) {
  return parse_key(object.key.text()).role == FileRole::manifest;
}

}  // namespace

DeleteResult Remover::remove_step(std::string_view session_id, std::string_view step_id,
                                  const CallLimits& limits) {
  const std::string name = std::string(session_id) + "/" + std::string(step_id);
  DeleteResult result;
  for (unsigned tries = 0;; ++tries) {
    if (tries > 0) roots_.back_off(std::min(tries, 6U), limits);
    const SessionState session = roots_.read_session(session_id, limits);
    const std::string folder = step_folder(session_id, session.root.generation, step_id);
    auto root = roots_.read_step(folder, limits);
    if (!root) return result;
    if (root->manifest.state == RootState::deleted) {
      result.objects = remove_left_over(folder, *root, limits);
      return result;
    }
    if (session.root.holds_step(step_id)) throw_held(name);

    if (root->manifest.state == RootState::live) {
      // The old manifest stays inside, so that a hold that comes now can bring the step back.
      Manifest deleting =
          successor(root->manifest, RootState::deleting, roots_.new_id(), clock_.now_ms());
      deleting.was = root->text.text();
      StepRoot marked;
      const Swap swapped = swap(folder, *root, std::move(deleting), &marked, limits);
      if (swapped == Swap::refused) continue;
      result.steps = 1;
      if (swapped == Swap::overtaken) return result;
      root = std::move(marked);
    }
    const bool marked_by_us = result.steps > 0;
    switch (told_unknown_if(
        marked_by_us, [&] { return finish(session_id, step_id, folder, *root, result, limits); })) {
      case End::done:
        return result;
      case End::held:
        throw_held(name);
      case End::overtaken:
        // Whoever changed a root that we had marked has finished this delete or stored over it, and
        // removes what it held. Going on would delete a step that was stored after this delete had
        // taken effect.
        if (marked_by_us) return result;
    }
  }
}

// From a root in state `deleting` on.
Remover::End Remover::finish(std::string_view session_id, std::string_view step_id,
                             const std::string& folder, const StepRoot& root, DeleteResult& result,
                             const CallLimits& limits) {
  const bool held = roots_.read_session(session_id, limits).root.holds_step(step_id);
  Manifest next =
      held ? parse_manifest(*root.manifest.was, folder)
           : successor(root.manifest, RootState::deleted, roots_.new_id(), clock_.now_ms());
  if (swap(folder, root, std::move(next), nullptr, limits) == Swap::refused) return End::overtaken;
  if (held) return End::held;
  std::vector<ObjectKey> keys;
  for (const std::string& location : root.manifest.named_locations()) {
    keys.push_back(in_folder(folder, location));
  }
  result.objects = remove_all(keys, limits);
  return End::done;
}

// What a delete that was interrupted has left, and writers that were refused: the collection of
// protocol.md, without grace. The root is written anew before anything goes, so that a writer who
// has sent parts on top of it is refused and sends them again under other names.
std::uint64_t Remover::remove_left_over(const std::string& folder, const StepRoot& root,
                                        const CallLimits& limits) {
  std::vector<ObjectKey> left;
  for (const ObjectInfo& object : list_all(store_, {.prefix = folder + "/"}, limits)) {
    const FileRole role = parse_key(object.key.text()).role;
    if (role == FileRole::component || role == FileRole::version_copy) left.push_back(object.key);
  }
  if (left.empty()) return 0;
  if (swap(folder, root, root.manifest, nullptr, limits) != Swap::done) return 0;
  // Asked after the swap, whose outcome may have been the first to tell.
  if (!store_.capabilities().swap_if_unchanged) return 0;
  return remove_all(left, limits);
}

Remover::Swap Remover::swap(const std::string& folder, const StepRoot& from, Manifest to,
                            StepRoot* written, const CallLimits& limits) {
  to.write_id = roots_.new_id();
  const std::string body = to_json(to);
  const PutRequest put{.key = manifest_key(folder),
                       .body = body,
                       .content_type = "application/json",
                       .condition = Condition::unchanged(from.etag)};
  bool ever_unknown = false;
  for (unsigned tries = 0;; ++tries) {
    const auto outcome =
        told_unknown_if(ever_unknown, [&] { return put_one(store_, put, limits); });
    if (outcome.ok()) {
      StepRoot root{.etag = *outcome, .text = Bytes::copy(body), .manifest = std::move(to)};
      if (written != nullptr) *written = root;
      roots_.remember(folder, std::move(root));
      return Swap::done;
    }
    const StorageManagerError& failure = outcome.error();
    if (failure.code() == ErrorCode::Conflict) {
      ever_unknown = ever_unknown || failure.outcome_unknown();
      auto there = roots_.read_step(folder, limits);
      if (!ever_unknown || !there) return Swap::refused;
      if (there->manifest.write_id == to.write_id) {
        if (written != nullptr) *written = *std::move(there);
        return Swap::done;
      }
      // It did land if its commit is among those before the one that is there now.
      return there->manifest.has_commit(to.commit_id) ? Swap::overtaken : Swap::refused;
    }
    if (!failure.outcome_unknown()) (ever_unknown ? unknown_outcome(failure) : failure).raise();
    ever_unknown = true;
    told_unknown_if(true, [&] { roots_.back_off(tries, limits); });
  }
}

// The step is deleted already; of what could not be removed the caller must hear.
std::uint64_t Remover::remove_all(const std::vector<ObjectKey>& keys, const CallLimits& limits) {
  const auto outcomes = roots_.remove(keys, limits);
  const auto stay = std::ranges::count_if(outcomes, [](const auto& each) { return !each.ok(); });
  if (stay == 0) return outcomes.size();
  const auto first = std::ranges::find_if(outcomes, [](const auto& each) { return !each.ok(); });
  ErrorDetails details = first->error().details();
  details.message += "; the step is deleted, but " + std::to_string(stay) +
                     " of its objects stay: deleting it again removes them";
  StorageManagerError(std::move(details)).raise();
  __builtin_unreachable();
}

// --- Sessions
// ---------------------------------------------------------------------------------------------------------

DeleteResult Remover::remove_session(std::string_view session_id, const CallLimits& limits) {
  const bool left = leave_generation(session_id, limits);
  DeleteResult result;
  std::vector<StorageManagerError> failures;
  // Its steps are gone for every reader by now, whatever ends the call before their objects are.
  told_unknown_if(left, [&] {
    const std::uint64_t generation = roots_.read_session(session_id, limits).root.generation;
    for (const std::string& folder : dead_folders(session_id, generation, limits)) {
      sweep(folder, result, failures, limits);
    }
  });
  if (failures.empty()) return result;
  ErrorDetails details = error(ErrorCode::PartialFailure, "", session_id,
                               std::to_string(failures.size()) + " objects could not be removed, " +
                                   std::to_string(result.objects) + " were; the first reason: " +
                                   std::string(failures.front().message()))
                             .details();
  details.cause = std::make_exception_ptr(failures.front());
  StorageManagerError(std::move(details)).raise();
  __builtin_unreachable();
}

// From here on nobody reads or commits in the generation that there was.
bool Remover::leave_generation(std::string_view session_id, const CallLimits& limits) {
  for (unsigned tries = 0;; ++tries) {
    if (tries > 0) roots_.back_off(std::min(tries, 6U), limits);
    const SessionState session = roots_.read_session(session_id, limits);
    if (session.root.holds_anything()) throw_held(session_id);
    const std::string folder = session_folder(session_id, session.root.generation) + "/";
    const ListPage there = store_.list({.prefix = folder, .limit = 1}, limits);
    if (there.objects.empty()) return false;
    SessionRoot next = session.root;
    next.generation += 1;
    next.write_id = roots_.new_id();
    if (roots_.swap_session(session_id, session, next, limits)) return true;
  }
}

// Folders of generations before this one: of this deletion, and of those that were interrupted.
std::vector<std::string> Remover::dead_folders(std::string_view session_id,
                                               std::uint64_t generation, const CallLimits& limits) {
  std::vector<std::string> folders;
  if (generation > 0) folders.push_back(session_folder(session_id, 0) + "/");
  ListRequest request{.prefix = generations_prefix(session_id), .delimited = true};
  do {
    ListPage page = store_.list(request, limits);
    for (std::string& folder : page.prefixes) {
      const auto parsed =
          parse_session_folder(std::string_view(folder).substr(0, folder.size() - 1));
      if (parsed && parsed->generation < generation) folders.push_back(std::move(folder));
    }
    request.start_after = std::move(page.next);
  } while (!request.start_after.empty());
  return folders;
}

void Remover::sweep(const std::string& folder, DeleteResult& result,
                    std::vector<StorageManagerError>& failures, const CallLimits& limits) {
  const std::size_t failures_before = failures.size();
  for (;;) {
    check_limits(limits, clock_, "delete_session");
    const ListPage page = store_.list({.prefix = folder}, limits);
    if (page.objects.empty()) return;
    // Manifests go first: a reader who still looks here finds no step rather than half of one.
    std::vector<const ObjectInfo*> order;
    for (const ObjectInfo& object : page.objects) order.push_back(&object);
    std::stable_partition(order.begin(), order.end(),
                          [](const ObjectInfo* object) { return is_manifest(*object); });
    std::vector<ObjectKey> keys;
    for (const ObjectInfo* object : order) keys.push_back(object->key);
    const auto outcomes = roots_.remove(keys, limits);
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      if (!outcomes[i].ok()) {
        failures.push_back(outcomes[i].error());
        continue;
      }
      result.objects += 1;
      if (is_manifest(*order[i]) && state_by_size(order[i]->size) == RootState::live) {
        result.steps += 1;
      }
    }
    if (failures.size() > failures_before) return;  // they would be listed again for ever
  }
}

}  // namespace stepstore
