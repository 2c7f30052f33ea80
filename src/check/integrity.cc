#include "check/integrity.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/crc64.h"
#include "base/errors.h"
#include "layout/keys.h"
#include "model/manifest.h"
#include "model/session_root.h"

namespace stepstore {
namespace {

class Checker {
 public:
  Checker(ObjectStore& store, Clock& clock, bool data, const CallLimits& limits)
      : store_(store), clock_(clock), data_(data), limits_(limits) {
    report_.data_verified = data;
  }

  // `folder` as the store lists it, with its slash.
  void check_session(const std::string& folder) {
    const auto session =
        parse_session_folder(std::string_view(folder).substr(0, folder.size() - 1));
    if (!session) {
      find(Finding::Kind::foreign, folder, "no session has a folder of this name");
      return;
    }
    if (session->generation != generation_of(session->session_id)) {
      judge_other_generation(folder, *session);
      return;
    }
    report_.sessions += 1;
    std::map<std::string, ObjectInfo> files;  // of one step, by location
    std::string step_segment;
    ListRequest request{.prefix = folder};
    do {
      check_limits(limits_, clock_, "check");
      ListPage page = store_.list(request, limits_);
      for (ObjectInfo& object : page.objects) {
        const ParsedKey key = parse_key(object.key.text());
        if (key.step_segment != step_segment) {
          check_step(folder + step_segment, files);
          files.clear();
          step_segment = key.step_segment;
        }
        if (key.role == FileRole::foreign) {
          find_foreign(object.key.text());
        } else {
          files.emplace(key.location, std::move(object));
        }
      }
      request.start_after = std::move(page.next);
    } while (!request.start_after.empty());
    check_step(folder + step_segment, files);
  }

  void find_foreign(const std::string& key) {
    find(Finding::Kind::foreign, key, "stepstore writes no such object");
  }

  CheckReport finish() && { return std::move(report_); }

 private:
  void find(Finding::Kind kind, std::string key, std::string message) {
    report_.findings.push_back({kind, std::move(key), std::move(message)});
  }

  std::uint64_t generation_of(const std::string& session_id) {
    const auto root = get_one(store_, session_root_key(session_id), limits_);
    if (root.is(ErrorCode::NotFound)) return 0;
    const Object& object = root.value();
    return parse_session_root(object.body.text(), object.info.key.text()).generation;
  }

  // A folder that its session's root does not point to.
  void judge_other_generation(const std::string& folder, const SessionFolder& session) {
    // Some servers list a folder in which only delete markers lie.
    if (store_.list({.prefix = folder, .limit = 1}, limits_).objects.empty()) return;
    const std::uint64_t current = generation_of(session.session_id);
    if (session.generation > current) {
      find(Finding::Kind::missing, session_root_key(session.session_id).text(),
           "it is not there or too old: it says nothing of the recording in " + folder +
               ", which nobody can read without it; restore it, or copy the store again, "
               "hidden folders included");
      return;
    }
    const ListRequest any{.prefix = session_folder(session.session_id, current) + "/", .limit = 1};
    find(Finding::Kind::unfinished, folder,
         store_.list(any, limits_).objects.empty()
             ? "left over from a deleted session; deleting the session again removes it"
             : "left over from a deleted session that was recorded again since; deleting the "
               "session would delete the new recording too. Nobody reads this folder: remove it "
               "by hand, or leave it until the session is deleted");
  }

  void check_step(const std::string& folder, std::map<std::string, ObjectInfo>& files) {
    if (files.empty()) return;
    const auto root = std::find_if(files.begin(), files.end(), [](const auto& file) {
      return parse_key(file.second.key.text()).role == FileRole::manifest;
    });
    if (root == files.end()) return check_rootless(files);
    const auto object = get_one(store_, root->second.key, limits_);
    if (object.is(ErrorCode::NotFound)) return;  // deleted with its session meanwhile
    files.erase(root);
    try {
      const Object& found = object.value();
      const Manifest manifest = parse_manifest(found.body.text(), found.info.key.text());
      check_root(folder, manifest, files);
    } catch (const StorageManagerError& bad) {
      if (bad.code() != ErrorCode::Corrupt) throw;
      find(Finding::Kind::corrupt, manifest_key(folder).text(), std::string(bad.message()));
    }
  }

  void check_rootless(const std::map<std::string, ObjectInfo>& files) {
    const bool legacy = std::any_of(files.begin(), files.end(), [](const auto& file) {
      return legacy_component(file.first).has_value();
    });
    if (legacy) {
      report_.legacy_steps += 1;
      return;
    }
    for (const auto& [location, object] : files) {
      find(Finding::Kind::orphan, object.key.text(), "its step has no manifest");
    }
  }

  void check_root(const std::string& folder, const Manifest& manifest,
                  std::map<std::string, ObjectInfo>& files) {
    if (manifest.state == RootState::deleting) {
      find(Finding::Kind::unfinished, manifest_key(folder).text(),
           "a delete was interrupted; deleting the step again finishes it");
      return;
    }
    if (manifest.state == RootState::live) {
      report_.steps += 1;
      check_components(folder, manifest, files);
      for (const KeptVersion& kept : manifest.kept_versions) check_kept(folder, kept, files);
    }
    for (const std::string& location : manifest.named_locations()) files.erase(location);
    for (const auto& [location, object] : files) {
      find(Finding::Kind::orphan, object.key.text(), "no manifest names it");
    }
  }

  void check_kept(const std::string& folder, const KeptVersion& kept,
                  const std::map<std::string, ObjectInfo>& files) {
    const ObjectKey key = in_folder(folder, kept.location);
    const auto copy = get_one(store_, key, limits_);
    if (copy.is(ErrorCode::NotFound)) {
      find_if_still(folder, Finding::Kind::missing, key.text(),
                    "the manifest of a kept version is not there");
      return;
    }
    try {
      const Manifest manifest = parse_manifest(copy.value().body.text(), key.text());
      check_components(folder, manifest, files);
    } catch (const StorageManagerError& bad) {
      if (bad.code() != ErrorCode::Corrupt) throw;
      find_if_still(folder, Finding::Kind::corrupt, key.text(), std::string(bad.message()));
    }
  }

  void check_components(const std::string& folder, const Manifest& manifest,
                        const std::map<std::string, ObjectInfo>& files) {
    for (const ManifestComponent& component : manifest.components) {
      check_limits(limits_, clock_, "check");
      report_.components += 1;
      report_.bytes += component.size;
      const ObjectKey key = in_folder(folder, component.location);
      const auto listed = files.find(component.location);
      // What the listing lacks may have come since: the manifest was read after it.
      const auto info = listed != files.end() ? Result<ObjectInfo>(listed->second)
                                              : head_one(store_, key, limits_);
      if (info.is(ErrorCode::NotFound)) {
        find_if_still(folder, Finding::Kind::missing, key.text(),
                      "component '" + component.name + "' is not there");
      } else if (info.value().size != component.size) {
        find_if_still(folder, Finding::Kind::corrupt, key.text(),
                      "it has " + std::to_string(info.value().size) + " bytes, the manifest says " +
                          std::to_string(component.size));
      } else if (data_) {
        check_data(folder, component, key);
      }
    }
  }

  void check_data(const std::string& folder, const ManifestComponent& component,
                  const ObjectKey& key) {
    constexpr std::uint64_t kPieceBytes = std::uint64_t{8} << 20;
    std::uint64_t crc = 0;
    for (std::uint64_t offset = 0; offset < component.size; offset += kPieceBytes) {
      const GetRequest request{.key = key,
                               .range = ObjectRange{.offset = offset, .size = kPieceBytes}};
      const auto piece = std::move(store_.get({&request, 1}, limits_).front());
      if (!piece.ok()) {
        find_if_still(folder, Finding::Kind::corrupt, key.text(),
                      "it cannot be read: " + std::string(piece.error().message()));
        return;
      }
      crc = crc64(piece->body.view(), crc);
    }
    if (crc != component.crc64) {
      find_if_still(folder, Finding::Kind::corrupt, key.text(),
                    "its checksum is " + crc64_text(crc) + ", the manifest says " +
                        crc64_text(component.crc64));
    }
  }

  // What looks damaged may only have been replaced since its manifest was read.
  void find_if_still(const std::string& folder, Finding::Kind kind, std::string key,
                     std::string message) {
    const auto now = get_one(store_, manifest_key(folder), limits_);
    if (now.is(ErrorCode::NotFound)) return;
    const Object& object = now.value();
    const Manifest current = parse_manifest(object.body.text(), object.info.key.text());
    const std::vector<std::string> named = current.named_locations();
    const std::string location = key.substr(folder.size() + 1);
    if (current.state != RootState::live ||
        !std::binary_search(named.begin(), named.end(), location)) {
      return;
    }
    find(kind, std::move(key), std::move(message));
  }

  ObjectStore& store_;
  Clock& clock_;
  const bool data_;
  const CallLimits& limits_;
  CheckReport report_;
};

}  // namespace

CheckReport check_integrity(ObjectStore& store, Clock& clock, const CheckOptions& options,
                            const CallLimits& limits) {
  Checker checker(store, clock, options.data, limits);
  ListRequest request{.delimited = true};
  if (options.session) {
    const std::string first = session_folder(*options.session, 0) + "/";
    const ListRequest any{.prefix = first, .delimited = false, .start_after = {}, .limit = 1};
    if (!store.list(any, limits).objects.empty()) checker.check_session(first);
    request.prefix = generations_prefix(*options.session);
  }
  do {
    ListPage page = store.list(request, limits);
    for (const std::string& folder : page.prefixes) {
      if (folder != kSystemPrefix) checker.check_session(folder);
    }
    for (const ObjectInfo& object : page.objects) checker.find_foreign(object.key.text());
    request.start_after = std::move(page.next);
  } while (!request.start_after.empty());
  return std::move(checker).finish();
}

bool CheckReport::healthy() const noexcept {
  return std::none_of(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.kind == Finding::Kind::missing || finding.kind == Finding::Kind::corrupt;
  });
}

std::string_view v1::name_of(Finding::Kind kind) noexcept {
  switch (kind) {
    case Finding::Kind::missing:
      return "missing";
    case Finding::Kind::corrupt:
      return "corrupt";
    case Finding::Kind::orphan:
      return "orphan";
    case Finding::Kind::foreign:
      return "foreign";
    case Finding::Kind::unfinished:
      return "unfinished";
  }
  return "unknown";
}

}  // namespace stepstore
