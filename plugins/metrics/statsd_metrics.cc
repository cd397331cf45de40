#include "gearman/plugins/metrics/statsd_metrics.h"

#include <netdb.h>
#include <sys/socket.h>

#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "gearman/plugins/field_error.h"
#include "gearman/plugins/guarded_call.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace {

// Datadog cuts tags at this length; a task may have 8 kB.
constexpr size_t kMaxTagBytes = 200;
constexpr size_t kMinDatagramBytes = 128;
constexpr size_t kMaxDatagramBytes = 65507;
// A gauge that is gone is 0 in so many reports, because a datagram may be lost.
constexpr int kReportsOfGone = 10;

// FNV-1a. It is equal in every process, and so are the tags.
uint64_t HashOf(absl::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return hash;
}

// Returns a tag's value: safe text without the characters of the line's own
// syntax. Different values have different tags: a long one is cut and ends in
// its hash.
std::string TagValue(absl::string_view value) {
  std::string safe = EscapeBytes(SafeLine(value), ",|#");
  if (safe.size() <= kMaxTagBytes) return safe;
  const std::string hash = absl::StrFormat("~%016x", HashOf(safe));
  size_t end = kMaxTagBytes - hash.size();
  // Does not cut inside a UTF-8 character.
  while (end > 0 && (static_cast<unsigned char>(safe[end]) & 0xC0) == 0x80) {
    --end;
  }
  return safe.substr(0, end) + hash;
}

void AppendTag(absl::string_view name, absl::string_view value,
               std::string* tags) {
  absl::StrAppend(tags, tags->empty() ? "" : ",", name,
                  value.empty() ? "" : ":", TagValue(value));
}

// Returns a decimal without an exponent, which some agents can't read: whole
// numbers exactly, times to the nanosecond.
std::string Decimal(double value) {
  if (value == std::floor(value)) return absl::StrFormat("%.0f", value);
  std::string text = absl::StrFormat("%.9f", value);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

bool IsName(absl::string_view name) {
  for (const char c : name) {
    if (!absl::ascii_isalnum(c) && c != '_' && c != '.' && c != '-') {
      return false;
    }
  }
  return true;
}

std::string Quoted(absl::string_view text) {
  return absl::StrCat("\"", SafeText(text), "\"");
}

absl::Status Check(const StatsdMetricsOptions& options) {
  if (!IsName(options.prefix)) {
    return FieldError("prefix", Quoted(options.prefix),
                      "expected letters, digits and _ . - only");
  }
  for (const std::string& tag : options.tags) {
    if (tag.empty() || tag != TagValue(tag)) {
      return FieldError("tags", Quoted(tag),
                        absl::StrCat("expected NAME:VALUE of at most ",
                                     kMaxTagBytes, " bytes without , | and #"));
    }
  }
  if (options.max_datagram_bytes < kMinDatagramBytes ||
      options.max_datagram_bytes > kMaxDatagramBytes) {
    return FieldError("max_datagram_bytes",
                      absl::StrCat(options.max_datagram_bytes),
                      absl::StrCat("expected a number from ", kMinDatagramBytes,
                                   " to ", kMaxDatagramBytes));
  }
  if (options.interval < absl::Milliseconds(1)) {
    return FieldError("interval", absl::FormatDuration(options.interval),
                      "expected at least 1ms");
  }
  return absl::OkStatus();
}

// Returns a socket that is connected to "host:port".
absl::StatusOr<Descriptor> Connect(const std::string& address) {
  const size_t colon = address.rfind(':');
  int port = 0;
  if (colon == std::string::npos || colon == 0 ||
      !absl::SimpleAtoi(address.substr(colon + 1), &port) || port < 1 ||
      port > 65535) {
    return FieldError("address", Quoted(address),
                      "expected HOST:PORT, such as \"127.0.0.1:8125\"");
  }
  absl::string_view host = absl::string_view(address).substr(0, colon);
  if (absl::ConsumePrefix(&host, "[")) absl::ConsumeSuffix(&host, "]");
  addrinfo hints = {};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(std::string(host).c_str(),
                                absl::StrCat(port).c_str(), &hints, &found);
  if (error != 0) {
    return absl::UnavailableError(absl::StrCat(
        "statsd: ", address, " can't be looked up: ", gai_strerror(error)));
  }
  int last_error = 0;
  Descriptor connected;
  for (addrinfo* at = found; at != nullptr && !connected.is_open();
       at = at->ai_next) {
    Descriptor made(
        socket(at->ai_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!made.is_open() ||
        connect(made.get(), at->ai_addr, at->ai_addrlen) != 0) {
      last_error = errno;
    } else {
      connected = std::move(made);
    }
  }
  freeaddrinfo(found);
  if (!connected.is_open()) {
    return absl::UnavailableError(absl::StrCat(
        "statsd: no socket to ", address, ": ", std::strerror(last_error)));
  }
  return connected;
}

}  // namespace

absl::StatusOr<std::unique_ptr<StatsdMetrics>> StatsdMetrics::Create(
    StatsdMetricsOptions options) {
  absl::Status status = Check(options);
  if (!status.ok()) return status;
  absl::StatusOr<Descriptor> socket = Descriptor();
  if (!options.send) socket = Connect(options.address);
  if (!socket.ok()) return socket.status();
  return std::unique_ptr<StatsdMetrics>(
      new StatsdMetrics(std::move(options), *std::move(socket)));
}

StatsdMetrics::StatsdMetrics(StatsdMetricsOptions options, Descriptor socket)
    : options_(std::move(options)),
      constant_tags_(absl::StrJoin(options_.tags, ",")),
      socket_(std::move(socket)) {}

StatsdMetrics::~StatsdMetrics() = default;

StatsdMetrics::Stats StatsdMetrics::stats() const {
  if (inherited()) return {};
  absl::MutexLock lock(&mutex_);
  return stats_;
}

void StatsdMetrics::Source::SetGauges(const Values& values) {
  for (auto gauge = gauges.begin(); gauge != gauges.end();) {
    gauge->second.value = 0;
    gauge = ++gauge->second.reports_gone > kReportsOfGone &&
                    values.count(gauge->first) == 0
                ? gauges.erase(gauge)
                : std::next(gauge);
  }
  for (const auto& [line, value] : values) gauges[line] = {value, 0};
}

void StatsdMetrics::Export(const MetricsSnapshot& snapshot) {
  if (inherited()) return;
  if (!IsWellFormed(snapshot)) {
    MetricsSnapshot sound = snapshot;
    RemoveMalformed(&sound);
    return Export(sound);
  }
  absl::MutexLock lock(&mutex_);
  DropUnsent();
  Source& source = sources_[snapshot.source];
  Values totals;
  Values gauges;
  for (const MetricFamily& family : snapshot.families) {
    for (const MetricSample& sample : family.samples) {
      Take(family, sample, &totals, &gauges);
    }
  }
  source.SetGauges(gauges);
  for (const auto& [line, total] : totals) {
    double& sent = source.counters[line];
    if (total > sent) Append(line, Decimal(total - sent), &sent, total);
  }
  for (const auto& gauge : source.gauges) SendGauge(gauge.first);
  Flush();
}

void StatsdMetrics::Attach(std::shared_ptr<MetricsSource> source) {
  if (inherited()) return;
  const uint64_t id = source->Snapshot().source;
  absl::MutexLock lock(&mutex_);
  ids_[source.get()] = id;
}

void StatsdMetrics::Detach(const MetricsSource* source) {
  if (inherited()) return;
  absl::MutexLock lock(&mutex_);
  const auto id = ids_.find(source);
  if (id == ids_.end()) return;
  const auto found = sources_.find(id->second);
  ids_.erase(id);
  if (found == sources_.end()) return;
  const Source ended = std::move(found->second);
  sources_.erase(found);
  DropUnsent();
  for (const auto& gauge : ended.gauges) {
    if (!absl::EndsWith(gauge.first.first, "_info")) SendGauge(gauge.first);
  }
  Flush();
}

void StatsdMetrics::Take(const MetricFamily& family, const MetricSample& sample,
                         Values* counters, Values* gauges) const {
  std::string tags = constant_tags_;
  for (size_t i = 0; i < family.label_names.size(); ++i) {
    AppendTag(family.label_names[i], sample.label_values[i], &tags);
  }
  // Samples of a user's own source may have equal labels: they add up.
  const auto add = [&](absl::string_view suffix, absl::string_view type,
                       absl::string_view tags_of_it, double value,
                       Values* values) {
    (*values)[Line(absl::StrCat(options_.prefix, family.name, suffix),
                   absl::StrCat("|", type, tags_of_it.empty() ? "" : "|#",
                                tags_of_it))] += value;
  };
  switch (family.type) {
    case MetricType::kCounter:
      add("", "c", tags, sample.value, counters);
      return;
    case MetricType::kGauge:
      add("", "g", tags, sample.value, gauges);
      return;
    case MetricType::kHistogram:
      break;
  }
  add("_count", "c", tags, static_cast<double>(sample.count), counters);
  add("_sum", "c", tags, sample.sum, counters);
  if (!options_.buckets) return;
  for (size_t i = 0; i < sample.bucket_counts.size(); ++i) {
    std::string bounded = tags;
    AppendTag("lower_bound",
              i == 0 ? "0" : Decimal(family.bucket_bounds[i - 1]), &bounded);
    AppendTag("upper_bound",
              i < family.bucket_bounds.size() ? Decimal(family.bucket_bounds[i])
                                              : "inf",
              &bounded);
    add("_bucket", "c", bounded, static_cast<double>(sample.bucket_counts[i]),
        counters);
  }
}

void StatsdMetrics::SendGauge(const Line& line) {
  const bool is_info = absl::EndsWith(line.first, "_info");
  double sum = 0;
  for (const auto& source : sources_) {
    const auto gauge = source.second.gauges.find(line);
    if (gauge == source.second.gauges.end()) continue;
    const double value = gauge->second.value;
    sum = is_info ? value : sum + value;
  }
  // An agent takes a negative value for a change of the gauge, so the gauge is
  // set to 0 first.
  if (sum < 0) Append(line, "0", nullptr, 0);
  Append(line, Decimal(sum), nullptr, 0);
}

void StatsdMetrics::Append(const Line& line, absl::string_view value,
                           double* sent, double total) {
  const size_t size = line.first.size() + 1 + value.size() + line.second.size();
  if (size > options_.max_datagram_bytes) {
    ++stats_.dropped_lines;
    return;
  }
  if (!datagram_.empty()) {
    if (datagram_.size() + 1 + size > options_.max_datagram_bytes) {
      Flush();
    } else {
      datagram_.push_back('\n');
    }
  }
  absl::StrAppend(&datagram_, line.first, ":", value, line.second);
  if (sent != nullptr) on_sent_.emplace_back(sent, total);
}

bool StatsdMetrics::Send(std::string* trouble) {
  if (options_.send) {
    absl::Status status;
    status.Update(internal::GuardedCall(
        [&] {
          mutex_.AssertHeld();
          status = options_.send(datagram_);
        },
        [](absl::string_view what) {
          return absl::UnknownError(absl::StrCat("exception: ", what));
        }));
    if (!status.ok()) *trouble = status.ToString();
    return status.ok();
  }
  // ECONNREFUSED answers an earlier datagram: this one has not left yet.
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (send(socket_.get(), datagram_.data(), datagram_.size(),
             MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
      return true;
    }
    *trouble = std::strerror(errno);
    if (errno != ECONNREFUSED) break;
  }
  return false;
}

void StatsdMetrics::DropUnsent() {
  on_sent_.clear();
  datagram_.clear();
}

void StatsdMetrics::Flush() {
  if (datagram_.empty()) return;
  std::string trouble;
  if (Send(&trouble)) {
    ++stats_.datagrams;
    for (const auto& [sent, total] : on_sent_) *sent = total;
  }
  const bool fails = !trouble.empty();
  if (fails) ++stats_.failures;
  if (fails != failing_ && options_.on_failure) {
    // An exception must not stop the bookkeeping that follows.
    internal::CallIgnoringThrow([&] {
      options_.on_failure(absl::StrCat("statsd: sending to ", options_.address,
                                       fails ? " fails: " : " works again",
                                       trouble));
    });
  }
  failing_ = fails;
  DropUnsent();
}

}  // namespace gearman
