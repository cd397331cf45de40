#!/usr/bin/env python3
"""Prints a header as doxygen is to read it (docs/Doxyfile): with the same lines, and with its comments marked.

  tools/doxygen_filter.py HEADER

Headers have plain comments. A comment documents the declarations below it, up to an empty line, another comment or the
end of a class; a comment behind a declaration documents that one; the comment at the head documents the header, and each
class without a comment of its own that the first sentence names or the header is named after. Left out
are the include guard, comments in the bodies of functions and before empty lines, and what has nothing to say: friends,
deleted functions, defaulted ones without a comment, and classes that are only declared.
"""

import pathlib
import re
import sys

sys.dont_write_bytecode = True
import cpp_text  # pylint: disable=wrong-import-position

# Opens a place of declarations, when a brace follows.
SCOPE = re.compile(r"(?:inline )?(?:namespace|class|struct|union|enum)\b|extern\b\s*$")
TEMPLATE = re.compile(r"^template <(?:[^<>]|<(?:[^<>]|<(?:[^<>]|<[^<>]*>)*>)*>)*>\s*")
SILENT = re.compile(r"= delete;$|friend\b|(?:class|struct)(?: [A-Z_]+)? [\w:]+;$|(?:extern )?template [^<]|using \w[\w:]*::\w+;$|#define GEARMAN_INTERNAL_")


class Declaration:
    def __init__(self, begin, end, text, scopes):
        self.begin, self.end, self.scopes = begin, end, scopes
        text = TEMPLATE.sub("", " ".join(text.split()))
        self.opens = bool(SCOPE.match(text)) and not text.endswith(";")
        self.namespace = bool(re.match(r"(?:inline )?namespace\b|extern\b", text)) and self.opens
        found = re.match(r"(class|struct)(?: [A-Z_]+(?:\([^)]*\))?| \[\[\w+\]\])* (\w+)", text) if self.opens else None
        self.kind, self.name = found.groups() if found else (None, None)
        # Without a comment of its own, it has that of what it overrides, or needs none.
        self.inherits = bool(re.search(r"\boverride\b|\bfinal\b|^(?:virtual )?~", text)) and not self.opens
        self.defaulted = text.endswith("= default;")
        self.silent = bool(SILENT.match(text) or SILENT.search(text))


def declarations(code):
    """The declarations of a header, and the numbers of the lines that begin in the body of a function. `code` is its lines
    without comments and strings."""
    found, bodies, scopes = [], set(), []
    text, begin, depth = "", None, 0

    def names(scopes):
        return "::".join(re.match(r".*\bnamespace ([\w:]+)$", scope)[1] for scope in scopes) if all(
            re.search(r"\bnamespace [\w:]+$", scope) for scope in scopes) else None

    def end(number):
        nonlocal text, begin
        if begin is not None and text.strip(" ;}"):
            found.append(Declaration(begin, number, text, names(scopes)))
        text, begin = "", None

    macro = False
    for number, line in enumerate(code):
        if macro or line.startswith("#"):
            if macro:
                found[-1].end = number
            elif line.startswith("#define "):
                found.append(Declaration(number, number, line.strip(), ""))
            macro = bool(found) and found[-1].end == number and line.endswith("\\")
            continue
        if depth:
            bodies.add(number)
        for at, letter in enumerate(line):
            if depth:  # in a body, or in an initialiser
                depth += {"{": 1, "}": -1}.get(letter, 0)
                if not depth and not re.match(r"\s*[;,){]", line[at + 1:]):
                    end(number)
                continue
            if begin is None and not letter.isspace():
                begin = number
            if letter == "{":
                if SCOPE.match(TEMPLATE.sub("", text.strip())):
                    opened = text.strip()
                    end(number)
                    scopes.append(opened)
                else:
                    depth, text = 1, text + "{}"
            elif letter == "}":
                end(number)  # the last value of an enumeration
                if scopes:
                    scopes.pop()
            elif letter == ";" or (letter == "," and scopes and scopes[-1].startswith("enum")):
                text += letter
                end(number)
            else:
                text += letter
                if re.fullmatch(r"\s*(?:public|protected|private):", text):
                    text, begin = "", None
        text += " "
    return found, bodies


def prose(comment):
    """The lines of a comment in doxygen's language, as many as there were. Indented lines are shown as they are."""
    lines = [line.removeprefix(" ") for line in comment]
    shown = [line.startswith("  ") for line in lines]
    # A paragraph is escaped as a whole, because code may go over the end of a line.
    text = "\n".join("" if is_shown else line for line, is_shown in zip(lines, shown))
    parts = re.split(r"(`[^`]+`)", text)
    for at, part in enumerate(parts):
        if at % 2:
            parts[at] = "<code>" + re.sub(r"([<>@\\#%&*_])", r"\\\1", part[1:-1]).replace("\n", " \n") + "</code>"
        else:
            parts[at] = re.sub(r"([<>@\\#%&*_`])", r"\\\1", part)
    result = re.sub(r"(?<!\w)::", r"\\::", "".join(parts)).split("\n")
    for number, line in enumerate(lines):
        if shown[number]:
            before = "\\verbatim " if number == 0 or not shown[number - 1] else ""
            after = " \\endverbatim" if number + 1 == len(lines) or not shown[number + 1] else ""
            result[number] = before + line + after
    return [line.replace("*/", "* /") for line in result]


def marked(comment, head="/*! ", tail=" */"):
    lines = prose(comment)
    lines[0] = head + lines[0]
    lines[-1] += tail
    return lines


def camel_case(stem):
    return "".join(word.capitalize() for word in stem.split("_"))


def filtered(text, stem):
    guard = r"^#(?:ifndef|define|endif)\b.*GEARMAN_\w+_H_$"
    text = re.sub(guard, "", text, flags=re.M)
    lines = text.splitlines()
    code = cpp_text.without_comments_and_strings(text).splitlines()
    found, bodies = declarations(code)
    begins = {}
    for declaration in found:
        begins.setdefault(declaration.begin, declaration)

    def comment_at(number):
        match = re.fullmatch(r"\s*//(.*)", lines[number]) if number < len(lines) and number not in bodies else None
        return match and match[1]

    def documented(number):
        """The declarations below a comment that ends before line `number`."""
        result = []
        while number < len(lines) and number in begins and (not result or begins[number].begin > result[-1].begin):
            result.append(begins[number])
            if begins[number].opens:
                break
            number = begins[number].end + 1
        return result

    def has_own(declaration):
        """Whether a comment stands behind it."""
        return "//" in lines[declaration.end][len(code[declaration.end].rstrip()):]

    result, head = list(lines), []
    own = set()  # declarations that a comment documents
    group_ends = set()  # lines; a group ends in the next one
    number = 0
    while number < len(lines):
        behind = re.search(r"//(.*)", lines[number]) if number not in bodies and comment_at(number) is None else None
        if behind and code[number].strip() and code[number][behind.start():].strip() == "":
            last, comment = number + 1, [behind[1]]
            while comment_at(last) is not None and lines[last].index("//") == behind.start():
                comment.append(comment_at(last))
                last += 1
            if re.search(r"[;,{}]\s*$|\w\s*$", code[number][:behind.start()]) and not re.match(r"\s*\}|#", code[number]):
                new = marked(comment, "/*!< ")
            else:
                new = [""] * len(comment)
            result[number:last] = [lines[number][:behind.start()] + new[0], *new[1:]]
            number = last
            continue
        comment = []
        begin = number
        while comment_at(number) is not None:
            comment.append(comment_at(number))
            number += 1
        if not comment:
            number += 1
            continue
        while comment and re.match(r" ?---", comment[0]):  # a heading
            result[begin] = ""
            begin, comment = begin + 1, comment[1:]
        members = [] if begin == 0 else documented(number)
        told = [member for member in members if not member.silent and
                (member is members[0] or not (member.inherits or has_own(member)))]
        new = [""] * len(comment)
        if begin == 0:
            # The line of the guard, which is not printed, makes room for one more.
            new = ["/*! \\file", *marked(comment, "")]
            head = comment
            number += 1
        elif comment and members and not members[0].silent and not members[0].namespace:
            several = len(told) > 1
            own.update(told)
            new = marked(comment, "/*!@{*/ /*! " if several else "/*! ")
            if several:
                group_ends.add(told[-1].end)
        result[begin:number] = new
    for declaration in found:
        if declaration.silent or (declaration.defaulted and declaration not in own):
            result[declaration.begin:declaration.end + 1] = [""] * (declaration.end + 1 - declaration.begin)
    # Below the last line, so that the others keep their numbers.
    first = " ".join(head).split(". ")[0]
    for declaration in found:
        if (declaration.name and declaration.scopes and declaration not in own and
                (declaration.name == camel_case(stem) or re.search(rf"\b{declaration.name}\b", first))):
            result += [f"/*! \\{declaration.kind} {declaration.scopes}::{declaration.name}", *marked(head, "")]
    return "\n".join("/*!@}*/ " + line if number - 1 in group_ends else line for number, line in enumerate(result)) + "\n"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    path = pathlib.Path(sys.argv[1])
    sys.stdout.write(filtered(path.read_text(), path.stem))


if __name__ == "__main__":
    main()
