#include "check/doctor_cases.h"

#include <optional>
#include <utility>

#include "base/errors.h"
#include "check/conformance.h"

namespace stepstore {
namespace {

using Verdict = DoctorRow::Verdict;

// Of keys below the folder; the longest that stepstore writes has fewer.
constexpr std::size_t kKeyBytesMax = 700;

enum class Role : std::uint8_t {
  needed,     // without it there is no store
  wanted,     // stepstore gets along without it
  condition,  // needed where the store claims it; where it does not, a note says what is weaker
};

struct CaseRow {
  std::string_view area, name, tried;
  Role role;
  std::vector<std::string_view> cases;
  std::vector<std::string_view> more;  // with `thorough`
  std::string_view advice;
  std::size_t rounds = 5;  // of a race
};

constexpr std::string_view kNotAStore =
    "Use another server, or a newer release of this one: stepstore needs it.";
constexpr std::string_view kNothing = "stepstore works around it; nothing need be done.";

const std::vector<CaseRow>& case_rows() {
  static const std::vector<CaseRow> rows{
      {"objects",
       "put-get",
       "objects of no bytes, of a few and of every byte value, read back",
       Role::needed,
       {"SameBytes", "EmptyObject", "EveryByteValue", "HeadAgreesWithGet", "OneMissingItem",
        "OverwriteReplaces"},
       {"FiveMegabytes", "BatchOrder", "ChecksumIsTaken"},
       kNotAStore},
      {"objects",
       "etags",
       "ETags of put, get, head and list, before and after a change",
       Role::needed,
       {"ETagChanges", "ETagAgrees"},
       {"ETagAfterRemove"},
       kNotAStore},
      {"objects",
       "ranges",
       "parts of an object: inside, to the end, beyond it, from the end",
       Role::needed,
       {"RangeInside", "RangeToTheEnd", "RangeBeyondTheEnd", "RangeOutside", "RangeFromEnd"},
       {"RangeOfEmptyObject", "RangeInLargeObject"},
       kNotAStore},
      {"objects",
       "read-if-match",
       "reads that insist on an ETag, right and stale",
       Role::wanted,
       {"ReadIfMatch"},
       {},
       "A body that is cut off is read anew from its beginning; nothing need be done."},
      {"objects",
       "remove",
       "removes of one, of several, of what is not there, and again",
       Role::needed,
       {"RemoveMissing", "RemoveTwice", "RemoveBatch", "RemoveNeighboursStay", "RemoveThenPut"},
       {},
       kNotAStore},
      {"objects",
       "uploads",
       "objects in pieces, and an upload that is given up",
       Role::needed,
       {"UploadPieces", "UploadWithoutPieces", "UploadInvisibleBefore", "UploadAbandoned"},
       {"UploadLarge"},
       kNotAStore},
      {"listing",
       "list-after-put",
       "a listing at once after each put and remove",
       Role::needed,
       {"ListIsImmediate"},
       {},
       "Use another server: steps that were stored would be missing from listings."},
      {"listing",
       "list-order",
       "keys and prefixes in the order of their bytes",
       Role::needed,
       {"ListOrder", "ListOrderOfPrefixes", "ListDelimited"},
       {"ListRandomTrees"},
       kNotAStore},
      {"listing",
       "list-pages",
       "pages of 1 to 1000 names, also while objects go",
       Role::needed,
       {"PagesOfAnySize", "PageLimitCountsBoth", "PagesRemovedBehind"},
       {"PagesWithChanges", "PagesOfMany"},
       kNotAStore},
      {"listing",
       "start-after",
       "listings that begin behind a name or a prefix",
       Role::needed,
       {"ListStartAfter", "ListStartAfterDelimited"},
       {"ListStartAfterAndPrefix"},
       kNotAStore},
      {"listing",
       "emptied-folders",
       "a listing by folders after all below one was removed",
       Role::wanted,
       {"ListNoEmptyFolders"},
       {"RemoveGoneEverywhere"},
       "Sessions that were deleted may go on being listed, without steps."},
      {"keys",
       "keys-plain",
       "the bytes that stepstore's own keys have: % ~ . _ - and capitals",
       Role::needed,
       {"KeyPercent", "KeyDots", "KeyCaseTwins"},
       {"KeyAlphabet"},
       kNotAStore},
      {"keys",
       "keys-long",
       "segments of 255 bytes, keys of 700, a hundred folders",
       Role::needed,
       {"KeyLongSegments", "KeyLong", "KeyDeep"},
       {},
       kNotAStore},
      {"keys",
       "keys-odd",
       "blanks, marks, umlauts and emoji in keys",
       Role::wanted,
       {"KeyOdd"},
       {},
       "Keep to plain letters in the prefix; stepstore's own keys have no others."},
      {"conditions",
       "create-if-absent",
       "creating what is there, empty, equal, and once removed",
       Role::condition,
       {"CreateOnce", "CreateEmptyOnce", "CreateSameBytes", "RemoveThenCreate"},
       {},
       kNotAStore},
      {"conditions",
       "create-race",
       "32 writers that create one object, several times over",
       Role::condition,
       {"RaceCreate"},
       {},
       "Let one process at a time store the same step.",
       20},
      {"conditions",
       "swap-if-unchanged",
       "swaps by a right, a stale and another object's ETag",
       Role::condition,
       {"SwapRight", "SwapStale", "SwapMadeAgain", "SwapForeignETag"},
       {},
       kNotAStore},
      {"conditions",
       "swap-of-removed",
       "a swap of an object that was removed",
       Role::wanted,
       {"SwapMissing"},
       {},
       kNothing},
      {"conditions",
       "swap-race",
       "32 writers that swap one object again and again",
       Role::condition,
       {"RaceSwap"},
       {},
       "Let one process at a time change the same step."},
      {"conditions",
       "overwrite-atomic",
       "readers of an object that is being overwritten",
       Role::needed,
       {"RaceOverwrite"},
       {},
       "Use another server: readers would see halves of two objects."},
      {"publishing",
       "publish",
       "parts and then a commit, also where a part is there already",
       Role::condition,
       {"PublishEverything", "PublishTakenPart", "PublishTakenCommit"},
       {"PublishLargeAndEmptyParts", "PublishPartBelow"},
       kNotAStore},
      {"publishing",
       "publish-guard",
       "a commit whose guard holds, and one whose guard does not",
       Role::needed,
       {"GuardAbsent", "GuardAbsentButThere", "GuardJudged", "GuardJudgedFalse"},
       {"GuardJudgedMissing", "GuardAsItIsNow"},
       kNotAStore},
      {"publishing",
       "commit-last",
       "readers that look for a commit's parts as soon as they see it",
       Role::condition,
       {"RaceCommitComesLast"},
       {"RaceListedCommit"},
       "Use another server: readers would see steps of which a part is missing."},
  };
  return rows;
}

// Names in messages are those within the case.
std::string without(std::string text, const std::string& folder) {
  for (std::size_t at = text.find(folder); at != std::string::npos; at = text.find(folder, at)) {
    text.erase(at, folder.size());
  }
  return text;
}

class CaseRun {
 public:
  CaseRun(const CaseSetting& setting, const CaseRow& row, Shown& shown)
      : setting_(setting), row_(row), shown_(shown) {}

  Reply operator()() const {
    std::size_t kept = 0;
    std::vector<std::string_view> names = row_.cases;
    if (setting_.thorough) names.insert(names.end(), row_.more.begin(), row_.more.end());
    for (const std::string_view name : names) {
      const ConformanceCase& which = conformance_case(name);
      if (!applies(which, setting_.store, {})) return not_claimed();
      if (auto broken = broken_by(which)) return *std::move(broken);
      ++kept;
    }
    return {.verdict = Verdict::yes,
            .seen = kept == 1 ? "as it should be"
                              : "as it should be, " + std::to_string(kept) + " cases of it"};
  }

 private:
  Reply not_claimed() const {
    return {.verdict = Verdict::no,
            .seen = "the store does not enforce conditions; it looks before it writes",
            .advice = "Let one process at a time store the same step.",
            .needed = false};
  }

  // None: the store keeps what the case is about. Throws what says nothing of the store.
  std::optional<Reply> broken_by(const ConformanceCase& which) const {
    setting_.store.forget_trouble();
    std::string said;
    try {
      const ConformanceOptions options{.seed = setting_.seed,
                                       .key_bytes_max = kKeyBytesMax,
                                       .folder = setting_.folder,
                                       .rounds = setting_.thorough ? 0 : row_.rounds};
      ConformanceContext context(setting_.folder + "/" + which.name, options);
      which.check(setting_.store, context);
    } catch (const std::exception& broken) {
      said = without(broken.what(), setting_.folder + "/" + which.name + "/");
    }
    const std::optional<StorageManagerError> trouble = setting_.store.trouble();
    // What stays now is told at the end, after another try.
    (void)setting_.store.clear(setting_.limits);
    if (said.empty()) return std::nullopt;
    check_limits(setting_.limits, setting_.clock, "doctor");
    if (trouble && trouble->code() == ErrorCode::PermissionDenied) {
      return Reply{.verdict = Verdict::no,
                   .seen = trouble->what(),
                   .advice = std::string(trouble->advice())};
    }
    if (trouble) trouble->raise();
    Reply reply{.verdict = Verdict::no,
                .seen = which.shows + ": not so; " + said,
                .advice = std::string(row_.advice)};
    for (const auto& [name, held] : {std::pair("create-race", &Shown::create_races),
                                     std::pair("swap-race", &Shown::swap_races)}) {
      if (row_.name != name) continue;
      shown_.*held = false;
      if (setting_.learns) reply.needed = false;
    }
    return reply;
  }

  const CaseSetting& setting_;
  const CaseRow& row_;
  Shown& shown_;
};

}  // namespace

std::vector<Question> case_questions(const CaseSetting& setting, Shown& shown) {
  std::vector<Question> questions;
  for (const CaseRow& row : case_rows()) {
    questions.push_back({.area = std::string(row.area),
                         .name = std::string(row.name),
                         .tried = std::string(row.tried),
                         .needed = row.role != Role::wanted,
                         .ask = CaseRun(setting, row, shown)});
  }
  return questions;
}

}  // namespace stepstore
