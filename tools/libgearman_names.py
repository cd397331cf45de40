"""The public names in libgearman's headers, and those of them that a page lacks."""

import pathlib
import re

HEADERS = pathlib.Path("/usr/include/libgearman-1.0")
# Functions and macros, and the enumerators of the options of a client and of a worker.
_CALL = re.compile(r"\b(gearman_\w+)\s*\(")
_MACRO = re.compile(r"^\s*#\s*define\s+(gearman_\w+)", re.MULTILINE)
_OPTION = re.compile(r"\bGEARMAN_(?:CLIENT|WORKER)_\w+(?=\s*=\s*\(1\s*<<)")
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
# An annotation of a callback's type, and a macro that the headers have only while libgearman itself is built.
_NO_CALLS = {"gearman_return_t", "gearman_string_make"}


def public_names(headers):
    """The names that a program can use, of the texts of headers."""
    names = set()
    for text in headers:
        text = _COMMENT.sub("", text)
        for pattern in (_CALL, _MACRO, _OPTION):
            names.update(pattern.findall(text))
    return names - _NO_CALLS


def names_on_page(text):
    """The names that a page has as code, and the beginnings of families, such as that of `gearman_string_*`."""
    code = " ".join(re.findall(r"`([^`\n]+)`", text))
    return (set(re.findall(r"\b(?:gearman|GEARMAN)_\w+\b(?!\*)", code)),
            tuple(re.findall(r"\b(gearman_[a-z]+_)\*", code)))


def missing(names, page):
    """The names that a page has neither in full nor by their family, sorted."""
    found, families = names_on_page(page)
    return sorted(name for name in names if name not in found and not name.startswith(families or ("\0",)))


def words(headers):
    """Every word of the texts of headers."""
    return set(re.findall(r"\w+", " ".join(headers)))
