"""What a script sees of the prose in comments and documents: how a comment begins, and names that do not exist."""

import pathlib
import re

import cpp_text

# A comment begins with its subject, which is a noun: a pronoun has nothing before it that it could stand for.
OPENERS = re.compile(
    r"(?:The same|Of|What|Who|Whose|Whom|Which|As|It|Its|They|Them|Their|Theirs|Those|That|None|Neither|Either|Others|One that|"
    r"Also|Likewise|Otherwise|Else|Ditto|So|Such|And|But|Or|Nor|Then)\b")
# A word that may stand before a noun ("This thread") has none before a verb, "of them" or a comma.
COUNT = r"(?: (?:one|two|three|four|five))?"
NO_NOUN = re.compile(
    rf"(?:This|These|Each|Both|All|Some|Any|One|Another){COUNT}"
    r"(?: (?:together|of (?:them|these|those|it)|is|are|was|were|has|have|had|do|does|did|"
    r"may|might|can|can't|could|must|shall|will|would|should)\b|(?=[,.:;]))|"
    rf"(?:This|Each|Any|One|Another){COUNT} (?:appends|comes|copies|destroys|gets|gives|goes|includes|keeps|leaves|makes|means|"
    r"needs|says|stays|takes|tells|wants|works)\b|"
    rf"(?:These|Both|All|Some){COUNT} (?:append|call|combine|come|copy|destroy|differ|get|give|go|keep|leave|make|mean|need|own|"
    r"say|show|stay|take|tell|turn|want|work like)\b")
# A telegram: "Null: no limit".
TELEGRAM = re.compile(r"(?:^|[.;] )(?:Null|Empty|Unset|Infinite\w*|0): [A-Za-z/]")
# A sentence behind another one that has no subject and no verb: "The name. Empty if there is none." Only words that begin no
# whole sentence are here, but that a comment says "Empty means any."
NO_SENTENCE = re.compile(
    r"[\w)`\"'][.] ((?:Empty|Null|Valid|Infinite|Called|Static|Idempotent|Not (?:called|empty|null|set|thread-safe)|"
    r"Never (?:empty|null)|Thread-(?:safe|compatible)|Any thread(?=[.])|A plain value|Plain values|Set exactly)\b)(?! means?\b)")
PERSON = re.compile(r"\b(?:[Hh]e|[Hh]is|[Hh]im(?:self)?|[Ww]hoever|who ha[sd])\b")


def comment_problems(text, public=False):
    """(line, what is wrong) of how comments begin, of what they call a person, and of telegrams in a public header."""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        comment = re.match(r"\s*//+ ?(.*)", line)
        if comment and not inside:
            begin = OPENERS.match(comment[1]) or NO_NOUN.match(comment[1])
            if begin:
                yield number, f'begins with "{begin[0]}"'
        person = comment and PERSON.search(comment[1])
        if person:
            yield number, f'"{person[0]}"'
        if comment and public:
            telegram = TELEGRAM.search(comment[1])
            if telegram:
                yield number, f'"{telegram[0].lstrip(".; ")}..." is no sentence: write "means"'
        inside = bool(comment)
    if public:
        for number, prose in comment_blocks(text):
            for match in NO_SENTENCE.finditer(prose):
                yield number, f'"{match[1]} ..." behind a sentence is none: write "It is ...", "Any thread may call it"'


def comment_blocks(text):
    """(first line, text) of each comment whose lines follow one another, as one line."""
    for block in re.finditer(r"^(?:[ \t]*//.*\n)+", text, re.MULTILINE):
        yield text.count("\n", 0, block.start()) + 1, re.sub(r"\n?[ \t]*//+", "", block[0])


# Names of other programs and libraries, and of examples, which prose may use although no code here has them.
FOREIGN = {
    "DoSome", "DogStatsD", "E007F", "ExceededConnectionAttempts", "GearmanAdminClient", "GearmanJob", "GearmanJobRequest",
    "GnuTLS", "MurmurHash3", "MyRetry", "MyRetryConfig", "OpenMetrics", "OpenTelemetry", "PromQL", "ReverseTest", "ServerUnavailable", "StartSpan", "StatsD", "ToChronoMilliseconds",
    "TurnsTextAround", "kB",
}
CAMEL_CASE = re.compile(r"\b(?:k[A-Z]\w*|[A-Z][a-z0-9]+(?:[A-Z][a-z0-9]*)+)\b(?!\.\.\.)")
# Paths of examples.
FOREIGN_PATHS = ("tests/a/", "sdk/x.h", "tests/sdk/x_test.cc")


def words_of_code(texts):
    """Every word that code has: file -> text of all files, of which documents and comments of C++ do not count."""
    words = set()
    for name, text in texts.items():
        if not name.endswith(".md"):
            words.update(re.findall(r"\w+", cpp_text.without_comments(text) if is_cpp(name) else text))
    return words


def is_cpp(name):
    return name.endswith((".h", ".cc", ".proto"))


def prose_of(name, text):
    """(line, prose) of the comments of C++, and of what documents write as code."""
    for number, line in enumerate(text.splitlines(), 1):
        if name.endswith(".md"):
            for code in re.findall(r"`([^`]+)`", line):
                yield number, code
        else:
            comment = re.match(r"\s*//+ ?(.*)", line) or re.search(r"[;{},]\s+// (.*)", line)
            if comment:
                yield number, comment[1]


def name_problems(name, text, words, files):
    """(line, what is wrong) of names in CamelCase and of paths that prose has and the tree has not."""
    for number, prose in prose_of(name, text):
        for word in CAMEL_CASE.findall(prose):
            if word not in words and word not in FOREIGN:
                yield number, f"no {word} in the code (tools/prose.py has names of others)"
    yield from path_problems(name, text, files)


def path_problems(name, text, files):
    """(line, what is wrong) of paths that prose has and the tree has not."""
    tops = {file.split("/")[0] for file in files if "/" in file}
    for number, prose in prose_of(name, text):
        for path in re.findall(r"(?<![\w/.:@-])((?:[\w.-]+/)+[\w.-]*\w)(?![\w*<{])", prose):
            if path.split("/")[0] in tops and not path.startswith(FOREIGN_PATHS) and not known_path(path, files):
                yield number, f"no {path}"


SECTIONS = re.compile(r'(docs/[\w/]+\.md), (?:sections? )?("[^"]+"(?:(?:,| and|, and) "[^"]+")*)')


def section_problems(text, texts):
    """(line, what is wrong) of sections that comments of C++ name: `docs/x.md, section "Y"` is a heading of docs/x.md."""
    for number, prose in comment_blocks(text):
        for match in SECTIONS.finditer(prose):
            for section in re.findall(r'"([^"]+)"', match[2]):
                if not re.search(rf"^#+ {re.escape(section)}$", texts.get(match[1], ""), re.MULTILINE):
                    yield number, f'no section "{section}" in {match[1]}'


def known_path(path, files):
    if path in files or path.removesuffix(".pb.h") + ".proto" in files:
        return True
    # A folder; or a path without what its name ends with, as docs/internals/layout.md has them.
    folder, _, stem = path.rpartition("/")
    parts = pathlib.PurePosixPath(path).parts
    return any(file.startswith(path + "/") for file in files) or any(
        pathlib.PurePosixPath(file).stem == stem and file.startswith(folder + "/") and len(file.split("/")) <= len(parts) + 1
        for file in files)
