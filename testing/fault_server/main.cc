// stepstore-fault-server: an S3 endpoint in memory, for tests and benchmarks.
#include <CLI/CLI.hpp>
#include <csignal>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>

#include "testing/fault_server/fault_server.h"
#include "testing/fault_server/faults.h"
#include "testing/fault_server/plan_file.h"

namespace stepstore::fault {
namespace {

struct Arguments {
  std::uint16_t port = 0;
  std::string bucket = "checkpoints";
  int delay_ms = 0;
  std::string dialect{};
  std::string etag = "quick";
  std::uint64_t seed = 1;
  double lost_requests = 0, lost_answers = 0, errors = 0;
  std::string certificate_file{}, key_file{};
  std::string plan_file{}, journal_file{};
  bool list_faults = false;
};

Dialect dialect_named(const std::string& name) {
  if (name == "ceph16") {
    return {.bare_if_match_only = true,
            .losers_get_500 = true,
            .ignores_completion_conditions = true,
            .ignores_conditional_delete = true,
            .no_conditions_when_versioned = true,
            .ignores_checksums = true};
  }
  if (name == "versitygw") return {.marker_refuses_create = true, .ignores_encoding_type = true};
  if (name == "no-conditions") {
    return {.ignores_if_none_match = true,
            .ignores_if_match = true,
            .ignores_completion_conditions = true,
            .ignores_conditional_delete = true};
  }
  return {};
}

void load_plan(FaultPlan& plan, const std::string& file) {
  std::ifstream in(file);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in) throw std::runtime_error(file + " cannot be read");
  try {
    plan.load(text);
  } catch (const std::invalid_argument& wrong) {
    throw std::runtime_error(file + ": " + wrong.what());
  }
}

// Each line is there as soon as its request is answered. The stream must outlive the server.
void write_journal(FaultPlan& plan, const std::string& file, std::ofstream& out) {
  out.open(file, std::ios::trunc);
  if (!out) throw std::runtime_error(file + " cannot be written");
  plan.on_entry([&out](const Entry& entry) { out << to_json(entry) << '\n' << std::flush; });
}

int run(const Arguments& given) {
  if (given.list_faults) {
    for (const Kind& kind : catalogue()) std::cout << kind.name << ": " << kind.what << '\n';
    return 0;
  }
  // Blocked before any thread is started, so that only sigwait() takes them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::ofstream journal;
  FaultServer server(
      {.http = {.port = given.port,
                .certificate_file = given.certificate_file,
                .key_file = given.key_file},
       .service = {.dialect = dialect_named(given.dialect), .md5_etags = given.etag == "md5"},
       .bucket = given.bucket,
       .delay = std::chrono::milliseconds(given.delay_ms),
       .keep_journal = false});
  if (given.lost_requests + given.lost_answers + given.errors > 0) {
    server.plan().at_random(given.seed, given.lost_requests, given.lost_answers, given.errors, 0);
  }
  if (!given.plan_file.empty()) load_plan(server.plan(), given.plan_file);
  if (!given.journal_file.empty()) write_journal(server.plan(), given.journal_file, journal);
  std::cout << "listening on " << server.endpoint() << '\n'
            << "export AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any\n"
            << "stepstore ls '" << server.uri() << "'\n"
            << std::flush;
  int got = 0;
  sigwait(&signals, &got);
  return 0;
}

}  // namespace
}  // namespace stepstore::fault

int main(int argc, char** argv) {
  stepstore::fault::Arguments given;
  CLI::App app(
      "An S3 endpoint in memory, for tests and benchmarks. It checks no signature and keeps "
      "nothing: what is stored goes with it.",
      "stepstore-fault-server");
  const CLI::Range chance(0.0, 1.0);
  app.add_option("--port", given.port, "listen here; 0 takes a free port")->capture_default_str();
  app.add_option("--bucket", given.bucket, "a bucket that is there from the start")
      ->capture_default_str();
  app.add_option("--delay-ms", given.delay_ms, "wait so long before each answer")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  app.add_option("--dialect", given.dialect, "be weak as a real server is")
      ->check(CLI::IsMember({"ceph16", "versitygw", "no-conditions"}));
  app.add_option("--etag", given.etag, "md5 makes ETags as AWS does, at some cost")
      ->capture_default_str()
      ->check(CLI::IsMember({"quick", "md5"}));
  app.add_option("--seed", given.seed, "of the faults by chance")->capture_default_str();
  app.add_option("--lost-requests", given.lost_requests, "this part of the requests is not done")
      ->check(chance);
  app.add_option("--lost-answers", given.lost_answers, "this part is done and not answered")
      ->check(chance);
  app.add_option("--errors", given.errors, "this part is answered with 500, half of it done")
      ->check(chance);
  app.add_option("--plan", given.plan_file, "what goes wrong, and when: a plan in JSON")
      ->check(CLI::ExistingFile);
  app.add_option("--journal", given.journal_file, "write a line of JSON for each request");
  app.add_flag("--list-faults", given.list_faults, "print the faults that a plan may name");
  auto* const certificate = app.add_option("--certificate", given.certificate_file,
                                           "serve https: PEM file with the chain")
                                ->check(CLI::ExistingFile);
  auto* const key =
      app.add_option("--key", given.key_file, "its key, a PEM file")->check(CLI::ExistingFile);
  certificate->needs(key);
  key->needs(certificate);
  CLI11_PARSE(app, argc, argv);
  try {
    return stepstore::fault::run(given);
  } catch (const std::exception& error) {
    std::cerr << "stepstore-fault-server: " << error.what() << '\n';
    return 1;
  }
}
