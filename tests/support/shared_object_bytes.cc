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

std::string SharedObjectBytes(const std::vector<std::string>& needed,
                              const std::vector<std::string>& defined) {
  std::string names(1, '\0');
  const auto add_name = [&names](const std::string& name) {
    const size_t place = names.size();
    names += name;
    names += '\0';
    return static_cast<uint32_t>(place);
  };
  // The first symbol is none.
  std::vector<ElfW(Sym)> symbols(1);
  for (const std::string& name : defined) {
    ElfW(Sym) symbol = {};
    symbol.st_name = add_name(name);
    symbol.st_shndx = SHN_ABS;
    symbols.push_back(symbol);
  }
  std::vector<ElfW(Dyn)> dynamic;
  const auto add = [&dynamic](auto tag, uint64_t value) {
    ElfW(Dyn) entry = {};
    entry.d_tag = tag;
    entry.d_un.d_val = value;
    dynamic.push_back(entry);
  };
  for (const std::string& name : needed) add(DT_NEEDED, add_name(name));
  // Four more entries, and the end.
  const size_t dynamic_size = (needed.size() + 5) * sizeof(ElfW(Dyn));
  const size_t dynamic_at = sizeof(ElfW(Ehdr)) + 2 * sizeof(ElfW(Phdr));
  const size_t symbols_at = dynamic_at + dynamic_size;
  const size_t symbols_size = symbols.size() * sizeof(ElfW(Sym));
  // The first section is none.
  const size_t sections_at = symbols_at + symbols_size;
  std::vector<ElfW(Shdr)> sections(3);
  const size_t names_at = sections_at + sections.size() * sizeof(ElfW(Shdr));
  add(DT_SYMTAB, symbols_at);
  add(DT_SYMENT, sizeof(ElfW(Sym)));
  add(DT_STRTAB, names_at);
  add(DT_STRSZ, names.size());
  add(DT_NULL, 0);
  sections[1].sh_type = SHT_DYNSYM;
  sections[1].sh_offset = symbols_at;
  sections[1].sh_size = symbols_size;
  sections[1].sh_link = 2;
  sections[2].sh_type = SHT_STRTAB;
  sections[2].sh_offset = names_at;
  sections[2].sh_size = names.size();

  ElfW(Ehdr) header = {};
  // The first bytes and the machine are those of the running program.
  std::ifstream program("/proc/self/exe", std::ios::binary);
  program.read(reinterpret_cast<char*>(&header), sizeof(header));
  header.e_type = ET_DYN;
  header.e_entry = 0;
  header.e_phoff = sizeof(header);
  header.e_phentsize = sizeof(ElfW(Phdr));
  header.e_phnum = 2;
  header.e_shoff = sections_at;
  header.e_shentsize = sizeof(ElfW(Shdr));
  header.e_shnum = static_cast<uint16_t>(sections.size());
  header.e_shstrndx = 0;

  ElfW(Phdr) load = {};
  load.p_type = PT_LOAD;
  load.p_flags = PF_R | PF_W;
  load.p_filesz = load.p_memsz = names_at + names.size();
  load.p_align = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  ElfW(Phdr) list = {};
  list.p_type = PT_DYNAMIC;
  list.p_flags = PF_R | PF_W;
  list.p_offset = list.p_vaddr = list.p_paddr = dynamic_at;
  list.p_filesz = list.p_memsz = dynamic_size;
  list.p_align = alignof(ElfW(Dyn));

  std::string bytes;
  Append(&bytes, header);
  Append(&bytes, load);
  Append(&bytes, list);
  for (const auto& entry : dynamic) Append(&bytes, entry);
  for (const auto& symbol : symbols) Append(&bytes, symbol);
  for (const auto& section : sections) Append(&bytes, section);
  return bytes + names;
}

}  // namespace support
}  // namespace gearman
