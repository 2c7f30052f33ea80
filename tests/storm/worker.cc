#include "tests/storm/worker.h"

#include <string_view>

#include "testing/orphan_collector.h"

namespace stepstore::storm {
namespace {

constexpr std::string_view kPng = "\x89PNG\r\n\x1a\n";

}  // namespace

// They say the same number, so that a mixture of two stores shows.
bool is_whole(const Step& step) {
  const auto page = step.html_content(), picture = step.screenshot_bytes();
  const auto metadata = step.metadata();
  if (!page || !picture || !metadata) return false;
  const std::string_view text = page->text();
  const std::string value(picture->text().substr(kPng.size()));
  return text.starts_with("<p>" + value + "x") && metadata->text() == "\"" + value + "\"";
}

template <class Work>
void Worker::watched(const std::string& where, Work&& work) {
  try {
    work();
  } catch (const StorageManagerError& error) {
    // Nothing here damages objects behind the store's back.
    const bool damage = error.code() == ErrorCode::Corrupt;
    tally_.broken(damage ? Broken::damaged_step : Broken::undocumented_error,
                  where + ": " + error.what());
  }
}

void Worker::run_until(std::chrono::steady_clock::time_point end) {
  while (std::chrono::steady_clock::now() < end) {
    const std::string session = "s" + std::to_string(dice_() % kSharedSessions);
    const std::string step = std::to_string(dice_() % kSharedSteps);
    watched(session + "/" + step, [&] { act(session, step); });
  }
  watched(kOwnSession + "/" + own_step_, [&] { read_own(); });
}

void Worker::act(const std::string& session, const std::string& step) {
  const auto choice = dice_() % 100;
  if (choice < 6) {
    store_own();
  } else if (choice < 10) {
    read_own();
  } else if (choice < 14) {
    create();
  } else if (choice < 17) {
    update();
  } else if (choice < 42) {
    store(session, step);
  } else if (choice < 76) {
    read(session, step);
  } else if (choice < 82) {
    list(session);
  } else if (choice < 89) {
    collect(session, step);
  } else if (choice < 99) {
    tally_.add(Did::deletes);
    manager_.delete_step(session, step);
  } else {
    tally_.add(Did::deletes);
    manager_.delete_session(session);
  }
}

StepData Worker::fresh_data() {
  const std::string value = std::to_string(dice_());
  page_ = "<p>" + value + "x" + std::string(dice_() % 20'000, 'x');
  picture_ = std::string(kPng) + value;
  metadata_ = "\"" + value + "\"";
  return {.html_content = page_, .screenshot_bytes = picture_, .metadata = metadata_};
}

void Worker::store(const std::string& session, const std::string& step) {
  StoreOptions options;
  options.if_exists = static_cast<IfExists>(dice_() % 3);
  if (dice_() % 4 == 0) options.keep_versions = Keep{3};
  try {
    manager_.store_step_data(session, step, fresh_data(), options);
    tally_.add(Did::stores);
  } catch (const AlreadyExists&) {
    if (options.if_exists != IfExists::fail) throw;
    tally_.add(Did::refusals);
  }
}

void Worker::read(const std::string& session, const std::string& step) {
  try {
    const Step found = manager_.retrieve_step_data(session, step);
    tally_.add(Did::reads);
    if (!is_whole(found)) tally_.broken(Broken::half_step, session + "/" + step);
  } catch (const NotFound&) {
    tally_.add(Did::absences);
  }
}

void Worker::list(const std::string& session) {
  tally_.add(Did::lists);
  for (const std::string& id : manager_.list_steps_for_session(session).ids) {
    if (id.size() != 1) tally_.broken(Broken::invented_step, session + "/" + id);
  }
}

void Worker::collect(const std::string& session, const std::string& step) {
  if (objects_ == nullptr) return list(session);
  const Collected done = collect_orphans(*objects_, session, step, system_clock(), system_random());
  tally_.add(done.refused ? Did::refused_collections : Did::collections);
  tally_.add(Did::collected_objects, done.removed);
}

// Of all who create the same step, one may be told that it did.
void Worker::create() {
  const std::uint64_t number = tally_.some_created_step(dice_());
  try {
    manager_.store_step_data(kCreatedSession, std::to_string(number), fresh_data(),
                             {.if_exists = IfExists::fail});
    tally_.add(Did::creates);
    tally_.won(number);
  } catch (const AlreadyExists&) {
    tally_.add(Did::refusals);
  }
}

// Never deleted, so that each store makes a version of its own.
void Worker::update() {
  const std::uint64_t number = dice_() % Tally::kUpdatedSteps;
  const Receipt receipt =
      manager_.store_step_data(kUpdatedSession, std::to_string(number), fresh_data());
  tally_.add(Did::updates);
  tally_.reached(number, receipt.version);
}

void Worker::store_own() {
  own_value_ = std::to_string(dice_());
  manager_.store_step_data(kOwnSession, own_step_, {.html_content = *own_value_});
  tally_.add(Did::own_stores);
}

void Worker::read_own() {
  if (!own_value_) return;
  try {
    const Step found = manager_.retrieve_step_data(kOwnSession, own_step_);
    if (found.html_content()->text() == *own_value_) return;
  } catch (const NotFound&) {
    // It was acknowledged, and nobody deletes it.
  }
  tally_.broken(Broken::lost_own, kOwnSession + "/" + own_step_);
}

}  // namespace stepstore::storm
