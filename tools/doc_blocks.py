#!/usr/bin/env python3
"""The code blocks of documents: what each one is, and whether it is right as far as that is seen without a compiler.

  tools/doc_blocks.py cpp DOCUMENT...      prints a C++ source that has every block of cpp which no file of the tree has
  tools/doc_blocks.py parsed DOCUMENT...   prints, in JSON, what tests/docs/parse_blocks parses: configs, lines of gearctl

CONTRIBUTING.md has the rules ("Code blocks"). `tools/check blocks` calls problems(); tests/docs compiles and parses.
"""

import ast
import configparser
import json
import pathlib
import re
import shlex
import subprocess
import sys

# Blocks of these are read by people only: output and pictures, and files of other programs.
NOT_CHECKED = ("conf", "dockerfile", "mermaid", "text")
LANGUAGES = ("bash", "cmake", "console", "cpp", "ini", "json", "proto", "python", "sh",
             "textproto") + NOT_CHECKED
SHELLS = ("bash", "console", "sh")
CONFIG = "gearman.config.GearmanConfig"
# What a marker may say, and the languages that it may stand above.
MARKERS = (("file (?P<path>\\S+)", LANGUAGES), ("part of (?P<path>\\S+)", LANGUAGES),
           ("recipe (?P<recipe>\\S+)", LANGUAGES), ("message (?P<message>[\\w.]+)", ("textproto",)),
           ("in\n(?P<around>.*\n\\.\\.\\.\n.*)", ("cpp",)))


class Block:
    """A block and the marker above it. `line` is the line of its first line of text, from 1."""

    def __init__(self, document, line, language, marker, text):
        self.document, self.line, self.language, self.marker, self.text = document, line, language, marker, text
        self.path = self.recipe = self.message = self.around = None
        self.known_marker = marker is None
        for pattern, languages in MARKERS:
            found = marker is not None and language in languages and re.fullmatch(pattern, marker, re.S)
            if found:
                self.known_marker = True
                self.__dict__.update(found.groupdict())
        self.whole = self.known_marker and marker is not None and marker.startswith("file ")

    def place(self):
        return f"{self.document}:{self.line}"


BLOCK = re.compile(r"(?:^[ ]*<!-- block: ((?:(?!-->).)*?)\s*-->\n)?^( *)```(\S*)[^\n]*\n(.*?)^ *```[ ]*$", re.M | re.S)


def blocks_of(document, text):
    """Every block of a document. A block in a list is indented, and its text is without that."""
    for found in BLOCK.finditer(text):
        marker, indent, language, body = found.groups()
        if indent:
            body = "".join(line.removeprefix(indent) for line in body.splitlines(keepends=True))
        yield Block(document, text.count("\n", 0, found.start(4)) + 1, language, marker, body)


def in_tree(block):
    """True if a file of the tree has the block, so that a compiler sees it there."""
    return block.path is not None


# --- shells --------------------------------------------------------------------

SEPARATORS = re.compile(r"[|&;()]+")


def commands_of(block):
    """(line in the block from 0, text) of each command; in a console these follow "$ "."""
    lines = block.text.splitlines()
    number = 0
    while number < len(lines):
        begin, command = number, lines[number]
        if block.language == "console":
            if not command.startswith("$ "):
                number += 1
                continue
            command = command[2:]
        while command.endswith("\\") and number + 1 < len(lines):
            number += 1
            command = command[:-1] + " " + lines[number].strip()
        number += 1
        yield begin, command


def simple_commands(text):
    """The words of each simple command of a line: without assignments, redirections and what joins commands."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars="|&;()<>")
    lexer.whitespace_split = True
    words, skip = [], False
    for word in lexer:
        if SEPARATORS.fullmatch(word):
            if words:
                yield words
            words, skip = [], False
        elif skip:  # the file of a redirection
            skip = False
        elif re.fullmatch(r"[<>]+[&|]?|<\(", word):
            skip = True
            if words and re.fullmatch(r"\d", words[-1]):
                words.pop()  # the 2 of 2>
            if "(" in word:
                if words:
                    yield words
                words, skip = [], False
        elif words or not re.match(r"\w+=|sudo$|\$$", word):
            words.append(word)
    if words:
        yield words


def gearctl_calls(block):
    """(line from 1, arguments) of each call of gearctl in a block for a shell."""
    for number, text in commands_of(block):
        try:
            for words in simple_commands(text):
                if words[0].split("/")[-1] == "gearctl":
                    yield block.line + number, words[1:]
        except ValueError:
            pass  # a quotation mark without its other one: bash says it better


def shell_problems(block, root):
    commands = list(commands_of(block))
    text = "\n".join(text for _, text in commands) if block.language == "console" else block.text
    done = subprocess.run(["bash", "-n"], input=text, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        yield block.line, done.stderr.strip().splitlines()[0].removeprefix("bash: ")
    if block.language == "console" and not commands:
        yield block.line, 'a console has no line that begins with "$ "'
    for number, text in commands:
        for word in re.findall(r"(?<![\w/$.-])(?:\./)?((?:tools|tests|examples|benchmarks|findings|docs|\.ci)/[\w/.-]+)", text):
            if not (root / word).exists():
                yield block.line + number, f"no {word}"
        for package, name in re.findall(r"(?<!\S)//([\w/]+)(?::(\w+))?(?!\S*\.\.\.)(?=\s|$)", text):
            build = root / package / "BUILD.bazel"
            wanted = name or package.split("/")[-1]
            if not build.is_file() or f'name = "{wanted}"' not in build.read_text():
                yield block.line + number, f"no //{package}:{wanted}"


# --- every block ---------------------------------------------------------------


def file_problems(block, root):
    path = root / block.path
    text = path.read_text() if path.is_file() else None
    if text is None:
        yield block.line, f"no {block.path}"
    elif block.whole:
        if block.text != text:
            yield block.line, f"is not {block.path}"
    else:
        missing = part_missing(block.text, text)
        if missing:
            yield block.line, f"{block.path} has no lines \"{missing}\" ..."


def part_missing(block, text):
    """The first line of a part of a block that a text does not have behind the parts before, at any depth; or None."""
    def bare(lines):
        return [line.strip() for line in lines.splitlines() if line.strip()]

    lines, at = bare(text), 0
    for part in re.split(r"^\s*(?://|#) \.\.\.\n", block, flags=re.MULTILINE):
        wanted = bare(part)
        if not wanted:
            continue
        while lines[at:at + len(wanted)] != wanted:
            at += 1
            if at + len(wanted) > len(lines):
                return wanted[0]
        at += len(wanted)
    return None


def python_problems(block):
    try:
        ast.parse(block.text)
    except SyntaxError as error:
        yield block.line + error.lineno - 1, error.msg


def ini_problems(block):
    try:
        # A unit of systemd may have a key twice, and stunnel keys before the first section.
        configparser.RawConfigParser(strict=False, allow_no_value=False).read_string("[-]\n" + block.text)
    except configparser.Error as error:
        yield block.line, error.message.splitlines()[0]


def json_problems(block):
    try:
        json.loads(block.text)
    except ValueError as error:
        yield block.line, str(error)


def problems(document, text, root):
    """(line, what is wrong) of the blocks of a document."""
    known, inside = set(), set()
    for block in blocks_of(document, text):
        known.add(block.line - 1)
        inside.update(range(block.line, block.line + block.text.count("\n")))
        if not block.language:
            yield block.line - 1, "a block without a language; output has the language text"
        elif block.language not in LANGUAGES:
            yield block.line - 1, f"{block.language}: known are {', '.join(LANGUAGES)}"
        elif not block.known_marker:
            yield block.line - 1, f"a block of {block.language} has no marker \"{block.marker.splitlines()[0]}\""
        elif in_tree(block):
            yield from file_problems(block, root)
        elif block.language in ("cmake", "proto") and not block.recipe:
            yield block.line - 1, f"{block.language}: show a part of a file that is built (block: part of PATH)"
        elif block.language in SHELLS:
            yield from shell_problems(block, root)
        else:
            check = {"ini": ini_problems, "json": json_problems, "python": python_problems}.get(block.language)
            yield from check(block) if check else ()
    fences = [number for number, line in enumerate(text.splitlines(), 1) if re.match(r" *```", line)]
    if len(fences) % 2:
        yield fences[-1], "a block without an end"
    for found in re.finditer(r"^ *<!-- block:", text, re.M):
        line = text.count("\n", 0, found.start()) + 1
        end = text.find("-->", found.end())
        if line not in inside and (end < 0 or text.count("\n", 0, end) + 2 not in known):
            yield line, "a marker without a block in the line below it"


def needs_a_build(document, text):
    """True if a document has what only tests/docs can check."""
    return any(not in_tree(block) and (block.language in ("cpp", "textproto") or
                                       (block.language in SHELLS and any(gearctl_calls(block))))
               for block in blocks_of(document, text))


# --- what is compiled and parsed -------------------------------------------------


def cpp_source(blocks):
    """One source of all blocks. Those of a document are in one namespace, so that they are read from top to bottom, and a
    compiler's message names the document and its line."""
    includes, documents = [], {}
    for block in (block for block in blocks if block.language == "cpp" and not in_tree(block)):
        before, _, after = (block.around or "...\n").partition("...\n")
        includes += re.findall(r"^#include .*", before + block.text, re.M)
        # Without its includes, and with as many lines as before.
        before, code = (re.sub(r"^#include .*", "", part, flags=re.M) for part in (before, block.text))
        # The marker's code ends two lines above the block: "-->" and the fence are between.
        first = block.line - 2 - len(block.around.splitlines() if block.around else ())
        documents.setdefault(block.document, []).extend(
            f'#line {line} "{block.document}"\n{part}\n'
            for line, part in ((first, before), (block.line, code), (first + before.count("\n") + 1, after)) if part.strip())
    bodies = []
    for document, parts in documents.items():
        namespace = re.sub(r"\W", "_", document)
        bodies.append(f"namespace {namespace} {{\n{''.join(parts)}}}  // namespace {namespace}\n")
    return "\n".join([*dict.fromkeys(includes), "", *bodies])


def parsed(blocks):
    result = []
    for block in blocks:
        if block.language == "textproto" and not in_tree(block):
            result.append({"place": block.place(), "message": block.message or CONFIG, "text": block.text})
        if block.language in SHELLS:
            result += [{"place": f"{block.document}:{line}", "gearctl": words} for line, words in gearctl_calls(block)]
    return result


def main():
    kinds = {"cpp": cpp_source, "parsed": lambda blocks: json.dumps(parsed(blocks), indent=1, ensure_ascii=False)}
    if len(sys.argv) < 3 or sys.argv[1] not in kinds:
        sys.exit(__doc__)
    blocks = [block for name in sys.argv[2:] for block in blocks_of(name, pathlib.Path(name).read_text())]
    print(kinds[sys.argv[1]](blocks))


if __name__ == "__main__":
    main()
