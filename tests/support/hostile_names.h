// Names that a hostile or careless peer may choose. Every test of what is done
// with names runs through all of them: metrics, logs, tables, messages, lists,
// registrations.
#ifndef GEARMAN_TESTS_SUPPORT_HOSTILE_NAMES_H_
#define GEARMAN_TESTS_SUPPORT_HOSTILE_NAMES_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace support {

struct HostileName {
  std::string name;
  // Whether it may be registered and listed: it holds no unsafe character. The
  // bytes of a name may still be no UTF-8.
  bool listable;
  // SafeText of it, written by hand.
  std::string safe;
};

// All names differ, and so do their safe forms.
inline std::vector<HostileName> HostileNames() {
  return {
      // Line ends and tabs forge rows and columns.
      {"line\nfeed", false, "line\\x0afeed"},
      {"row\t9\t9\t9\nforged", false, "row\\x099\\x099\\x099\\x0aforged"},
      // These names would end a list, or be an error in place of one.
      {"end\n.\nof list", false, "end\\x0a.\\x0aof list"},
      {".\nbegin", false, ".\\x0abegin"},
      {"ERR x\r\ny", false, "ERR x\\x0d\\x0ay"},
      {"carriage\rreturn", false, "carriage\\x0dreturn"},
      {"trailing\n", false, "trailing\\x0a"},
      // Terminals obey control characters.
      {"\x1b[31mred", false, "\\x1b[31mred"},
      {"back\bspace\x7f", false, "back\\x08space\\x7f"},
      {"c1\xc2\x9b"
       "31m",
       false, "c1\\xc2\\x9b31m"},
      {"next\xc2\x85line", false, "next\\xc2\\x85line"},
      // Some readers take these for line ends.
      {"line\xe2\x80\xa8separator", false, "line\\xe2\\x80\\xa8separator"},
      {"paragraph\xe2\x80\xa9", false, "paragraph\\xe2\\x80\\xa9"},
      // These characters turn the direction of what follows.
      {"\xe2\x80\xaeoverride", false, "\\xe2\\x80\\xaeoverride"},
      {"iso\xe2\x81\xa6late", false, "iso\\xe2\\x81\\xa6late"},
      {"mark\xe2\x80\x8f", false, "mark\\xe2\\x80\\x8f"},
      {"arabic\xd8\x9cmark", false, "arabic\\xd8\\x9cmark"},
      // Nobody sees these.
      {"\xef\xbb\xbfresize", false, "\\xef\\xbb\\xbfresize"},
      {"re\xe2\x80\x8bsize", false, "re\\xe2\\x80\\x8bsize"},
      {"re\xc2\xadsize", false, "re\\xc2\\xadsize"},
      {"tag\xf3\xa0\x81\x81", false, "tag\\xf3\\xa0\\x81\\x81"},
      // Bytes that are no UTF-8: older encodings, cut and overlong forms,
      // surrogates.
      {"\xfc"
       "ber",
       true,
       "\\xfc"
       "ber"},
      {"cut\xe2\x82", true, "cut\\xe2\\x82"},
      {"overlong\xc0\xaf", true, "overlong\\xc0\\xaf"},
      {"surrogate\xed\xa0\x80", true, "surrogate\\xed\\xa0\\x80"},
      {"\x80\x9b\xff", true, "\\x80\\x9b\\xff"},
      // A text that looks like an escaped byte, and the byte itself.
      {"\\xff", true, "\\x5cxff"},
      {"\xff", true, "\\xff"},
      // The syntax of labels, tags, tables and JSON.
      {"quote\"d", true, "quote\"d"},
      {"back\\slash", true, "back\\slash"},
      {"{task=\"x\"} 1", true, "{task=\"x\"} 1"},
      {"a,b|c#d:e", true, "a,b|c#d:e"},
      {"a_b_c_d:e", true, "a_b_c_d:e"},
      {"%s%n", true, "%s%n"},
      {".", true, "."},
      // Letters of all scripts stay.
      {"\xc3\xbc"
       "ber",
       true,
       "\xc3\xbc"
       "ber"},
      {"\xe6\xbc\xa2\xe5\xad\x97", true, "\xe6\xbc\xa2\xe5\xad\x97"},
      {"\xd9\x85\xe2\x80\x8c\xd8\xa7", true, "\xd9\x85\xe2\x80\x8c\xd8\xa7"},
      {"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x94\xa7", true,
       "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x94\xa7"},
      {std::string(500, 'n'), true, std::string(500, 'n')},
      {std::string(500, 'n') + "2", true, std::string(500, 'n') + "2"},
  };
}

// Whether `text` is lines that hold no unsafe character and no byte that is no
// UTF-8, each ended by a line feed.
inline bool IsSafeLines(absl::string_view text) {
  while (!text.empty()) {
    const size_t end = text.find('\n');
    if (end == absl::string_view::npos || !IsSafeLine(text.substr(0, end))) {
      return false;
    }
    text.remove_prefix(end + 1);
  }
  return true;
}

}  // namespace support
}  // namespace gearman

#endif  // GEARMAN_TESTS_SUPPORT_HOSTILE_NAMES_H_
