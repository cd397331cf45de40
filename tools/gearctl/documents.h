// Documents: what is made of the table of subcommands and the flags, beside
// help: shell completion and the man page. One thread.
#ifndef GEARMAN_TOOLS_GEARCTL_DOCUMENTS_H_
#define GEARMAN_TOOLS_GEARCTL_DOCUMENTS_H_

#include <string>

#include "absl/types/span.h"
#include "gearman/tools/gearctl/subcommand.h"

namespace gearman {
namespace gearctl {

// Scripts to be sourced (bash), or named _gearctl in a folder of $fpath (zsh).
std::string BashCompletion(absl::Span<const Subcommand> subcommands);
std::string ZshCompletion(absl::Span<const Subcommand> subcommands);

// In man(7), section 1.
std::string ManPage(absl::Span<const Subcommand> subcommands);

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_DOCUMENTS_H_
