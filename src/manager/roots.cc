#include "manager/roots.h"

#include <algorithm>
#include <array>

#include "base/errors.h"
#include "base/log.h"
#include "base/ulid.h"
#include "layout/keys.h"

namespace stepstore {
namespace {

// Whether a session root, or its absence, says this generation. A root that cannot be read holds
// nothing back here: the caller reads it again and reports it.
bool has_generation(const Object* object, std::uint64_t generation) {
  if (object == nullptr) return generation == 0;
  try {
    return parse_session_root(object->body.text(), object->info.key.text()).generation ==
           generation;
  } catch (const StorageManagerError&) {
    return false;
  }
}

}  // namespace

StepRoot to_step_root(const Object& object) {
  return {.etag = object.info.etag,
          .text = object.body,
          .manifest = parse_manifest(object.body.text(), object.info.key.text())};
}

SessionState to_session_state(const Result<Object>& outcome) {
  if (outcome.is(ErrorCode::NotFound)) return {};
  const Object& object = outcome.value();
  return {.etag = object.info.etag,
          .root = parse_session_root(object.body.text(), object.info.key.text())};
}

std::optional<StepRoot> Roots::read_step(const std::string& folder, const CallLimits& limits) {
  const auto outcome = get_one(store_, manifest_key(folder), limits);
  if (outcome.is(ErrorCode::NotFound)) return std::nullopt;
  StepRoot root = to_step_root(outcome.value());
  remember(folder, root);
  return root;
}

SessionState Roots::read_session(std::string_view session_id, const CallLimits& limits) {
  SessionState state = to_session_state(get_one(store_, session_root_key(session_id), limits));
  remember_generation(std::string(session_id), state.root.generation);
  return state;
}

Commit Roots::commit(const CommitRequest& request, const CallLimits& limits) {
  const Guard guard{.key = session_root_key(request.session_id),
                    .holds = [generation = request.generation](const Object* object) {
                      return has_generation(object, generation);
                    }};
  const PutRequest root{.key = request.key,
                        .body = request.body,
                        .content_type = "application/json",
                        .condition = request.condition};
  Commit commit;
  std::span<const PutRequest> parts = request.parts;
  for (unsigned tries = 0;; ++tries) {
    PublishResult result = told_unknown_if(commit.ever_unknown, [&] {
      return store_.publish({.parts = parts, .guard = guard, .commit = root}, limits);
    });
    if (tries == 0) commit.parts = std::move(result.parts);
    if (!result.guard_held) {
      commit.outcome = Commit::Outcome::moved;
      commit.generation =
          result.guard ? parse_session_root(result.guard->body.text(), guard.key.text()).generation
                       : 0;
      return commit;
    }
    if (!result.commit) return commit;  // a part was not taken
    if (result.commit->ok()) {
      commit.outcome = Commit::Outcome::done;
      commit.etag = **result.commit;
      return commit;
    }
    const StorageManagerError& failure = result.commit->error();
    if (failure.code() == ErrorCode::AlreadyExists || failure.code() == ErrorCode::Conflict) {
      commit.ever_unknown = commit.ever_unknown || failure.outcome_unknown();
      commit.outcome = Commit::Outcome::refused;
      return commit;
    }
    // What failed for good may still follow a try whose answer was lost: then nobody knows.
    if (!failure.outcome_unknown())
      (commit.ever_unknown ? unknown_outcome(failure) : failure).raise();
    commit.ever_unknown = true;
    log_warning("the answer to the write of '{}' was lost; writing it again", request.key.text());
    parts = {};  // they are durable; only the root is in doubt
    told_unknown_if(true, [&] { back_off(tries, limits); });
  }
}

bool Roots::swap_session(std::string_view session_id, const SessionState& from,
                         const SessionRoot& to, const CallLimits& limits) {
  const std::string body = to_json(to, session_id);
  const PutRequest put{
      .key = session_root_key(session_id),
      .body = body,
      .content_type = "application/json",
      .condition = from.etag ? Condition::unchanged(*from.etag) : Condition::absent()};
  bool ever_unknown = false;
  for (unsigned tries = 0;; ++tries) {
    const auto outcome =
        told_unknown_if(ever_unknown, [&] { return put_one(store_, put, limits); });
    if (outcome.ok()) break;
    const StorageManagerError& failure = outcome.error();
    if (failure.code() == ErrorCode::AlreadyExists || failure.code() == ErrorCode::Conflict) {
      // Refused, unless it is our own earlier try that is there.
      ever_unknown = ever_unknown || failure.outcome_unknown();
      const auto is_ours = [&] {
        return read_session(session_id, limits).root.write_id == to.write_id;
      };
      if (!ever_unknown || !told_unknown_if(true, is_ours)) return false;
      break;
    }
    if (!failure.outcome_unknown()) (ever_unknown ? unknown_outcome(failure) : failure).raise();
    ever_unknown = true;
    told_unknown_if(true, [&] { back_off(tries, limits); });
  }
  remember_generation(std::string(session_id), to.generation);
  return true;
}

std::vector<Result<Done>> Roots::remove(std::span<const ObjectKey> keys, const CallLimits& limits) {
  constexpr unsigned kTriesMax = 8;
  auto outcomes = store_.remove(keys, limits);
  for (unsigned tries = 0; tries < kTriesMax; ++tries) {
    std::vector<ObjectKey> in_doubt;
    std::vector<std::size_t> origin;
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      if (outcomes[i].ok() || !outcomes[i].error().outcome_unknown()) continue;
      in_doubt.push_back(keys[i]);
      origin.push_back(i);
    }
    if (in_doubt.empty()) break;
    back_off(tries, limits);
    const auto again = store_.remove(in_doubt, limits);
    for (std::size_t i = 0; i < again.size(); ++i) outcomes[origin[i]] = again[i];
  }
  return outcomes;
}

std::uint64_t Roots::generation_hint(const std::string& session_id) const {
  return generations_.get(session_id).value_or(0);
}

void Roots::remember_generation(const std::string& session_id, std::uint64_t generation) {
  // Generation 0 is what an unknown session is taken for, so only the others need a place.
  if (generation > 0 || generations_.get(session_id)) generations_.set(session_id, generation);
}

void Roots::back_off(unsigned tries, const CallLimits& limits) {
  check_limits(limits, clock_, "back off");
  std::array<std::byte, 2> dice{};
  random_.fill(dice);
  const auto fraction =
      std::to_integer<std::uint64_t>(dice[0]) * 256 + std::to_integer<std::uint64_t>(dice[1]);
  // Full jitter between 0 and 1 ms, 2 ms, ... 1 s.
  const std::uint64_t ceiling_us = std::uint64_t{1000} << std::min(tries, 10U);
  clock_.sleep(std::chrono::microseconds(ceiling_us * fraction / 65536));
  check_limits(limits, clock_, "back off");
}

std::string Roots::make_id() { return make_ulid(clock_, random_); }

}  // namespace stepstore
