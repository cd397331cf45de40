// A client made with libgearman that submits a reduce job: the other side of
// our Mapper. Prints "complete HEX" or "fail".
//
//   libgearman_partition_client PORT TASK REDUCER < payload
#include <libgearman/gearman.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <iterator>
#include <string>

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const std::string payload{std::istreambuf_iterator<char>(std::cin), {}};
  gearman_client_st* client = gearman_client_create(nullptr);
  gearman_client_add_server(client, "127.0.0.1",
                            static_cast<in_port_t>(std::atoi(argv[1])));
  gearman_argument_t argument =
      gearman_argument_make(nullptr, 0, payload.data(), payload.size());
  gearman_task_st* task = gearman_execute_by_partition(
      client, argv[2], std::strlen(argv[2]), argv[3], std::strlen(argv[3]),
      nullptr, 0, nullptr, &argument, nullptr);
  int exit_code = 1;
  if (task == nullptr) {
    std::fprintf(stderr, "libgearman_partition_client: %s\n",
                 gearman_client_error(client));
  } else if (gearman_task_return(task) == GEARMAN_SUCCESS) {
    gearman_result_st* const result = gearman_task_result(task);
    const std::string bytes(gearman_result_value(result),
                            gearman_result_size(result));
    std::printf("complete ");
    for (const char byte : bytes) {
      std::printf("%02x", static_cast<unsigned char>(byte));
    }
    std::printf("\n");
    exit_code = 0;
  } else if (gearman_task_return(task) == GEARMAN_WORK_FAIL) {
    std::printf("fail\n");
    exit_code = 0;
  } else {
    std::fprintf(stderr, "libgearman_partition_client: %s\n",
                 gearman_strerror(gearman_task_return(task)));
  }
  gearman_client_free(client);
  return exit_code;
}
