// A worker made with libgearman that splits reduce jobs: the other side of our
// client's CallOptions::reducer.
//
//   libgearman_partition_worker PORT    # prints "ready", serves until killed
//
// Its task lg_partition sends each word of its payload to the job's reducer,
// and its result is the results, joined by commas, in the order in which
// libgearman lists them. Without a reducer it sends each word as data, and its
// result is empty. While it waits for the parts, it does no other job.
#include <libgearman/gearman.h>

#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>

namespace {

gearman_return_t Partition(gearman_job_st* job, void*) {
  const std::string text(static_cast<const char*>(gearman_job_workload(job)),
                         gearman_job_workload_size(job));
  std::istringstream words(text);
  std::string word;
  while (words >> word) {
    // With a reducer libgearman submits the data in place of sending it.
    const gearman_return_t sent =
        gearman_job_send_data(job, word.data(), word.size());
    if (sent != GEARMAN_SUCCESS) return GEARMAN_FATAL;
  }
  // libgearman then waits for the results. (gearman_job_send_complete is
  // refused for a job with a reducer.)
  return GEARMAN_SUCCESS;
}

gearman_return_t Join(gearman_aggregator_st*, gearman_task_st* task,
                      gearman_result_st* joined) {
  std::string text;
  for (; task != nullptr; task = gearman_next(task)) {
    gearman_result_st* const result = gearman_task_result(task);
    if (!text.empty()) text += ',';
    text.append(gearman_result_value(result), gearman_result_size(result));
  }
  return gearman_result_store_value(joined, text.data(), text.size());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  gearman_worker_st* worker = gearman_worker_create(nullptr);
  gearman_worker_add_server(worker, "127.0.0.1",
                            static_cast<in_port_t>(std::atoi(argv[1])));
  gearman_worker_define_function(
      worker, "lg_partition", 12,
      gearman_function_create_partition(Partition, Join), 0, nullptr);
  std::printf("ready\n");
  std::fflush(stdout);
  // gearman_worker_work also returns what a function did.
  gearman_return_t result = GEARMAN_SUCCESS;
  while (result == GEARMAN_SUCCESS || result == GEARMAN_WORK_FAIL ||
         result == GEARMAN_FATAL) {
    result = gearman_worker_work(worker);
  }
  std::fprintf(stderr, "libgearman_partition_worker: %s\n",
               gearman_strerror(result));
  gearman_worker_free(worker);
  return 1;
}
