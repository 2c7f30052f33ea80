// What goes into a step and what comes out of it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "stepstore/bytes.h"
#include "stepstore/call.h"
#include "stepstore/error.h"
#include "stepstore/source.h"

namespace stepstore {
inline namespace v1 {

// A named blob beside the usual three: a HAR, a video, an accessibility tree, a model's request.
struct Component {
  std::string name;            // any non-empty UTF-8 whose encoded form has at most 150 bytes
  Source data;                 // borrowed bytes must live until the call returns
  std::string content_type{};  // empty: by the ending of the name, else application/octet-stream
};

// One step as its recorder has it. Absent is not empty: an absent part is not stored and comes back
// absent.
struct StepData {
  std::optional<Source> html_content{};           // kept as it is, in any encoding
  std::optional<Source> screenshot_bytes{};       // PNG, JPEG and WebP are recognised
  std::optional<std::string_view> action_data{};  // JSON text, kept verbatim
  std::optional<std::string_view> metadata{};     // JSON text, kept verbatim
  std::vector<Component>
      components{};  // any number; names are unique and not one of the four above
};

struct ComponentInfo {
  std::string name;  // "html", "screenshot", "action", or its own
  std::string path;  // the object's key relative to the step, e.g. "observation.html"
  std::string content_type;
  std::uint64_t size = 0;   // bytes
  std::uint64_t crc64 = 0;  // CRC-64/NVME of the bytes, as S3 has it in x-amz-checksum-crc64nvme
};

// What the manifest says of a step.
struct StepInfo {
  std::string session_id;
  std::string step_id;
  std::uint64_t version = 1;  // 1 for the first store, one more for each later one
  std::string commit_id;   // ULID of the store call that made this version; empty for a legacy step
  Timestamp created_at{};  // of this version, by the recorder's clock
  std::optional<Timestamp> expires_at{};
  std::vector<ComponentInfo> components{};
  std::string path;     // key of the step's folder in the store, e.g. "login/0001"
  bool legacy = false;  // a folder without a manifest, read with legacy=true

  const ComponentInfo* find(std::string_view name) const noexcept;  // null: no such component
  std::uint64_t total_size() const noexcept;                        // bytes of all components
};

// A step that was read: whole, and every byte verified against the manifest's checksums. Cheap to
// copy. Unpacks as `auto [html, screenshot, action] = step;`.
class Step {
 public:
  Step(StepInfo info, std::vector<Bytes> bodies, std::optional<Bytes> metadata);

  std::optional<Bytes> html_content() const { return find("html"); }
  std::optional<Bytes> screenshot_bytes() const { return find("screenshot"); }
  std::optional<Bytes> action_data() const { return find("action"); }  // JSON text as it was stored
  std::optional<Bytes> metadata() const { return metadata_; }          // JSON text as it was stored
  std::optional<Bytes> find(std::string_view name) const;
  Bytes component(std::string_view name) const;  // throws NotFound
  const StepInfo& info() const noexcept { return info_; }

 private:
  StepInfo info_;
  std::vector<Bytes> bodies_;  // in the order of info_.components
  std::optional<Bytes> metadata_;
};

template <std::size_t I>
std::optional<Bytes> get(const Step& step) {
  if constexpr (I == 0) return step.html_content();
  if constexpr (I == 1) return step.screenshot_bytes();
  if constexpr (I == 2) return step.action_data();
}

// What a store call returns.
struct Receipt {
  enum class State : std::uint8_t {
    committed,  // in the store itself
    spooled,    // durable in the local spool, on its way to the store
  };
  State state = State::committed;
  std::uint64_t version = 0;
  std::string commit_id{};
  // if_exists=skip_identical: the step was there with these very bytes, and nothing was written.
  bool skipped = false;
  std::map<std::string, std::string> paths{};  // component name -> key in the store
  std::optional<StorageManagerError> spool_reason{};
};

}  // namespace v1
}  // namespace stepstore

template <>
struct std::tuple_size<stepstore::Step> : std::integral_constant<std::size_t, 3> {};
template <std::size_t I>
struct std::tuple_element<I, stepstore::Step> {
  using type = std::optional<stepstore::Bytes>;
};
