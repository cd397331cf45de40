// Traces jobs through a client and a worker, and writes their spans to standard
// output as OTLP in JSON, one line for each batch:
//
//   tracing | jq '.resourceSpans[].scopeSpans[].spans[] | [.name, .spanId]'
//
// The job "order" submits another job, "pay", which fails. All spans belong to
// one trace. With the address of a gearmand as argument the program uses that
// server instead of the embedded one.
#include <iostream>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/examples/tracing/otlp_json.h"
#include "gearman/examples/tracing/trace_context.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/client_interceptor.h"
#include "gearman/sdk/worker.h"
#include "gearman/sdk/worker_interceptor.h"

namespace {

using gearman_examples::OtlpJsonWriter;
using gearman_examples::OtlpSpan;

// Sends the context with the job.
void Inject(gearman::OutgoingJob& job) {
  const auto* const span = static_cast<const OtlpSpan*>(job.span());
  if (span == nullptr) return;
  job.set_data(gearman_examples::WithContext(span->context(), job.data()));
}

// Removes the context, which the observer read when the job's span began, so
// that the handler does not see it. Jobs that the handler submits belong to its
// span.
void Extract(gearman::IncomingJob& job) {
  job.set_data(std::string(gearman_examples::WithoutContext(job.data())));
  auto scope = std::make_shared<OtlpJsonWriter::Scope>(job.span());
  job.OnEnd([scope](const gearman::Job&, absl::StatusOr<std::string>&) {});
}

absl::StatusOr<std::unique_ptr<gearman::Client>> MakeClient(
    const std::string& server, std::shared_ptr<OtlpJsonWriter> writer) {
  gearman::ClientOptions options;
  if (!server.empty()) options.servers = {server};
  options.trace_observer = std::move(writer);
  options.interceptors = {Inject};
  return gearman::Client::Create(std::move(options));
}

int Run(const std::string& server) {
  const auto writer = std::make_shared<OtlpJsonWriter>(
      "order-service",
      [](absl::string_view line) { std::cout << line << std::endl; });
  auto client = MakeClient(server, writer);
  // The handlers submit with their own client.
  auto handlers_client = MakeClient(server, writer);
  gearman::WorkerOptions options;
  if (!server.empty()) options.servers = {server};
  options.concurrency = 2;
  options.trace_observer = writer;
  options.interceptors = {Extract};
  auto worker = gearman::Worker::Create(std::move(options));
  for (const absl::Status& status :
       {client.status(), handlers_client.status(), worker.status()}) {
    if (status.ok()) continue;
    std::cerr << status << "\n";
    return 1;
  }
  absl::Status registered = (*worker)->Register(
      "order", [&](gearman::JobContext& job) -> absl::StatusOr<std::string> {
        const auto paid = (*handlers_client)->Run("pay", "17 EUR");
        return paid.ok() ? "paid"
                         : "not paid: " + std::string(job.job().data());
      });
  registered.Update((*worker)->Register(
      "pay", [](gearman::JobContext&) -> absl::StatusOr<std::string> {
        return absl::ResourceExhaustedError("no money left");
      }));
  if (registered.ok()) registered = (*worker)->Start();
  if (!registered.ok()) {
    std::cerr << registered << "\n";
    return 1;
  }

  const gearman::JobRequest request = (*client)->SubmitJob("order", "a book");
  const absl::Status status = (*client)->Wait(request);
  // Asks for a status, which makes a span, too.
  (*client)->GetJobStatus(request).status().IgnoreError();
  std::cerr << (status.ok() ? request.result().value_or("") : status.ToString())
            << "\n";

  (*worker)->Stop();
  const absl::Status end = (*worker)->Join();
  if (!end.ok()) std::cerr << end << "\n";
  writer->Flush();
  return status.ok() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) { return Run(argc > 1 ? argv[1] : ""); }
