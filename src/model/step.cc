// The values that readers get.
#include "stepstore/step.h"

#include <algorithm>

#include "base/errors.h"

namespace stepstore {

const ComponentInfo* StepInfo::find(std::string_view name) const noexcept {
  const auto found = std::find_if(components.begin(), components.end(),
                                  [&](const ComponentInfo& c) { return c.name == name; });
  return found == components.end() ? nullptr : &*found;
}

std::uint64_t StepInfo::total_size() const noexcept {
  std::uint64_t size = 0;
  for (const ComponentInfo& component : components) size += component.size;
  return size;
}

Step::Step(StepInfo info, std::vector<Bytes> bodies, std::optional<Bytes> metadata)
    : info_(std::move(info)), bodies_(std::move(bodies)), metadata_(std::move(metadata)) {}

std::optional<Bytes> Step::find(std::string_view name) const {
  const ComponentInfo* const component = info_.find(name);
  if (component == nullptr) return std::nullopt;
  return bodies_[static_cast<std::size_t>(component - info_.components.data())];
}

Bytes Step::component(std::string_view name) const {
  if (auto bytes = find(name)) return *std::move(bytes);
  error(ErrorCode::NotFound, "component", info_.session_id + "/" + info_.step_id,
        "the step has no component '" + std::string(name) + "'",
        "See info().components for those it has.")
      .raise();
  __builtin_unreachable();
}

}  // namespace stepstore
