#include "http/server_peer.h"

#include <algorithm>

#include "base/errors.h"
#include "http/message_reader.h"
#include "http/server_answer.h"

namespace stepstore::http {

void ServerPeer::serve() const {
  if (!socket_.shake_hands()) return;
  const std::string peer = socket_.peer();
  const auto scratch = std::make_unique_for_overwrite<std::byte[]>(kScratchBytes);
  while (serve_one(peer, {scratch.get(), kScratchBytes})) {
  }
}

bool ServerPeer::serve_one(const std::string& peer, std::span<std::byte> scratch) const {
  RequestReader reader(options_.body_bytes_max, scratch);
  std::optional<Early> early;
  bool asked = false, told_to_go_on = false;
  const auto enough = [&] { return early && reader.body_bytes() >= early->body_bytes; };
  try {
    while (!reader.done() && !enough()) {
      std::span<std::byte> room = reader.room();
      if (early) {
        room = room.first(
            std::min<std::uint64_t>(room.size(), early->body_bytes - reader.body_bytes()));
      }
      const std::size_t got = socket_.read(room);
      if (got == 0) return false;
      reader.received(got);
      if (on_head_ && !asked && reader.has_head()) {
        asked = true;
        Received head = reader.head();
        head.peer = peer;
        early = on_head_(head);
      }
      if (!told_to_go_on && !enough() && reader.wants_continue()) {
        told_to_go_on = true;
        if (!socket_.write("HTTP/1.1 100 Continue\r\n\r\n", false)) return false;
      }
    }
  } catch (const StorageManagerError& bad) {
    const int status = bad.code() == ErrorCode::TooLarge ? 413 : 400;
    (void)send_answer(socket_, {.response = {.status = status}}, "GET", true);
    return false;
  }
  if (early) {
    deliver_early(*early, reader.head().method);
    return false;
  }
  const bool reusable = reader.reusable();
  Received received = reader.take();
  received.peer = peer;
  return deliver(handler_(received), received.method, reusable);
}

bool ServerPeer::deliver(const Reply& reply, const std::string& method, bool reusable) const {
  if (!socket_.pause(reply.delay)) return false;
  const bool close = reply.close || !reusable || reply.framing == Framing::until_closed;
  const bool whole = send_answer(socket_, reply, method, close);
  switch (reply.delivery) {
    case Delivery::send:
      return whole && !close;
    case Delivery::reset:
      socket_.reset_at_end();
      break;
    case Delivery::stall:
      socket_.stay_silent(reply.stall_max);
      break;
    case Delivery::drop:
    case Delivery::truncate:
      break;
  }
  return false;
}

void ServerPeer::deliver_early(const Early& early, const std::string& method) const {
  (void)deliver(early.reply, method, false);
  if (early.reply.delivery == Delivery::send) socket_.end_early();
}

}  // namespace stepstore::http
