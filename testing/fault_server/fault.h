// Fault: what becomes of one request, as data.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "http/server.h"
#include "testing/fault_server/call.h"

namespace stepstore::fault {

// What becomes of a request, in a word.
enum class Fate : std::uint8_t {
  normal,
  lose_request,     // not done; the connection is closed
  lose_answer,      // done; the connection is closed
  reset_answer,     // done; the connection is reset
  cut_answer,       // done; half of the answer's body comes
  stall,            // done; no answer, and the connection stays open
  answer,           // not done; another answer
  done_and_answer,  // done; another answer
  late,             // not done now; the connection is closed; done at release() or some requests on
  twice,            // done, and once more like one that is late
  change,           // done as it was sent or nearly so; the answer is changed, or comes oddly
  cut_request,      // not done; only the beginning of it was read
};
std::string_view name_of(Fate fate) noexcept;

// Does what a request asks for.
using Apply = std::function<http::Response(const Call&)>;

struct Fault {
  Fate fate = Fate::normal;
  http::Response answer{};              // of `answer` and `done_and_answer`
  std::size_t overtaken_by = SIZE_MAX;  // of `late` and `twice`: done after so many more requests
  std::uint64_t request_bytes = 0;      // of `cut_request`: so much of the body is read
  http::Reply early{};                  // of `cut_request`: what happens then
  std::function<void(const Call&, const Apply&)> before{};        // is done just before
  std::function<void(Call&)> change_call{};                       // before it is done
  std::function<void(const Call&, http::Reply&)> change_reply{};  // at last, whatever the fate
};

}  // namespace stepstore::fault
