#include "gearman/tests/support/shared_object_bytes.h"

#include <elf.h>
#include <link.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

namespace gearman {
namespace support {
namespace {

template <typename T>
void Append(std::string* bytes, const T& part) {
  bytes->append(reinterpret_cast<const char*>(&part), sizeof(part));
}

}  // namespace

std::string SharedObjectBytes(const std::vector<std::string>& needed) {
  std::string names(1, '\0');
  // One entry for each library, four more, and the end.
  std::vector<ElfW(Dyn)> dynamic(needed.size() + 5);
  size_t next = 0;
  const auto add = [&](auto tag, uint64_t value) {
    dynamic[next].d_tag = tag;
    dynamic[next].d_un.d_val = value;
    ++next;
  };
  for (const std::string& name : needed) {
    add(DT_NEEDED, names.size());
    names += name;
    names += '\0';
  }
  const size_t dynamic_at = sizeof(ElfW(Ehdr)) + 2 * sizeof(ElfW(Phdr));
  const size_t symbols_at = dynamic_at + dynamic.size() * sizeof(ElfW(Dyn));
  const size_t names_at = symbols_at + sizeof(ElfW(Sym));
  const size_t size = names_at + names.size();
  add(DT_SYMTAB, symbols_at);
  add(DT_SYMENT, sizeof(ElfW(Sym)));
  add(DT_STRTAB, names_at);
  add(DT_STRSZ, names.size());
  add(DT_NULL, 0);

  ElfW(Ehdr) header = {};
  // The first bytes and the machine are those of the running program.
  std::ifstream program("/proc/self/exe", std::ios::binary);
  program.read(reinterpret_cast<char*>(&header), sizeof(header));
  header.e_type = ET_DYN;
  header.e_entry = 0;
  header.e_phoff = sizeof(header);
  header.e_phentsize = sizeof(ElfW(Phdr));
  header.e_phnum = 2;
  header.e_shoff = 0;
  header.e_shnum = 0;
  header.e_shstrndx = 0;

  ElfW(Phdr) load = {};
  load.p_type = PT_LOAD;
  load.p_flags = PF_R | PF_W;
  load.p_filesz = load.p_memsz = size;
  load.p_align = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  ElfW(Phdr) list = {};
  list.p_type = PT_DYNAMIC;
  list.p_flags = PF_R | PF_W;
  list.p_offset = list.p_vaddr = list.p_paddr = dynamic_at;
  list.p_filesz = list.p_memsz = dynamic.size() * sizeof(ElfW(Dyn));
  list.p_align = alignof(ElfW(Dyn));

  std::string bytes;
  Append(&bytes, header);
  Append(&bytes, load);
  Append(&bytes, list);
  for (const ElfW(Dyn) & entry : dynamic) Append(&bytes, entry);
  Append(&bytes, ElfW(Sym){});
  return bytes + names;
}

}  // namespace support
}  // namespace gearman
