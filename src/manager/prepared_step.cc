#include "manager/prepared_step.h"

#include <algorithm>
#include <array>
#include <bit>
#include <set>

#include "base/crc64.h"
#include "base/errors.h"
#include "layout/keys.h"
#include "manager/temporary_file.h"
#include "model/content_type.h"
#include "model/text.h"

namespace stepstore {
namespace {

// Components above this also carry a checksum per block, so that a range of them can be verified.
constexpr std::uint64_t kBlockedBytesMin = std::uint64_t{4} << 20;
constexpr std::uint64_t kBlockBytesMin = std::uint64_t{1} << 20;
constexpr std::uint64_t kBlocksMax = 1024;
constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

std::uint64_t block_size_for(std::uint64_t size) {
  if (size <= kBlockedBytesMin) return 0;
  return std::max(kBlockBytesMin, std::bit_ceil((size + kBlocksMax - 1) / kBlocksMax));
}

// Checksums of bytes that come piece by piece.
class Checksums {
 public:
  explicit Checksums(std::uint64_t block_size) : block_size_(block_size) {}

  void add(BytesView piece) {
    crc_ = crc64(piece, crc_);
    size_ += piece.size();
    while (block_size_ != 0 && !piece.empty()) {
      const auto room = static_cast<std::size_t>(block_size_ - in_block_);
      const std::size_t size = std::min(room, piece.size());
      block_crc_ = crc64(piece.slice(0, size), block_crc_);
      in_block_ += size;
      piece = piece.slice(size, piece.size() - size);
      if (in_block_ == block_size_) end_block();
    }
  }

  void fill(ManifestComponent& component) && {
    if (in_block_ > 0) end_block();
    component.size = size_;
    component.crc64 = crc_;
    component.block_size = block_size_;
    component.block_crcs = std::move(blocks_);
  }

 private:
  void end_block() {
    blocks_.push_back(block_crc_);
    block_crc_ = 0;
    in_block_ = 0;
  }

  std::uint64_t block_size_, size_ = 0, crc_ = 0, in_block_ = 0, block_crc_ = 0;
  std::vector<std::uint64_t> blocks_;
};

void check_json(std::string_view text, std::string_view what) {
  if (const auto fault = json_fault(text)) {
    error(ErrorCode::InvalidArgument, "", "", std::string(what) + " is not valid JSON: " + *fault,
          "Pass JSON text.")
        .raise();
  }
}

class Preparer {
 public:
  Preparer(const Options& options, Clock& clock, const CallLimits& limits)
      : options_(options), clock_(clock), limits_(limits) {}

  void add(std::string_view name, const Source& source, std::string_view content_type) {
    PreparedPart part{.component = {.name = std::string(name),
                                    .location = {},
                                    .content_type = std::string(content_type)},
                      .plain = {},
                      .source = source};
    take_body(part);
    if (content_type.empty()) part.component.content_type = guess_type(name, part);
    part.plain = plain_file(name, part.component.content_type);
    if (!files_.insert(part.plain).second) {
      error(ErrorCode::InvalidArgument, "", name, "two components have this name",
            "Give every component a name of its own.")
          .raise();
    }
    step_.parts.push_back(std::move(part));
  }

  PreparedStep step_;

 private:
  std::string guess_type(std::string_view name, const PreparedPart& part) const {
    if (name != kScreenshotName) return std::string(content_type_of(name));
    if (part.in_memory) return std::string(sniff_image(part.body));
    std::array<std::byte, 16> head{};
    const std::size_t size = part.source.open()(head);
    return std::string(sniff_image(BytesView(head.data(), size)));
  }

  // Gets hold of the bytes so that they can be sent several times, and knows their checksum before
  // the first byte is sent: a store over an older version compares before it sends.
  void take_body(PreparedPart& part) {
    if (part.source.in_memory()) {
      part.in_memory = true;
      part.body = part.source.view();
      check_size(part.component.name, part.body.size());
      Checksums sums(block_size_for(part.body.size()));
      sums.add(part.body);
      std::move(sums).fill(part.component);
      return;
    }
    if (!part.source.repeatable()) part.source = to_repeatable(part.source, part.component.name);
    if (part.source.in_memory()) return take_body(part);
    const std::uint64_t size = part.source.size().value_or(0);
    check_size(part.component.name, size);
    if (size <= options_.stream_threshold) {
      part.source = Source(read_all(part.source, size));
      return take_body(part);
    }
    Checksums sums(block_size_for(size));
    for_each_piece(part.source, [&](BytesView piece) { sums.add(piece); });
    std::move(sums).fill(part.component);
  }

  template <class Take>
  void for_each_piece(const Source& source, Take&& take) {
    std::vector<std::byte> piece(kPieceBytes);
    const Source::Reader read = source.open();
    for (;;) {
      check_limits(limits_, clock_, "read a source");
      const std::size_t size = read(piece);
      if (size == 0) return;
      take(BytesView(piece.data(), size));
    }
  }

  Bytes read_all(const Source& source, std::uint64_t size_hint) {
    std::string all;
    all.reserve(size_hint);
    for_each_piece(source, [&](BytesView piece) { all.append(piece.text()); });
    auto owner = std::make_shared<const std::string>(std::move(all));
    return Bytes::adopt(*owner, owner);
  }

  // What can be read once goes through memory while it is small and through an unnamed file beyond.
  Source to_repeatable(const Source& source, const std::string& name) {
    std::string head;
    std::optional<TemporaryFile> file;
    std::uint64_t size = 0;
    for_each_piece(source, [&](BytesView piece) {
      size += piece.size();
      check_size(name, size);
      if (!file && size > options_.stream_threshold) {
        file.emplace();
        file->append(head);
        head.clear();
      }
      if (file) {
        file->append(piece);
      } else {
        head.append(piece.text());
      }
    });
    if (file) return std::move(*file).to_source();
    auto owner = std::make_shared<const std::string>(std::move(head));
    return Source(Bytes::adopt(*owner, owner));
  }

  void check_size(const std::string& name, std::uint64_t size) const {
    if (size <= options_.component_bytes_max) return;
    error(ErrorCode::TooLarge, "", name,
          "the component has " + std::to_string(size) + " bytes or more; the limit is " +
              std::to_string(options_.component_bytes_max),
          "Split it, or raise component_bytes_max.")
        .raise();
  }

  const Options& options_;
  Clock& clock_;
  const CallLimits& limits_;
  std::set<std::string> files_;
};

}  // namespace

PreparedStep prepare_step(const StepData& data, const Options& options, Clock& clock,
                          const CallLimits& limits) {
  // What costs nothing to check comes before anything is read.
  if (data.action_data) check_json(*data.action_data, "action_data");
  if (data.metadata) check_json(*data.metadata, "metadata");
  for (const Component& component : data.components) {
    encode_component_name(component.name);
    if (!component.content_type.empty() && !is_content_type(component.content_type)) {
      error(ErrorCode::InvalidArgument, "", component.name,
            "its content type is not like text/plain",
            "Leave it empty, or pass type/subtype in printable ASCII.")
          .raise();
    }
  }
  Preparer preparer(options, clock, limits);
  if (data.html_content) preparer.add(kHtmlName, *data.html_content, kHtml);
  if (data.screenshot_bytes) preparer.add(kScreenshotName, *data.screenshot_bytes, "");
  if (data.action_data) preparer.add(kActionName, Source(*data.action_data), kJson);
  if (data.metadata && data.metadata->size() > kInlineMetadataBytesMax) {
    preparer.add(kMetadataName, Source(*data.metadata), kJson);
  } else {
    preparer.step_.inline_metadata = data.metadata;
  }
  for (const Component& component : data.components) {
    preparer.add(component.name, component.data, component.content_type);
  }
  return std::move(preparer.step_);
}

}  // namespace stepstore
