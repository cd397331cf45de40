// A client made with libgearman, the other side of our worker where Debian's
// `gearman` tool can't carry something: updates, warnings, exceptions, binary
// results. Asks for exceptions. Prints what it hears, each on a line: "data
// HEX", "warning HEX", "status HEX" (of "N/M"), "exception HEX", "fail",
// "complete HEX".
//
//   libgearman_client PORT TASK [UNIQUE] < payload
#include <libgearman/gearman.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <string>

namespace {

void Print(const char* what, gearman_task_st* task) {
  const auto* bytes =
      static_cast<const unsigned char*>(gearman_task_data(task));
  const size_t size = gearman_task_data_size(task);
  std::printf("%s ", what);
  for (size_t i = 0; i < size; ++i) std::printf("%02x", bytes[i]);
  std::printf("\n");
}

gearman_return_t OnData(gearman_task_st* task) {
  Print("data", task);
  return GEARMAN_SUCCESS;
}
gearman_return_t OnWarning(gearman_task_st* task) {
  Print("warning", task);
  return GEARMAN_SUCCESS;
}
gearman_return_t OnStatus(gearman_task_st* task) {
  const std::string progress = std::to_string(gearman_task_numerator(task)) +
                               "/" +
                               std::to_string(gearman_task_denominator(task));
  std::printf("status ");
  for (const char byte : progress) {
    std::printf("%02x", static_cast<unsigned char>(byte));
  }
  std::printf("\n");
  return GEARMAN_SUCCESS;
}
gearman_return_t OnException(gearman_task_st* task) {
  Print("exception", task);
  return GEARMAN_SUCCESS;
}
gearman_return_t OnFail(gearman_task_st*) {
  std::printf("fail\n");
  return GEARMAN_SUCCESS;
}
gearman_return_t OnComplete(gearman_task_st* task) {
  Print("complete", task);
  return GEARMAN_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) return 2;
  const std::string payload{std::istreambuf_iterator<char>(std::cin), {}};
  gearman_client_st* client = gearman_client_create(nullptr);
  gearman_client_add_server(client, "127.0.0.1",
                            static_cast<in_port_t>(std::atoi(argv[1])));
  gearman_client_add_options(client, GEARMAN_CLIENT_EXCEPTION);
  const char exceptions[] = "exceptions";
  gearman_client_set_server_option(client, exceptions, sizeof(exceptions) - 1);
  gearman_client_set_data_fn(client, OnData);
  gearman_client_set_warning_fn(client, OnWarning);
  gearman_client_set_status_fn(client, OnStatus);
  gearman_client_set_exception_fn(client, OnException);
  gearman_client_set_fail_fn(client, OnFail);
  gearman_client_set_complete_fn(client, OnComplete);
  gearman_return_t result = GEARMAN_SUCCESS;
  gearman_client_add_task(client, nullptr, nullptr, argv[2],
                          argc == 4 ? argv[3] : nullptr, payload.data(),
                          payload.size(), &result);
  if (result == GEARMAN_SUCCESS) result = gearman_client_run_tasks(client);
  gearman_client_free(client);
  if (result != GEARMAN_SUCCESS) {
    std::fprintf(stderr, "libgearman_client: %s\n", gearman_strerror(result));
  }
  return result == GEARMAN_SUCCESS || result == GEARMAN_WORK_FAIL ||
                 result == GEARMAN_WORK_EXCEPTION
             ? 0
             : 1;
}
