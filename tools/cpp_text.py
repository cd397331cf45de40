"""What the scripts of this folder read in C++ text without a compiler."""

import re

# Raw strings, strings, characters, comments. A ' between digits begins no character.
_TOKEN = re.compile(
    r"""R"(?P<end>[^(\s]*)\((?:.|\n)*?\)(?P=end)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'|"""
    r"""(?P<comment>//[^\n]*|/\*(?:.|\n)*?\*/)""")


def without_comments(text):
    """The text with the same lines, and nothing where comments were."""
    return _TOKEN.sub(lambda match: re.sub(r"[^\n]", "", match[0]) if match["comment"] else match[0], text)


def without_comments_and_strings(text):
    """The text with the same lines and columns, and spaces where comments and literals of characters were."""
    return _TOKEN.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def public_headers(sources_cmake):
    """The headers that are installed, sorted: the lists of them in the text of cmake/sources.cmake."""
    lists = re.findall(r"^set\(GEARMAN_SDK_\w+_HEADERS\n(.*?)^\)", sources_cmake, re.M | re.S)
    return sorted({header for found in lists for header in found.split()})
