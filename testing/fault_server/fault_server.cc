#include "testing/fault_server/fault_server.h"

namespace stepstore::fault {

FaultServer::FaultServer(FaultServerOptions options, Clock& clock)
    : options_(std::move(options)),
      service_(std::make_unique<Service>(options_.service, clock)),
      plan_(std::make_unique<FaultPlan>(options_.keep_journal, clock)),
      delay_ms_(options_.delay.count()) {
  service_->make_bucket(options_.bucket);
  const bool tls = !options_.http.certificate_file.empty();
  const auto tell = [this](http::Reply& reply) {
    reply.response.headers.emplace_back("x-amz-request-id", std::to_string(++requests_));
    reply.delay += std::chrono::milliseconds(delay_ms_.load());
  };
  const auto answer = [this, tls, tell](const http::Received& received) {
    auto call = parse_call(received, options_.host);
    http::Reply reply;
    if (call) {
      call->tls = tls;
      reply = plan_->carry_out(*call, [this](const Call& each) { return service_->answer(each); });
    } else {
      reply.response = error_answer(400, "InvalidURI", "Couldn't parse the specified URI.");
    }
    tell(reply);
    return reply;
  };
  const auto at_head = [this, tell](const http::Received& head) -> std::optional<http::Early> {
    if (!plan_->judges_heads()) return std::nullopt;
    const auto call = parse_call(head, options_.host);
    auto early = call ? plan_->at_head(*call) : std::nullopt;
    if (early) tell(early->reply);
    return early;
  };
  server_ = std::make_unique<http::Server>(options_.http, answer, at_head);
}

FaultServer::~FaultServer() { stop(); }

std::uint16_t FaultServer::port() const noexcept { return server_->port(); }

std::string FaultServer::endpoint() const {
  return std::string(options_.http.certificate_file.empty() ? "http" : "https") + "://" +
         options_.http.address + ':' + std::to_string(port());
}

std::string FaultServer::uri(const std::string& prefix) const {
  return "s3://" + options_.bucket + (prefix.empty() ? "" : "/" + prefix) +
         "?endpoint=" + endpoint() + "&region=us-east-1";
}

std::size_t FaultServer::connections() const { return server_->connections(); }

bool FaultServer::wait_until_idle(std::chrono::milliseconds at_most) const {
  return server_->wait_until_idle(at_most);
}

void FaultServer::set_delay(std::chrono::milliseconds delay) noexcept { delay_ms_ = delay.count(); }

void FaultServer::stop() {
  // The server waits for its threads, and these for their gates.
  plan_->open_gates();
  server_->stop();
}

}  // namespace stepstore::fault
