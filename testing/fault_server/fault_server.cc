#include "testing/fault_server/fault_server.h"

namespace stepstore::fault {

FaultServer::FaultServer(FaultServerOptions options, Clock& clock)
    : options_(std::move(options)),
      service_(std::make_unique<Service>(options_.service, clock)),
      plan_(std::make_unique<FaultPlan>(options_.keep_journal)),
      delay_ms_(options_.delay.count()) {
  service_->make_bucket(options_.bucket);
  server_ = std::make_unique<http::Server>(options_.http, [this](const http::Received& received) {
    const auto call = parse_call(received, options_.host);
    http::Reply reply;
    if (call) {
      reply = plan_->carry_out(*call, [this](const Call& each) { return service_->answer(each); });
    } else {
      reply.response = error_answer(400, "InvalidURI", "Couldn't parse the specified URI.");
    }
    reply.response.headers.emplace_back("x-amz-request-id", std::to_string(++requests_));
    reply.delay += std::chrono::milliseconds(delay_ms_.load());
    return reply;
  });
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

void FaultServer::set_delay(std::chrono::milliseconds delay) noexcept { delay_ms_ = delay.count(); }

void FaultServer::stop() {
  // The server waits for its threads, and these for their gates.
  plan_->open_gates();
  server_->stop();
}

}  // namespace stepstore::fault
