// The protocol without a library: the speed of a careful loop over one socket.
// It trusts the server, checks nothing, and keeps nothing about a job.
#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/benchmarks/compare/bare_socket.h"
#include "gearman/benchmarks/compare/open_loop.h"
#include "gearman/benchmarks/compare/side.h"

namespace gearman {
namespace benchmarks {
namespace {

class BareLoad final : public Load {
 public:
  BareLoad(uint16_t port, const Workload& workload)
      : workload_(workload),
        background_(workload.mode == Mode::kBackground),
        payload_(PayloadOf(workload, 0)) {
    const int sockets = workload.threads * workload.connections;
    for (int i = 0; i < sockets; ++i) {
      // Thousands of them together have no more memory than one.
      sockets_.emplace_back(
          port, (size_t{1} << 20) / static_cast<size_t>(workload.connections));
    }
    AppendSubmits(workload.mode == Mode::kSync ? 1 : OfEach(workload.in_flight),
                  &batch_);
  }

  void Run(int jobs, const OnLatency& on_latency) override {
    if (workload_.mode == Mode::kOpenLoop) {
      RunOpenLoop(jobs, on_latency);
    } else if (workload_.mode == Mode::kSync) {
      RunSync(jobs, on_latency);
    } else {
      const uint32_t end = background_ ? kJobCreated : kWorkComplete;
      for (int done = 0; done < jobs; done += workload_.in_flight) {
        const int count = std::min(workload_.in_flight, jobs - done);
        if (count < workload_.in_flight) {
          batch_.clear();
          AppendSubmits(OfEach(count), &batch_);
        }
        for (BareSocket& socket : sockets_) socket.SendCounting(batch_, end);
        for (BareSocket& socket : sockets_) {
          socket.AwaitCount(OfEach(count), end);
        }
      }
    }
  }

 private:
  // The part of so many jobs that each connection has.
  int OfEach(int jobs) const { return jobs / workload_.connections; }
  void AppendSubmits(int count, std::string* to) const {
    for (int i = 0; i < count; ++i) {
      AppendSubmit(background_ ? kSubmitJobBg : kSubmitJob, kTask, payload_,
                   to);
    }
  }
  void RunSync(int jobs, const OnLatency& on_latency) {
    Numbers numbers(jobs);
    InThreads(workload_.threads, [&](int thread) {
      BareSocket& socket = sockets_[static_cast<size_t>(thread)];
      for (int job; (job = numbers.Take()) >= 0;) {
        const absl::Time begin = absl::Now();
        socket.SendCounting(batch_, kWorkComplete);
        socket.AwaitCount(1, kWorkComplete);
        if (on_latency) on_latency(job, absl::Now() - begin);
      }
    });
  }

  // Submits each job when it is due, and takes in results meanwhile. One worker
  // answers in order, but several do not, so a job is found by its handle.
  void RunOpenLoop(int jobs, const OnLatency& on_latency) {
    BareSocket& socket = sockets_.front();
    const Arrivals arrivals(workload_.rate);
    std::map<std::string, int> running;  // by handle
    std::deque<int> submitted;           // without a handle yet
    int ended = 0;
    const auto on_packet = [&](uint32_t type, absl::string_view body) {
      if (type == kJobCreated) {
        running[std::string(body)] = submitted.front();
        submitted.pop_front();
      } else if (type == kWorkComplete) {
        const auto job =
            running.find(std::string(body.substr(0, body.find('\0'))));
        if (job == running.end()) Fail("bare: a result of no job");
        if (on_latency) {
          on_latency(job->second, absl::Now() - arrivals.Due(job->second));
        }
        running.erase(job);
        ++ended;
      }
    };
    std::string packets;
    int next = 0;
    while (ended < jobs) {
      const absl::Time now = absl::Now();
      packets.clear();
      for (; next < jobs && arrivals.Due(next) <= now; ++next) {
        AppendSubmit(kSubmitJob, TaskOf(workload_, next),
                     PayloadOf(workload_, next), &packets);
        submitted.push_back(next);
      }
      if (!packets.empty()) socket.Send(packets, on_packet);
      const absl::Time until =
          next < jobs ? arrivals.Due(next) : absl::InfiniteFuture();
      if (socket.Await(until)) socket.Receive(on_packet);
    }
  }

  const Workload workload_;
  const bool background_;
  const std::string payload_;
  std::deque<BareSocket> sockets_;
  std::string batch_;  // made once, sent again and again
};

class BareSide final : public Side {
 public:
  std::unique_ptr<Load> MakeLoad(uint16_t port,
                                 const Workload& workload) override {
    return std::make_unique<BareLoad>(port, workload);
  }

  void RunWorker(uint16_t port, const Workload& workload) override {
    BareSocket socket(port);
    const int grabs = workload.grabs == 0 ? 1 : workload.grabs;
    std::string output;
    AppendHeader(kCanDo, sizeof(kTask) - 1, &output);
    output += kTask;
    int outstanding = 0;
    // The last answer to a grab was NO_JOB.
    bool dry = false;
    std::string sending;
    const auto on_packet = [&](uint32_t type, absl::string_view body) {
      if (type == kJobAssign) {
        --outstanding;
        dry = false;
        // HANDLE NUL FUNCTION NUL DATA becomes HANDLE NUL DATA.
        const size_t handle = body.find('\0') + 1;
        const absl::string_view data = body.substr(body.find('\0', handle) + 1);
        AppendHeader(kWorkComplete, handle + data.size(), &output);
        output.append(body.data(), handle);
        output.append(data.data(), data.size());
      } else if (type == kNoJob) {
        dry = true;
        if (--outstanding == 0) AppendHeader(kPreSleep, 0, &output);
      } else if (type == kNoop) {
        dry = false;
      }
    };
    for (;;) {
      // Keeps the wanted number of grabs outstanding, or none until a NOOP
      // comes.
      for (; !dry && outstanding < grabs; ++outstanding) {
        AppendHeader(kGrabJob, 0, &output);
      }
      std::swap(sending, output);
      socket.Send(sending, on_packet);
      sending.clear();
      if (output.empty()) socket.Receive(on_packet);
    }
  }
};

}  // namespace

std::unique_ptr<Side> MakeBareSide() { return std::make_unique<BareSide>(); }

}  // namespace benchmarks
}  // namespace gearman
