"""What a script sees of the prose in comments and documents: how a comment begins, and names that do not exist."""

import os
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
# A name in snake_case, or in capitals. Behind a slash it is part of a path, and before a bracket of the beginning of one.
SNAKE_CASE = re.compile(r"(?<![\w/-])[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+\b(?![\w*<{/-])")
# Names of other programs and libraries, by whose they are. `tools/check libgearman` looks up the others of libgearman.
FOREIGN_SNAKE_CASE = {
    name for names in (
        "CMAKE_PREFIX_PATH posix_spawn PROTOCOL_TLSv1",
        # python-gearman
        "add_connection ca_certs cancel_job file_descriptor get_job_status get_job_statuses get_jobs get_pid get_status "
        "get_unique_jobs get_version get_workers host_list initialize_request JOB_COMPLETE JOB_FAILED JOB_PENDING JOB_UNKNOWN max_retries "
        "on_job_exception on_job_execute ping_server poll_timeout PRIORITY_HIGH PRIORITY_LOW PRIORITY_NONE "
        "random_unique_bytes register_task send_job_complete send_job_data send_job_exception send_job_failure "
        "send_job_status send_job_warning send_maxqueue send_shutdown set_client_id submit_job submit_multiple_jobs "
        "submit_multiple_requests to_dict unregister_task wait_until_complete wait_until_jobs_accepted wait_until_jobs_completed",
        # Perl's and Ruby's clients, and words that were searched for in all of them
        "backoff_max retry_count SUBMIT_REDUCE use_ssl wait_for_result",
        # libgearman, and gearmand's examples
        "echo_client echo_worker reverse_client_bg reverse_client_cb reverse_client_epoch warning_fn "
        "YATL_CLIENT_LOGGING YATL_WORKER_LOGGING GEARMAN_CLIENT_STOP_WAIT_ON_SIGNAL GEARMAN_WORKER_STOP_WAIT_ON_SIGNAL",
    ) for name in names.split()
}
LIBGEARMAN = ("gearman_", "GEARMAN_")
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


def unknown_snake_case(prose, words):
    """Names in snake_case or capitals that the tree has not, and that none of FOREIGN_SNAKE_CASE is."""
    return [word for word in SNAKE_CASE.findall(prose) if word not in words and word not in FOREIGN_SNAKE_CASE]


def name_problems(name, text, words, files):
    """(line, what is wrong) of names and of paths that prose has and the tree has not: in comments names in CamelCase only."""
    for number, prose in prose_of(name, text):
        for word in CAMEL_CASE.findall(prose):
            if word not in words and word not in FOREIGN:
                yield number, f"no {word} in the code (tools/prose.py has names of others)"
        if name.endswith(".md"):
            for word in unknown_snake_case(prose, words):
                if not word.startswith(LIBGEARMAN):
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


def without_blocks(text):
    """The text of a document with the same lines, and nothing in its code blocks."""
    return re.sub(r"^ *```.*?^ *```[ ]*$", lambda match: re.sub(r"[^\n]", "", match[0]), text, flags=re.MULTILINE | re.DOTALL)


def anchors(text):
    """The anchors of a document's headings, as GitHub makes them."""
    found = {}
    for heading in re.findall(r"^#+ +(.*?) *$", without_blocks(text), re.MULTILINE):
        heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        count = found.get(anchor, 0)
        found[anchor] = count + 1
        yield f"{anchor}-{count}" if count else anchor


def anchor_problems(name, texts):
    """(line, what is wrong) of links from a document to sections that are not there, in it or in another one."""
    for number, line in enumerate(without_blocks(texts[name]).splitlines(), 1):
        for path, anchor in re.findall(r"\]\(([^)\s#:]*)#([^)\s]+)\)", line):
            target = os.path.normpath(os.path.join(os.path.dirname(name), path)) if path else name
            if target.endswith(".md") and target in texts and anchor not in anchors(texts[target]):
                yield number, f"no section #{anchor} in {target}"


# A home page (a site without a path) says nothing that could change.
OUTSIDE = re.compile(r"(?:\]\(|^\[[^\]]+\]: |<)(https?://[^/)>\s]+/[^)>\s]+)")
DATE_OF_LINKS = re.compile(r"\bread\b.*? on 20\d\d-\d\d-\d\d|\b[Ll]inks to other sites are of 20\d\d-\d\d-\d\d")


def outside_problems(text):
    """(line, what is wrong) of the first link to another site, if the document does not say when these were read."""
    text = without_blocks(text)
    for number, line in enumerate(text.splitlines(), 1):
        if OUTSIDE.search(line):
            if not DATE_OF_LINKS.search(text):
                yield number, 'links to another site, and the page does not say "read on" or "Links to other sites are of" a date'
            return


def known_path(path, files):
    if path in files or path.removesuffix(".pb.h") + ".proto" in files:
        return True
    # A folder; or a path without what its name ends with, as docs/internals/layout.md has them.
    folder, _, stem = path.rpartition("/")
    parts = pathlib.PurePosixPath(path).parts
    return any(file.startswith(path + "/") for file in files) or any(
        pathlib.PurePosixPath(file).stem == stem and file.startswith(folder + "/") and len(file.split("/")) <= len(parts) + 1
        for file in files)
