#include "testing/fault_server/fault_answers.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <pugixml.hpp>
#include <sstream>
#include <utility>

#include "base/crc64.h"
#include "s3/digest.h"
#include "s3/encode.h"
#include "testing/fault_server/checksums.h"
#include "testing/fault_server/service.h"

namespace stepstore::fault {
namespace {

Bytes bytes_of(std::string text) {
  auto keep = std::make_shared<const std::string>(std::move(text));
  const BytesView view(*keep);
  return Bytes::adopt(view, std::move(keep));
}

bool has_body(const Call& call, const http::Response& response) {
  return call.method != "HEAD" && !response.body.empty();
}

// Where an answer breaks: as the settings say, else in the middle of what there is.
http::AnswerByte breaking_point(const FaultSettings& settings, const Call& call,
                                const http::Response& response) {
  if (settings.at_byte) return {.number = *settings.at_byte, .in_head = settings.in_head};
  if (!settings.in_head && has_body(call, response)) {
    return {.number = response.body.size() / 2, .in_head = false};
  }
  constexpr std::uint64_t kInTheStatusLine = 10;
  return {.number = kInTheStatusLine, .in_head = true};
}

void replace_first(std::string& text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  if (at != std::string::npos) text.replace(at, from.size(), to);
}

// Says of a list that it goes on, with this token.
void truncate_list(http::Reply& reply, const std::string& token) {
  std::string text(reply.response.body.text());
  constexpr std::string_view kOpen = "<NextContinuationToken>", kClose = "</NextContinuationToken>";
  const std::size_t begin = text.find(kOpen);
  if (begin != std::string::npos) {
    text.erase(begin, text.find(kClose) + kClose.size() - begin);
  }
  constexpr std::string_view kWhole = "<IsTruncated>false</IsTruncated>";
  constexpr std::string_view kMore = "<IsTruncated>true</IsTruncated>";
  replace_first(text, kWhole, kMore);
  replace_first(text, kMore, std::string(kMore) + std::string(kOpen) + token + std::string(kClose));
  reply.response.body = bytes_of(std::move(text));
}

std::string url_of(const Call& call) {
  const std::string* const host = call.header("Host");
  return std::string(call.tls ? "https://" : "http://") + (host != nullptr ? *host : "localhost") +
         '/' + call.bucket + '/' + s3::uri_encode_path(call.key);
}

}  // namespace

void set_header(http::Headers& headers, std::string_view name, std::string value) {
  drop_header(headers, name);
  headers.emplace_back(name, std::move(value));
}

void drop_header(http::Headers& headers, std::string_view name) {
  std::erase_if(headers,
                [&](const auto& each) { return lower_case(each.first) == lower_case(name); });
}

Fault answered(const FaultSettings& settings, http::Response response) {
  if (settings.status) response.status = *settings.status;
  if (settings.body) response.body = bytes_of(*settings.body);
  for (const auto& [name, value] : settings.headers) set_header(response.headers, name, value);
  if (settings.retry_after_s) {
    set_header(response.headers, "Retry-After", std::to_string(*settings.retry_after_s));
  }
  return {.fate = settings.done ? Fate::done_and_answer : Fate::answer,
          .answer = std::move(response)};
}

Fault failed(const FaultSettings& settings, int status, std::string_view code,
             std::string_view message) {
  return answered(settings, error_answer(status, settings.code.empty() ? code : settings.code,
                                         settings.message.empty() ? message : settings.message));
}

Fault changed(std::function<void(const Call&, http::Reply&)> change) {
  return {.fate = Fate::change, .change_reply = std::move(change)};
}

Fault broken_off(const FaultSettings& settings, http::Delivery delivery, Fate fate) {
  return {.fate = fate, .change_reply = [settings, delivery](const Call& call, http::Reply& reply) {
            reply.delivery = delivery;
            reply.until = breaking_point(settings, call, reply.response);
            reply.stall_max = settings.stall_max;
          }};
}

Fault dripping(const FaultSettings& settings) {
  return changed([settings](const Call&, http::Reply& reply) {
    reply.drip_bytes = settings.drip_bytes;
    reply.drip_every = settings.drip_every;
  });
}

Fault after_spaces(const FaultSettings& settings) {
  return changed([settings](const Call&, http::Reply& reply) {
    reply.framing = http::Framing::chunked;
    reply.spaces = settings.spaces;
    reply.space_every = settings.space_every;
  });
}

Fault error_after_spaces(const FaultSettings& settings) {
  Fault fault = failed(settings, 200, "InternalError", "We encountered an internal error.");
  fault.change_reply = after_spaces(settings).change_reply;
  return fault;
}

Fault cut_request(const FaultSettings& settings, http::Delivery delivery) {
  return {.fate = Fate::cut_request,
          .request_bytes = settings.at_byte.value_or(0),
          .early = {.delivery = delivery, .stall_max = settings.stall_max}};
}

Fault answered_early(const FaultSettings& settings) {
  Fault fault = cut_request(settings, http::Delivery::send);
  fault.early.response =
      failed(settings, 503, "ServiceUnavailable", "Please reduce your request rate.").answer;
  return fault;
}

Fault wrong_content_range() {
  return changed([](const Call&, http::Reply& reply) {
    if (http::find_header(reply.response.headers, "Content-Range") == nullptr) return;
    set_header(reply.response.headers, "Content-Range", "bytes 1000000-1000001/1000002");
  });
}

Fault whole_for_range() {
  Fault fault{.fate = Fate::change};
  fault.change_call = [](Call& call) { drop_header(call.headers, "Range"); };
  return fault;
}

Fault short_body() {
  return changed([](const Call& call, http::Reply& reply) {
    if (reply.response.status >= 300 || !has_body(call, reply.response)) return;
    reply.response.body = reply.response.body.slice(0, reply.response.body.size() / 2);
  });
}

Fault wrong_checksum() {
  return changed([](const Call&, http::Reply& reply) {
    if (reply.response.status >= 300) return;
    http::Headers& headers = reply.response.headers;
    std::erase_if(headers, [](const auto& each) { return is_checksum_header(each.first); });
    headers.emplace_back("x-amz-checksum-crc64nvme", "AAAAAAAAAAA=");
  });
}

Fault flipped_bit(const FaultSettings& settings) {
  return changed([settings](const Call& call, http::Reply& reply) {
    if (reply.response.status >= 300 || !has_body(call, reply.response)) return;
    std::string body(reply.response.body.text());
    const std::size_t at =
        std::min<std::uint64_t>(settings.at_byte.value_or(body.size() / 2), body.size() - 1);
    body[at] = static_cast<char>(body[at] ^ 1);
    reply.response.body = bytes_of(std::move(body));
  });
}

Fault wrong_etag() {
  return changed([](const Call&, http::Reply& reply) {
    if (http::find_header(reply.response.headers, "ETag") == nullptr) return;
    set_header(reply.response.headers, "ETag", "\"0123456789abcdef0123456789abcdef\"");
  });
}

Fault no_etag() {
  return changed(
      [](const Call&, http::Reply& reply) { drop_header(reply.response.headers, "ETag"); });
}

Fault same_page() {
  Fault fault = changed([](const Call&, http::Reply& reply) { truncate_list(reply, "again"); });
  fault.change_call = [](Call& call) {
    call.query.erase("continuation-token");
    call.query.erase("start-after");
  };
  return fault;
}

Fault endless_list() {
  return changed(
      [pages = std::make_shared<std::atomic<std::uint64_t>>(0)](const Call&, http::Reply& reply) {
        truncate_list(reply, "1.page-" + std::to_string(++*pages));
      });
}

Fault moved(const FaultSettings& settings) {
  Fault fault = failed(settings, 301, "PermanentRedirect",
                       "The bucket you are attempting to access must be addressed using the "
                       "specified endpoint.");
  set_header(fault.answer.headers, "x-amz-bucket-region", settings.region);
  return fault;
}

Fault redirect(const FaultSettings& settings, std::string_view to) {
  Fault fault = failed(settings, 307, "TemporaryRedirect",
                       "Please re-send this request to the specified temporary endpoint.");
  std::string location = settings.location.empty() ? std::string(to) : settings.location;
  fault.change_reply = [location](const Call& call, http::Reply& reply) {
    std::string url = url_of(call);
    if (location == "http") {
      url = "http" + url.substr(url.find(':'));
    } else if (!location.empty()) {
      url = location;
    }
    set_header(reply.response.headers, "Location", url);
  };
  return fault;
}

Fault wrong_region(const FaultSettings& settings) {
  FaultSettings told = settings;
  if (!told.body) {
    told.body =
        "<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization header "
        "is malformed; the region is wrong; expecting '" +
        settings.region + "'</Message><Region>" + settings.region + "</Region></Error>";
  }
  return failed(told, 400, "", "");
}

Fault clock_skew(const FaultSettings& settings) {
  Fault fault =
      failed(settings, 403, "RequestTimeTooSkewed",
             "The difference between the request time and the current time is too large.");
  fault.change_reply = [ahead = settings.clock_ahead](const Call&, http::Reply& reply) {
    const auto now =
        std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    set_header(reply.response.headers, "Date", http_date(now + ahead));
  };
  return fault;
}

// Somebody else's write: of the settings' bytes; else of what lies there, which then has another
// ETag; else, where nothing does, of the request's own bytes.
Fault raced(const FaultSettings& settings) {
  Fault fault{.fate = Fate::change};
  fault.before = [settings](const Call& call, const Apply& apply) {
    Call other{.method = "PUT", .bucket = call.bucket, .key = call.key};
    const http::Response there = apply({.method = "GET", .bucket = call.bucket, .key = call.key});
    if (settings.body) {
      other.body = bytes_of(*settings.body);
    } else {
      other.body = there.status == 200 ? there.body : call.body;
    }
    (void)apply(other);
  };
  return fault;
}

Fault no_conditions() {
  Fault fault{.fate = Fate::change};
  fault.change_call = [](Call& call) {
    drop_header(call.headers, "If-Match");
    drop_header(call.headers, "If-None-Match");
  };
  return fault;
}

// The first keys of a bulk deletion stay, and the answer says so.
Fault failing_keys(const FaultSettings& settings, std::string_view code) {
  Fault fault{.fate = Fate::change};
  const auto split = [keys = settings.keys](const Bytes& body, std::string& rest) {
    pugi::xml_document document;
    std::vector<std::string> failing;
    if (!document.load_buffer(body.data(), body.size())) return failing;
    pugi::xml_node root = document.child("Delete");
    while (failing.size() < keys && root.child("Object")) {
      failing.emplace_back(root.child("Object").child_value("Key"));
      root.remove_child(root.child("Object"));
    }
    std::ostringstream out;
    document.save(out, "", pugi::format_raw);
    rest = out.str();
    return failing;
  };
  fault.change_call = [split](Call& call) {
    std::string rest;
    if (split(call.body, rest).empty()) return;
    call.body = bytes_of(std::move(rest));
    // They were those of all keys.
    std::erase_if(call.headers, [](const auto& each) {
      return is_checksum_header(lower_case(each.first)) ||
             lower_case(each.first) == "x-amz-content-sha256" ||
             lower_case(each.first) == "content-md5";
    });
    call.headers.emplace_back("x-amz-checksum-crc64nvme",
                              s3::crc64_base64(crc64(call.body.view())));
  };
  fault.change_reply = [split, code = std::string(code)](const Call& call, http::Reply& reply) {
    std::string rest, errors;
    for (const std::string& key : split(call.body, rest)) {
      errors += "<Error><Key>" + s3::xml_escape(key) + "</Key><Code>" + code +
                "</Code><Message>as the test wants</Message></Error>";
    }
    std::string text(reply.response.body.text());
    constexpr std::string_view kEnd = "</DeleteResult>";
    const std::size_t end = text.find(kEnd);
    if (end == std::string::npos) {  // no key was left to be deleted
      reply.response = xml_answer(200, "<DeleteResult>" + errors + std::string(kEnd));
      return;
    }
    text.insert(end, errors);
    reply.response.body = bytes_of(std::move(text));
  };
  return fault;
}

Fault huge_head(const FaultSettings& settings) {
  http::Response response = empty_answer(200);
  response.headers.emplace_back("x-filler", std::string(64 << 10, 'x'));
  return answered(settings, std::move(response));
}

}  // namespace stepstore::fault
