// A program as it is written with libgearman: a worker that shouts, and a
// client that has words shouted, all at once. shout.cc is the same program with
// this SDK; docs/guide/libgearman.md has the calls.
//
//   shout_libgearman worker HOST PORT
//   shout_libgearman client HOST PORT WORD...
#include <libgearman/gearman.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>

bool IsDigit(char letter) { return letter >= '0' && letter <= '9'; }

void* Shout(gearman_job_st* job, void*, size_t* size, gearman_return_t* ret) {
  *size = gearman_job_workload_size(job);
  const char* text = static_cast<const char*>(gearman_job_workload(job));
  if (std::any_of(text, text + *size, IsDigit)) {
    *ret = GEARMAN_WORK_FAIL;
    return nullptr;
  }
  char* result = static_cast<char*>(std::malloc(*size));  // libgearman frees it
  for (size_t i = 0; i < *size; ++i) {
    result[i] = static_cast<char>(std::toupper(text[i]));
  }
  *ret = GEARMAN_SUCCESS;
  return result;
}

int RunWorker(const char* host, in_port_t port) {
  gearman_worker_st* worker = gearman_worker_create(nullptr);
  gearman_worker_add_server(worker, host, port);
  gearman_worker_add_function(worker, "shout", 0, Shout, nullptr);
  gearman_return_t ret;
  do {
    ret = gearman_worker_work(worker);  // fails with its job
  } while (ret == GEARMAN_SUCCESS || ret == GEARMAN_WORK_FAIL);
  std::cerr << gearman_worker_error(worker) << "\n";
  gearman_worker_free(worker);
  return 1;
}

gearman_return_t Complete(gearman_task_st* task) {
  auto* result = static_cast<std::string*>(gearman_task_context(task));
  result->assign(static_cast<const char*>(gearman_task_data(task)),
                 gearman_task_data_size(task));
  return GEARMAN_SUCCESS;
}

int RunClient(const char* host, in_port_t port, char** words, int count) {
  gearman_client_st* client = gearman_client_create(nullptr);
  gearman_client_add_server(client, host, port);
  gearman_client_set_timeout(client, 10000);
  gearman_client_set_complete_fn(client, Complete);
  std::string* results = new std::string[static_cast<size_t>(count)];
  for (int i = 0; i < count; ++i) {
    gearman_return_t ret;
    gearman_client_add_task(client, nullptr, &results[i], "shout", nullptr,
                            words[i], std::strlen(words[i]), &ret);
  }
  const gearman_return_t ret = gearman_client_run_tasks(client);
  if (ret != GEARMAN_SUCCESS) std::cerr << gearman_client_error(client) << "\n";
  int status = 0;
  for (int i = 0; i < count; ++i) {
    // An empty text stands for a failed job: the task has no more to say.
    std::cout << words[i] << ": "
              << (results[i].empty() ? "failed" : results[i]) << "\n";
    if (results[i].empty()) status = 1;
  }
  delete[] results;
  gearman_client_free(client);
  return status;
}

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const auto port = static_cast<in_port_t>(std::atoi(argv[3]));
  return argv[1][0] == 'w' ? RunWorker(argv[2], port)
                           : RunClient(argv[2], port, argv + 4, argc - 4);
}
