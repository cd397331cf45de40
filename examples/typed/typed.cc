// Typed jobs: an order goes to a worker, and a receipt comes back, both as
// Protobuf messages. They travel as JSON. (With "json+zlib", and with
// //sdk:compression linked, they would be compressed, too.) With the address of
// a gearmand as argument this uses that server, and otherwise the embedded one.
#include <iostream>
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gearman/examples/typed/shop.pb.h"
#include "gearman/plugins/encoding/encoding_plugins.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/plugin_registry.h"
#include "gearman/sdk/typed_jobs.h"
#include "gearman/sdk/worker.h"

namespace {

using gearman::examples::Order;
using gearman::examples::Receipt;

absl::StatusOr<Receipt> Pay(const Order& order) {
  if (order.prices().empty()) {
    return absl::InvalidArgumentError("the order has no prices");
  }
  Receipt receipt;
  for (const auto price : order.prices()) {
    receipt.set_total(receipt.total() + price);
  }
  receipt.set_text(absl::StrCat("Thank you, ", order.customer()));
  return receipt;
}

absl::Status RunShop(const std::string& server) {
  auto encoder = gearman::CreateDataEncoder(
      "json", gearman::PluginRegistry::Default().data_encoders());
  if (!encoder.ok()) return encoder.status();
  gearman::TypedTaskOptions task_options;
  task_options.encoder = *std::move(encoder);
  gearman::TypedCallOptions call_options;
  call_options.encoder = task_options.encoder;

  gearman::WorkerOptions worker_options;
  worker_options.servers = {server};
  auto worker = gearman::Worker::Create(std::move(worker_options));
  if (!worker.ok()) return worker.status();
  absl::Status registered =
      gearman::Register<Order, Receipt>(**worker, "pay", Pay, task_options);
  if (!registered.ok()) return registered;

  gearman::ClientOptions client_options;
  client_options.servers = {server};
  auto client = gearman::Client::Create(std::move(client_options));
  if (!client.ok()) return client.status();

  std::thread thread([&worker] {
    const absl::Status status = (*worker)->Run();
    if (!status.ok()) std::cerr << status << "\n";
  });
  Order order;
  order.set_customer("Ada");
  order.add_prices(1250);
  order.add_prices(300);
  const absl::StatusOr<Receipt> receipt =
      gearman::Run<Receipt>(**client, "pay", order, call_options);
  if (receipt.ok()) {
    std::cout << receipt->text() << ": " << receipt->total() << " cents\n";
  }
  // The worker's error comes as the error of the call.
  const absl::StatusOr<Receipt> empty =
      gearman::Run<Receipt>(**client, "pay", Order(), call_options);
  std::cout << empty.status().message() << "\n";
  (*worker)->Stop();
  thread.join();
  return receipt.status();
}

}  // namespace

int main(int argc, char** argv) {
  const absl::Status status = RunShop(argc > 1 ? argv[1] : "inproc://default");
  if (!status.ok()) std::cerr << status << "\n";
  return status.ok() ? 0 : 1;
}
