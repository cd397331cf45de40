#!/usr/bin/env python3
"""The picture of the design in README: docs/design.svg, made of docs/design.dot.

  tools/design_picture.py      draws it; needs dot (Debian's graphviz)

The picture has a sum of its source and of itself. `tools/check design` compares it without dot: the dot of another
release, and other fonts, draw another picture.
"""

import hashlib
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCE, PICTURE = "docs/design.dot", "docs/design.svg"
STAMP = re.compile(r"^<!-- Made by tools/design_picture\.py: (\w+) -->\n", re.MULTILINE)


def stamp_of(source, picture):
    """The sum of a source and of a picture without its stamp."""
    return hashlib.sha256((source + STAMP.sub("", picture)).encode()).hexdigest()


def stamped(source, picture):
    """A picture as dot has made it, with its stamp before the picture itself."""
    return picture.replace("<svg ", f"<!-- Made by tools/design_picture.py: {stamp_of(source, picture)} -->\n<svg ", 1)


def problem(source, picture):
    """What is wrong of a picture, or None."""
    found = STAMP.search(picture)
    if found is None:
        return "has no stamp"
    return None if found[1] == stamp_of(source, picture) else "is not what was made of the source"


def main():
    if len(sys.argv) > 1:
        sys.exit(__doc__)
    source = (ROOT / SOURCE).read_text()
    try:
        done = subprocess.run(["dot", "-Tsvg"], input=source, stdout=subprocess.PIPE, text=True, check=False)
    except FileNotFoundError:
        sys.exit("tools/design_picture.py: no dot (Debian's package graphviz)")
    if done.returncode:
        sys.exit(done.returncode)
    (ROOT / PICTURE).write_text(stamped(source, done.stdout))


if __name__ == "__main__":
    main()
