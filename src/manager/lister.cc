#include "manager/lister.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/errors.h"
#include "layout/keys.h"
#include "manager/legacy.h"

namespace stepstore {
namespace {

// Ids are ordered by their encoded form + "/", so what follows an id begins after all keys below
// it.
std::string just_after(const std::string& segment) { return segment + static_cast<char>('/' + 1); }

// Collects ids until the page is full; one more than the limit shows that there is a next page.
class Page {
 public:
  explicit Page(std::size_t limit) : limit_(limit) {}

  bool full() const { return limit_ > 0 && listing_.ids.size() > limit_; }
  void add(std::string id) {
    if (!full()) listing_.ids.push_back(std::move(id));
  }
  Listing finish() && {
    if (full()) {
      listing_.ids.pop_back();
      listing_.next = listing_.ids.back();
    }
    return std::move(listing_);
  }

 private:
  std::size_t limit_;
  Listing listing_;
};

// What the keys of one step's folder say, as they pass by in order.
struct StepFolder {
  std::string segment;
  bool live = false, has_manifest = false, has_legacy_file = false;
  Timestamp youngest{};
};

}  // namespace

Listing Lister::steps(std::string_view session_id, const ListOptions& options,
                      const CallLimits& limits, std::optional<std::uint64_t>* generation) {
  const bool ask = generation == nullptr || !*generation;
  const std::uint64_t current =
      ask ? roots_.read_session(session_id, limits).root.generation : **generation;
  if (generation != nullptr) *generation = current;
  const std::string folder = session_folder(session_id, current) + "/";
  const Timestamp legacy_newest = clock_.now_ms() - kLegacyAgeMin;
  ListRequest request{.prefix = folder + encode_id_prefix(options.prefix, "prefix")};
  if (!options.after.empty()) {
    request.start_after = just_after(folder + encode_id(options.after, "after"));
  }
  Page page(options.limit);
  StepFolder step;
  const auto end_step = [&] {
    const bool legacy = options.legacy && !step.has_manifest && step.has_legacy_file &&
                        step.youngest <= legacy_newest;
    if (step.live || legacy) {
      if (auto id = decode_id(step.segment)) page.add(*std::move(id));
    }
  };
  do {
    check_limits(limits, clock_, "list_steps_for_session");
    ListPage objects = store_.list(request, limits);
    for (const ObjectInfo& object : objects.objects) {
      ParsedKey key = parse_key(object.key.text());
      if (key.step_segment != step.segment) {
        end_step();
        step = {.segment = std::move(key.step_segment)};
        if (page.full()) break;
      }
      if (key.role == FileRole::manifest) {
        step.has_manifest = true;
        step.live = state_by_size(object.size) == RootState::live;
      } else if (legacy_component(key.location)) {
        step.has_legacy_file = true;
        step.youngest = std::max(step.youngest, object.modified);
      }
    }
    request.start_after = std::move(objects.next);
  } while (!request.start_after.empty() && !page.full());
  end_step();
  return std::move(page).finish();
}

Listing Lister::sessions(const ListOptions& options, const CallLimits& limits) {
  // Where no session root exists, no session has a later generation, and folders stand in the order
  // of their sessions.
  const ListPage roots =
      store_.list({.prefix = std::string(kSystemPrefix) + "sessions/", .limit = 1}, limits);
  return roots.objects.empty() ? sessions_in_order(options, limits) : all_sessions(options, limits);
}

Listing Lister::sessions_in_order(const ListOptions& options, const CallLimits& limits) {
  ListRequest request{.prefix = encode_id_prefix(options.prefix, "prefix"), .delimited = true};
  if (!options.after.empty()) request.start_after = just_after(encode_id(options.after, "after"));
  Page page(options.limit);
  do {
    check_limits(limits, clock_, "list_sessions");
    ListPage folders = store_.list(request, limits);
    for (const std::string& folder : folders.prefixes) {
      if (auto id = decode_id(std::string_view(folder).substr(0, folder.size() - 1))) {
        page.add(*std::move(id));
      }
    }
    request.start_after = std::move(folders.next);
  } while (!request.start_after.empty() && !page.full());
  return std::move(page).finish();
}

// The folder `<id>~<g>/` of a session that was recorded again sorts far from where `<id>/` would,
// so a page cannot be cut from the listing as it comes.
Listing Lister::all_sessions(const ListOptions& options, const CallLimits& limits) {
  std::map<std::string, std::string> ids;  // encoded id + "/" -> id: in order, each once
  ListRequest request{.prefix = encode_id_prefix(options.prefix, "prefix"), .delimited = true};
  do {
    check_limits(limits, clock_, "list_sessions");
    ListPage folders = store_.list(request, limits);
    for (const std::string& folder : folders.prefixes) {
      auto session = parse_session_folder(std::string_view(folder).substr(0, folder.size() - 1));
      if (session)
        ids.emplace(encode_id(session->session_id, "") + "/", std::move(session->session_id));
    }
    request.start_after = std::move(folders.next);
  } while (!request.start_after.empty());
  Page page(options.limit);
  auto next = options.after.empty() ? ids.begin()
                                    : ids.upper_bound(encode_id(options.after, "after") + "/");
  for (; next != ids.end() && !page.full(); ++next) page.add(std::move(next->second));
  return std::move(page).finish();
}

}  // namespace stepstore
