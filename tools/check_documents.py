"""The checks of tools/check that read documents: links, tables, examples, blocks of code."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import design_picture
import doc_blocks
import libgearman_names
import prose
from check_tree import DEPENDENTS, NOTES, ROOT, SOURCES, TEXT, check, places

DOCUMENTS = [name for name in TEXT if name.endswith(".md")]


@check
def links():
    """A relative link in a document leads to a file, and to a section of it; a page with links to other sites says of which day."""
    for name, number, match in places([n for n in TEXT if n.endswith(".md")], r"\]\(([^)\s#]+)(?:#[^)]*)?\)"):
        if "://" not in match[1] and not match[1].startswith("mailto:"):
            if not (ROOT / pathlib.PurePosixPath(name).parent / match[1]).exists():
                yield f"{name}:{number}: no {match[1]}"
    for name in DOCUMENTS:
        for number, problem in (*prose.anchor_problems(name, TEXT), *prose.outside_problems(TEXT[name])):
            yield f"{name}:{number}: {problem}"


@check
def indexes():
    """The index of docs/guide links to each page there, that of docs/internals to each page there and each decision."""
    for index, folders in (("docs/guide/README.md", ("docs/guide/",)),
                           ("docs/internals/README.md", ("docs/internals/", "docs/decisions/"))):
        linked = {os.path.normpath(os.path.join(os.path.dirname(index), link))
                  for link in re.findall(r"\]\(([^)#]+)", TEXT.get(index, ""))}
        for name in TEXT:
            if name.startswith(folders) and name.endswith(".md") and name not in (index, *linked):
                yield f"{index}:1: no link to {name}"


@check
def design():
    """docs/design.svg is what tools/design_picture.py has made of docs/design.dot."""
    problem = design_picture.problem(TEXT[design_picture.SOURCE], TEXT[design_picture.PICTURE])
    if problem:
        yield f"{design_picture.PICTURE}:1: {problem}: run tools/design_picture.py"


HELLO = "examples/hello.cc"
LONGEST_HELLO = 25


@check
def hello():
    """README's program is examples/hello.cc word for word, and has few lines of code."""
    if not any(block.whole and block.path == HELLO for block in doc_blocks.blocks_of("README.md", TEXT["README.md"])):
        yield f"README.md:1: no block of it is {HELLO}"
    code = [line for line in TEXT[HELLO].splitlines() if not re.match(r"\s*(//.*)?$", line)]
    if len(code) > LONGEST_HELLO:
        yield f"{HELLO}:1: has {len(code)} lines of code, more than {LONGEST_HELLO}"


def tests_and_their_traps():
    """FILE:Suite.Name -> the numbers in `Trap N`, `Trap N and M` of the comments above and in a test, and in its name."""
    tests = {}
    for name in (n for n in SOURCES if n.startswith("tests/")):
        lines = TEXT[name].splitlines()
        current, waiting = None, set()
        for number, line in enumerate(lines):
            full = re.match(r"(?:TYPED_)?TEST(?:_[FP])?\(\s*(\w+),\s*(\w+)\)", " ".join(lines[number:number + 2]))
            if full:
                current = f"{name}:{full[1]}.{full[2]}"
                tests[current] = (number + 1, waiting)
                waiting = set()
                if re.match(r"Trap\d", full[2]):
                    tests[current][1].add(int(re.match(r"Trap(\d+)", full[2])[1]))
            for mention in re.finditer(r"//.*?\bTraps? (\d+(?:(?:, | and |, and )\d+)*)", line):
                numbers = set(map(int, re.findall(r"\d+", mention[1])))
                if line.startswith("//") or current is None:
                    waiting |= numbers
                else:
                    tests[current][1].update(numbers)
    return tests


@check
def security():
    """Each row of SECURITY.md's tables names a test, and each test that it names exists."""
    yield from rows_name_tests("SECURITY.md")


@check
def examples():
    """Each folder of examples/ has a page; the index leads to it, and a test runs the commands that it shows."""
    index, test = TEXT["examples/README.md"], TEXT["tests/examples/pages_test.cc"]
    for folder in sorted({name.split("/")[1] for name in TEXT if re.match(r"examples/[^/]+/", name)}):
        page = f"examples/{folder}/README.md"
        if page not in TEXT:
            yield f"examples/README.md:1: {folder}/ has no README.md"
        elif f"]({folder}/README.md)" not in index:
            yield f"examples/README.md:1: does not lead to {page}"
        elif page.startswith(DEPENDENTS):
            continue  # its workspace has a test of its own
        elif "```console" in TEXT[page] and f'"{folder}"' not in test:
            yield f"{page}:1: tests/examples/pages_test.cc does not run it"


BLOCKS_TEST = "tests/docs/BUILD.bazel"


@check
def blocks():
    """Each code block has a language, and is right as far as that is seen without a compiler; tests/docs compiles and parses the others."""
    built = set(re.findall(r'^    "//([^"]*\.md)",$', TEXT[BLOCKS_TEST].replace(":", "/").replace("///", "//"), re.MULTILINE))
    for name in DOCUMENTS:
        for line, problem in doc_blocks.problems(name, TEXT[name], ROOT):
            yield f"{name}:{line}: {problem}"
        if not name.startswith("docs/") and name not in built and doc_blocks.needs_a_build(name, TEXT[name]):
            yield f"{name}:1: {BLOCKS_TEST} does not have it"


@check
def unit():
    """systemd-analyze, where it is installed, has nothing to say of a unit for systemd."""
    if not shutil.which("systemd-analyze"):
        return
    for name in [n for n in TEXT if n.endswith(".service")]:
        with tempfile.TemporaryDirectory() as folder:
            # It also says that a program is not installed.
            copy = pathlib.Path(folder) / pathlib.PurePosixPath(name).name
            copy.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", TEXT[name], flags=re.MULTILINE))
            done = subprocess.run(["systemd-analyze", "verify", copy], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  text=True, check=False)
        if done.returncode or done.stdout:
            yield f"{name}:1: " + (done.stdout.strip().replace(folder + "/", "") or f"exit {done.returncode}")


@check
def config_reference():
    """docs/guide/configuration.md is what tools/config_reference makes of the comments of the .proto files."""
    done = subprocess.run([ROOT / "tools/config_reference", "--check"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    if done.returncode:
        yield from done.stdout.splitlines()


LIBGEARMAN = "docs/guide/libgearman.md"


@check
def libgearman():
    """docs/guide/libgearman.md has each public function and option of libgearman's headers, where these are installed; no document has another."""
    headers = [path.read_text() for path in sorted(libgearman_names.HEADERS.rglob("*.h"))]
    if not headers:
        NOTES.append(f"not compared: no {libgearman_names.HEADERS} here (package libgearman-dev)")
        return
    for name in libgearman_names.missing(libgearman_names.public_names(headers), TEXT[LIBGEARMAN]):
        yield f"{LIBGEARMAN}:1: lacks {name}"
    known = prose.words_of_code(TEXT) | libgearman_names.words(headers)
    for page in DOCUMENTS:
        for number, code in prose.prose_of(page, TEXT[page]):
            for name in prose.unknown_snake_case(code, known):
                if name.startswith(prose.LIBGEARMAN):
                    yield f"{page}:{number}: {name} is in no header of libgearman, nor in the code"


# Pages whose tables say what holds, and by which test.
PAGES_WITH_TESTS = ("docs/guide/call_styles.md", "docs/guide/delivery.md", "docs/seed.md")


@check
def tables():
    """Each row of the tables of PAGES_WITH_TESTS names a test, each test that it names exists, and so does one for each cell of call_styles.md."""
    for page in PAGES_WITH_TESTS:
        yield from rows_name_tests(page)
    yield from cells_have_tests()


def rows_name_tests(page):
    tests = tests_and_their_traps()
    lines = TEXT.get(page, "").splitlines()
    rows = 0
    for number, line in enumerate(lines, 1):
        named = re.findall(r"`(tests/[^`]+)`", line)
        for test in named:
            file, _, case = test.partition(":")
            in_python = file.endswith(".py") and f"def {case.split('.')[-1]}(" in TEXT.get(file, "")
            if test not in tests and not in_python:
                yield f"{page}:{number}: no test {test}"
        # A heading names none; a line of dashes follows it.
        if line.startswith("| ") and not "".join(lines[number:number + 1]).startswith("|---"):
            rows += 1
            if not named:
                yield f"{page}:{number}: no test is named for it"
    if not rows:
        yield f"{page}:1: has no table"


STYLES_PAGE = "docs/guide/call_styles.md"
STYLES_TEST = "tests/sdk/call_styles_test.cc"
# The columns of the page, and the types of the suite.
STYLES = {"blocking": "Blocking", "callback": "CallbackStyle", "future": "Future", "coroutine": "Coroutine"}


def styles_of_typed_tests():
    """Each case of CallStylesTest, and the styles that do not skip it."""
    text = TEXT.get(STYLES_TEST, "")
    lacks = {}  # a constant -> the styles in which it is false
    for name, kind in STYLES.items():
        body = re.search(rf"^struct {kind} {{\n(.*?)^}};", text, re.MULTILINE | re.DOTALL)
        for constant in re.findall(r"static constexpr bool (k\w+) = false;", body[1] if body else ""):
            lacks.setdefault(constant, set()).add(name)
    cases = {}
    for case, body in re.findall(r"^TYPED_TEST\(CallStylesTest,\s+(\w+)\) {\n(.*?)^}", text, re.MULTILINE | re.DOTALL):
        skipped = re.findall(r"if \(!TypeParam::(k\w+)\) {?\s*GTEST_SKIP\(\)", body)
        # A case that skips in another form counts for no style.
        whole = len(skipped) == body.count("GTEST_SKIP")
        cases[case] = set(STYLES).difference(*(lacks.get(constant, ()) for constant in skipped)) if whole else set()
    return cases


def cells_have_tests():
    """Each cell that is no "no" has a case of CallStylesTest that runs for its style, or a test that is named for it: `callback: TEST`."""
    cases = styles_of_typed_tests()
    rows = 0
    for number, line in enumerate(TEXT.get(STYLES_PAGE, "").splitlines(), 1):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("| ") or len(cells) != 2 + len(STYLES):
            continue
        if cells[1:-1] == list(STYLES):
            rows += 1
            continue
        has = {name for name, cell in zip(STYLES, cells[1:-1]) if not re.match(r"no\b", cell)}
        named = set(re.findall(r"(\w+): `tests/", cells[-1]))
        for style in sorted(named - set(STYLES)):
            yield f"{STYLES_PAGE}:{number}: no style {style}"
        typed = set()
        for case in re.findall(rf"`{re.escape(STYLES_TEST)}:CallStylesTest\.(\w+)`", cells[-1]):
            runs = cases.get(case, set())
            typed |= runs
            for style in sorted(runs - has):
                yield f"{STYLES_PAGE}:{number}: {case} runs for {style}, whose cell says no"
        for style in sorted(has - typed - named):
            yield f"{STYLES_PAGE}:{number}: no test is named for {style}"
    if rows != 1:
        yield f"{STYLES_PAGE}:1: has not one table of {', '.join(STYLES)}"


TRAPS = "docs/protocol.md"
TRAP_ROW = r"^\| (\d+) \| ([^|]+) \| ([^|]+) \|$"


@check
def traps():
    """docs/protocol.md names, for each trap, tests that exist; each test that names a trap is in its row."""
    rows = {}
    for name, number, match in places([TRAPS], TRAP_ROW):
        trap = int(match[1])
        if trap in rows:
            yield f"{name}:{number}: trap {trap} twice"
        rows[trap] = (number, match[3])
    for trap in sorted(set(range(1, 62)) - set(rows)):
        yield f"{TRAPS}:1: no row for trap {trap}"

    tests = tests_and_their_traps()
    for trap, (number, cell) in sorted(rows.items()):
        named = re.findall(r"`([^`]+)`", cell)
        if not named and "(not yet)" not in cell:
            yield f"{TRAPS}:{number}: trap {trap} has neither a test nor the reason why"
        for test in named:
            if test not in tests:
                yield f"{TRAPS}:{number}: trap {trap}: no test {test}"
    for test, (number, numbers) in sorted(tests.items()):
        for trap in sorted(numbers):
            if f"`{test}`" not in rows.get(trap, (0, ""))[1]:
                yield f"{test.split(':')[0]}:{number}: {test.split(':')[1]} is not in the row of trap {trap}"


def write_traps():
    """Writes the tests of each trap into the table."""
    tests = tests_and_their_traps()

    def row(match):
        found = {test for test, (_, numbers) in tests.items() if int(match[1]) in numbers}
        found |= {test for test in re.findall(r"`([^`]+)`", match[3]) if test in tests}
        cell = ", ".join(f"`{test}`" for test in sorted(found)) or ("(not yet)" if "`" in match[3] else match[3])
        return f"| {match[1]} | {match[2]} | {cell} |"

    TEXT[TRAPS] = re.sub(TRAP_ROW, row, TEXT[TRAPS], flags=re.MULTILINE)
    (ROOT / TRAPS).write_text(TEXT[TRAPS])
