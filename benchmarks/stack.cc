#include "gearman/benchmarks/stack.h"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gearman/transports/inproc/inproc_network.h"
#include "gearman/transports/inproc/inproc_transport_factory.h"
#include "gearman/transports/tcp/tcp_transport.h"
#include "gearman/transports/tls/tls_options.h"
#include "gearman/transports/tls/tls_transport.h"
#include "gearman/transports/transport_registry.h"

namespace gearman {
namespace benchmarks {
namespace {

void Check(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "stack: %s\n", status.ToString().c_str());
  std::exit(1);
}

template <typename T>
T Checked(absl::StatusOr<T> value) {
  Check(value.status());
  return *std::move(value);
}

}  // namespace

absl::StatusOr<std::string> Stack::Echo(JobContext& context) {
  const absl::string_view data = context.job().data();
  return std::string(data.data(), data.size());
}

Stack::Stack(absl::string_view scheme, absl::string_view task,
             Handler handler) {
  const auto network = std::make_shared<InprocNetwork>();
  const auto transports = std::make_shared<TransportRegistry>();
  Check(transports->Register(
      "inproc", std::make_shared<InprocTransportFactory>(network)));
  Check(transports->Register("tcp", std::make_shared<TcpTransportFactory>()));
  const support::CertificateFiles files = certificates_.Make("server");
  TlsServerOptions listen;
  listen.identity.certificate_file = files.certificate;
  listen.identity.key_file = files.key;
  TlsOptions connect;
  connect.ca_file = certificates_.ca_file();
  Check(transports->Register(
      "tls", std::make_shared<TlsTransportFactory>(connect, listen)));

  JobServerOptions server_options;
  server_options.network = network;
  server_options.transports = transports;
  server_ = Checked(JobServer::Create(std::move(server_options)));
  const std::string address = Checked(server_->Listen(
      scheme == "inproc" ? "inproc://jobs"
                         : absl::StrCat(scheme, "://127.0.0.1:0")));

  WorkerOptions worker_options;
  worker_options.servers = {address};
  worker_options.transports = transports;
  worker_ = Checked(Worker::Create(std::move(worker_options)));
  Check(worker_->Register(task, std::move(handler)));
  thread_ = std::thread([this] { Check(worker_->Run()); });

  ClientOptions client_options;
  client_options.servers = {address};
  client_options.transports = transports;
  client_ = Checked(Client::Create(std::move(client_options)));
}

Stack::~Stack() {
  worker_->Stop();
  thread_.join();
}

}  // namespace benchmarks
}  // namespace gearman
