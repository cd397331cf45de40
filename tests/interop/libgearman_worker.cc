// A worker made with libgearman, the other side of our client where Debian's
// `gearman` tool can't do something: updates, warnings, exceptions, and large
// binary payloads (gearman -w feeds its command and reads it in turn, so that
// both block when the payload fills a pipe).
//
//   libgearman_worker PORT    # prints "ready", serves until it is killed
//
// It has a task for each row of docs/guide/interop.md, and: lg_echo returns its
// payload; lg_updates sends a warning, two data and a status, then returns
// "done"; lg_fail fails; lg_exception raises its payload.
#include <fcntl.h>
#include <libgearman/gearman.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

namespace {

gearman_return_t Echo(gearman_job_st* job, void*) {
  return gearman_job_send_complete(job, gearman_job_workload(job),
                                   gearman_job_workload_size(job));
}

gearman_return_t Updates(gearman_job_st* job, void*) {
  gearman_job_send_warning(job, "careful", 7);
  gearman_job_send_data(job, "one", 3);
  gearman_job_send_status(job, 1, 2);
  gearman_job_send_data(job, "two\0\xff", 5);
  return gearman_job_send_complete(job, "done", 4);
}

gearman_return_t Fail(gearman_job_st* job, void*) {
  gearman_job_send_fail(job);
  return GEARMAN_SUCCESS;
}

gearman_return_t Exception(gearman_job_st* job, void*) {
  gearman_job_send_exception(job, gearman_job_workload(job),
                             gearman_job_workload_size(job));
  return GEARMAN_SUCCESS;
}

// --- the rows of docs/guide/interop.md

gearman_return_t Success(gearman_job_st* job, void*) {
  return gearman_job_send_complete(job, "done", 4);
}

gearman_return_t Empty(gearman_job_st* job, void*) {
  return gearman_job_send_complete(job, "", 0);
}

// (GEARMAN_ERROR puts the job back.)
gearman_return_t Error(gearman_job_st*, void*) { return GEARMAN_FATAL; }

gearman_return_t Throw(gearman_job_st* job, void*) {
  gearman_job_send_exception(job, "boom", 4);
  return GEARMAN_SUCCESS;
}

gearman_return_t Data(gearman_job_st* job, void*) {
  gearman_job_send_data(job, "one", 3);
  gearman_job_send_data(job, "two", 3);
  return gearman_job_send_complete(job, "done", 4);
}

gearman_return_t Warning(gearman_job_st* job, void*) {
  gearman_job_send_warning(job, "careful", 7);
  return gearman_job_send_complete(job, "done", 4);
}

gearman_return_t Status(gearman_job_st* job, void*) {
  gearman_job_send_status(job, 1, 2);
  return gearman_job_send_complete(job, "done", 4);
}

// Returns when the file that the payload names can be locked, and notes the
// run.
gearman_return_t Join(gearman_job_st* job, void*) {
  const std::string go(static_cast<const char*>(gearman_job_workload(job)),
                       gearman_job_workload_size(job));
  const int file = open(go.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0 || flock(file, LOCK_SH) != 0) return GEARMAN_FATAL;
  close(file);
  std::ofstream(go + ".runs", std::ios::app) << 'x';
  return gearman_job_send_complete(job, "done", 4);
}

void Define(gearman_worker_st* worker, const char* name, size_t size,
            gearman_function_fn* function) {
  gearman_worker_define_function(worker, name, size,
                                 gearman_function_create(function), 0, nullptr);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  gearman_worker_st* worker = gearman_worker_create(nullptr);
  gearman_worker_add_server(worker, "127.0.0.1",
                            static_cast<in_port_t>(std::atoi(argv[1])));
  Define(worker, "lg_echo", 7, Echo);
  Define(worker, "lg_updates", 10, Updates);
  Define(worker, "lg_fail", 7, Fail);
  Define(worker, "lg_exception", 12, Exception);
  Define(worker, "success", 7, Success);
  Define(worker, "empty", 5, Empty);
  Define(worker, "failure", 7, Fail);
  Define(worker, "error", 5, Error);
  Define(worker, "throw", 5, Throw);
  Define(worker, "data", 4, Data);
  Define(worker, "warning", 7, Warning);
  Define(worker, "status", 6, Status);
  Define(worker, "large", 5, Echo);
  Define(worker, "join", 4, Join);
  std::printf("ready\n");
  std::fflush(stdout);
  // gearman_worker_work also returns what a function did.
  gearman_return_t result = GEARMAN_SUCCESS;
  while (result == GEARMAN_SUCCESS || result == GEARMAN_WORK_FAIL ||
         result == GEARMAN_FATAL) {
    result = gearman_worker_work(worker);
  }
  gearman_worker_free(worker);
  return 1;
}
