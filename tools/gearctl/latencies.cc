#include "gearman/tools/gearctl/latencies.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/numeric/bits.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"

namespace gearman {
namespace gearctl {
namespace {

// Each power of two is divided into so many steps.
constexpr int kStepBits = 7;
constexpr uint64_t kSteps = uint64_t{1} << kStepBits;

// Each nanosecond below kSteps has its own step.
size_t StepOf(uint64_t nanoseconds) {
  const int shift = 63 - absl::countl_zero(nanoseconds | kSteps) - kStepBits;
  return static_cast<size_t>(static_cast<uint64_t>(shift) * kSteps +
                             (nanoseconds >> shift));
}

// Returns the largest value of a step.
uint64_t EndOf(size_t step) {
  if (step < kSteps) return step;
  const uint64_t shift = step / kSteps - 1;
  return ((step % kSteps + kSteps + 1) << shift) - 1;
}

double Nanoseconds(absl::Duration duration) {
  return std::max(absl::ToDoubleNanoseconds(duration), 1.0);
}

// Escapes text inside an SVG.
std::string Escaped(const std::string& text) {
  return absl::StrReplaceAll(text,
                             {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}});
}

}  // namespace

void Latencies::Add(absl::Duration latency) {
  latency = std::max(latency, absl::ZeroDuration());
  const size_t step =
      StepOf(static_cast<uint64_t>(absl::ToInt64Nanoseconds(latency)));
  if (step >= counts_.size()) counts_.resize(step + 1);
  ++counts_[step];
  min_ = count_ == 0 ? latency : std::min(min_, latency);
  max_ = std::max(max_, latency);
  sum_ += latency;
  ++count_;
}

absl::Duration Latencies::mean() const {
  return count_ == 0 ? absl::ZeroDuration() : sum_ / count_;
}

absl::Duration Latencies::Percentile(double part) const {
  const double wanted = std::max(part * static_cast<double>(count_), 1.0);
  int64_t sum = 0;
  for (size_t step = 0; step < counts_.size(); ++step) {
    sum += counts_[step];
    if (static_cast<double>(sum) >= wanted) {
      const auto end = absl::Nanoseconds(static_cast<int64_t>(EndOf(step)));
      return std::clamp(end, min_, max_);
    }
  }
  return max_;
}

std::vector<Latencies::Bar> Latencies::Bars(int most) const {
  if (count_ == 0) return {};
  const double low = std::log10(Nanoseconds(min_));
  const double high = std::log10(Nanoseconds(max_));
  // The limits divide each decade into equal steps on a logarithmic scale.
  int per_decade = 20;
  for (const int fewer : {10, 5, 3, 2, 1}) {
    if ((high - low) * per_decade + 1 <= most) break;
    per_decade = fewer;
  }
  std::vector<Bar> bars;
  int exponent = static_cast<int>(std::floor(low * per_decade));
  size_t step = 0;
  do {
    Bar bar;
    const double limit =
        std::pow(10, static_cast<double>(++exponent) / per_decade);
    bar.limit = absl::Nanoseconds(limit);
    for (; step < counts_.size() && static_cast<double>(EndOf(step)) <= limit;
         ++step) {
      bar.count += counts_[step];
    }
    bars.push_back(bar);
  } while (step < counts_.size());
  // The steps below the smallest latency are empty.
  while (bars.size() > 1 && bars.front().count == 0) bars.erase(bars.begin());
  return bars;
}

std::string ShortDuration(absl::Duration duration) {
  struct Unit {
    double nanoseconds;
    const char* name;
  };
  double value = absl::ToDoubleNanoseconds(duration);
  const char* unit = "ns";
  for (const Unit& larger :
       {Unit{1e3, "us"}, Unit{1e6, "ms"}, Unit{1e9, "s"}}) {
    // A limit of 1000 would write 999.6us as 1000us.
    if (absl::ToDoubleNanoseconds(duration) < 0.9995 * larger.nanoseconds)
      break;
    value = absl::ToDoubleNanoseconds(duration) / larger.nanoseconds;
    unit = larger.name;
  }
  const int digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  if (unit[0] == 'n') return absl::StrFormat("%.0fns", value);
  return absl::StrFormat("%.*f%s", digits, value, unit);
}

std::string TextPlot(const Latencies& latencies, int columns) {
  const std::vector<Latencies::Bar> bars = latencies.Bars(20);
  int64_t most = 1;
  for (const Latencies::Bar& bar : bars) most = std::max(most, bar.count);
  const int width = std::clamp(columns - 32, 10, 60);
  std::string text;
  for (const Latencies::Bar& bar : bars) {
    const double part =
        static_cast<double>(bar.count) / static_cast<double>(most);
    // The width is rounded up, so that even a small count is visible.
    const auto full = static_cast<size_t>(std::ceil(part * width));
    absl::StrAppendFormat(&text, "<= %7s |%-*s %9d %5.1f%%\n",
                          ShortDuration(bar.limit), width,
                          std::string(full, '#'), bar.count,
                          100 * static_cast<double>(bar.count) /
                              static_cast<double>(latencies.count()));
  }
  return text;
}

std::string SvgPlot(const Latencies& latencies, const std::string& title) {
  constexpr double kWidth = 640;
  constexpr double kHeight = 360;
  constexpr double kLeft = 60;
  constexpr double kRight = 20;
  constexpr double kTop = 40;
  constexpr double kBottom = 60;
  const std::vector<Latencies::Bar> bars = latencies.Bars(40);
  int64_t most = 1;
  for (const Latencies::Bar& bar : bars) most = std::max(most, bar.count);
  const double step = (kWidth - kLeft - kRight) /
                      static_cast<double>(std::max<size_t>(bars.size(), 1));
  const double base = kHeight - kBottom;
  std::string svg = absl::StrFormat(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" "
      "height=\"%.0f\" font-family=\"sans-serif\" font-size=\"11\">\n"
      "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
      "<text x=\"%.0f\" y=\"20\" text-anchor=\"middle\" "
      "font-size=\"14\">%s</text>\n"
      "<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"middle\">latency, at "
      "most</text>\n",
      kWidth, kHeight, kWidth / 2, Escaped(title), kWidth / 2, kHeight - 12);
  for (int quarter = 0; quarter <= 4; ++quarter) {
    const double y = base - (base - kTop) * quarter / 4;
    absl::StrAppendFormat(
        &svg,
        "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" "
        "stroke=\"#ddd\"/><text x=\"%.1f\" y=\"%.1f\" "
        "text-anchor=\"end\">%d</text>\n",
        kLeft, kWidth - kRight, y, y, kLeft - 6, y + 4, most * quarter / 4);
  }
  const size_t labels_apart = bars.size() / 10 + 1;
  for (size_t i = 0; i < bars.size(); ++i) {
    const double x = kLeft + static_cast<double>(i) * step;
    const double height = (base - kTop) * static_cast<double>(bars[i].count) /
                          static_cast<double>(most);
    absl::StrAppendFormat(
        &svg,
        "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
        "fill=\"#1b62a5\"><title>at most %s: %d</title></rect>\n",
        x, base - height, step * 0.9, height, ShortDuration(bars[i].limit),
        bars[i].count);
    if (i % labels_apart == 0) {
      absl::StrAppendFormat(
          &svg,
          "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n",
          x + step / 2, base + 16, ShortDuration(bars[i].limit));
    }
  }
  return svg + "</svg>\n";
}

}  // namespace gearctl
}  // namespace gearman
