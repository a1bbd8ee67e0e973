"""The house rules that a program can check: sizes, names, reasons given, references that hold.

Rules and their reasons: CONTRIBUTING.md. Python is measured on its syntax tree, Rust by a plain
scan of its braces, which is right for code that rustfmt has formatted.
"""

import ast
import io
import re
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path

from specie.values.catalogue import ErrorCode

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("src", "tests", "scripts", "bench", "rust", "docs", "requirements", "deploy", ".ci")
SUFFIXES = {"", ".in", ".json", ".lock", ".md", ".py", ".pyi", ".rs", ".sh", ".toml", ".txt"}

FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 500
LINE_LENGTH_MAX = 100
NESTING_MAX = 3
CARD_LINES_MAX = 15

NAMES_REFUSED = {"utils", "util", "common", "core", "helpers", "helper", "managers", "manager"}
ROWS = {"T": 27, "P": 16, "R": 17, "X": 13}  # rows of the requirements, numbered from 1
CODES_NOT_BY_INPUT = {"batch_inconsistent", "randomness_unavailable"}  # no input leads there
CARGO_REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"  # a name, not an address


def find_files(*suffixes: str) -> list[Path]:
    """List our own files, sorted; with suffixes, only those."""
    nested = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    wanted = set(suffixes) or SUFFIXES
    return sorted(
        path
        for path in [*nested, *ROOT.iterdir()]
        if path.is_file() and path.suffix in wanted and "__pycache__" not in path.parts
    )


def say(path: Path, line: int, what: str) -> str:
    return f"{path.relative_to(ROOT)}:{line}: {what}"


# --- sizes -------------------------------------------------------------------------------------

Function = tuple[str, int, int, int]
"""Name, first line, number of lines, depth of nesting."""

PYTHON_BLOCKS = (
    *(ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith),
    *(ast.Try, ast.TryStar, ast.Match),
)
PYTHON_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def measure_python(text: str) -> Iterator[Function]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, PYTHON_FUNCTIONS):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            yield node.name, node.lineno, lines, compute_nesting(node)


def compute_nesting(node: ast.AST) -> int:
    """Depth of blocks below a node; `elif` is as deep as its `if`, inner functions are apart."""
    deepest = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (*PYTHON_FUNCTIONS, ast.ClassDef)):
            continue
        is_elif = (
            isinstance(node, ast.If)
            and isinstance(child, ast.If)
            and node.orelse == [child]
            and node.col_offset == child.col_offset
        )
        step = int(isinstance(child, PYTHON_BLOCKS) and not is_elif)
        deepest = max(deepest, step + compute_nesting(child))
    return deepest


RUST_NOISE = re.compile(
    r"""//[^\n]* | /\*.*?\*/ | b?r(\#*)".*?"\1 | b?"(?:\\.|[^"\\])*"
    | b?'(?:\\u\{[^}]*\}|\\x..|\\.|[^'\\])'""",
    re.DOTALL | re.VERBOSE,
)


def measure_rust(text: str) -> Iterator[Function]:
    code = RUST_NOISE.sub(lambda noise: re.sub(r"[^\n]", " ", noise[0]), text)
    opened: list[tuple[str, int]] = []  # what each open brace belongs to, and where that starts
    deepest: dict[int, int] = {}
    start = brackets = 0
    for position, sign in enumerate(code):
        brackets += (sign in "([") - (sign in ")]")
        if sign == "{":
            kind, begin = get_rust_kind(code[start:position])
            opened.append((kind, start + begin))
            functions = [i for i, (what, _) in enumerate(opened) if what not in {"block", ""}]
            if functions:
                depth = sum(what == "block" for what, _ in opened[functions[-1] :])
                where = opened[functions[-1]][1]
                deepest[where] = max(depth, deepest.get(where, 0))
        elif sign == "}":
            kind, begin = opened.pop()
            if kind not in {"block", ""}:
                lines = code.count("\n", begin, position) + 1
                yield kind, code.count("\n", 0, begin) + 1, lines, deepest[begin]
        if sign in "{}" or (sign == ";" and brackets == 0):
            start = position + 1


def get_rust_kind(header: str) -> tuple[str, int]:
    """Tell what the text before a brace opens: a function's name, "block", or nothing of ours."""
    function = re.search(r"\bfn\s+(\w+)", header)
    if function:
        return function[1], function.start()
    after_arm = header.rpartition("=>")[2]
    is_block = re.search(r"\b(if|else|for|while|loop|match)\b", after_arm)
    is_item = re.search(r"\b(impl|trait|struct|enum|union|mod)\b", after_arm)
    return ("block" if is_block and not is_item else ""), 0


def test_functions_are_short_and_flat() -> None:
    problems = []
    for path in find_files(".py", ".rs"):
        measure = measure_python if path.suffix == ".py" else measure_rust
        for name, first, lines, depth in measure(path.read_text()):
            if lines > FUNCTION_LINES_MAX:
                problems.append(say(path, first, f"{name} has {lines} lines"))
            if depth > NESTING_MAX:
                problems.append(say(path, first, f"{name} nests {depth} deep"))
    assert not problems, "\n".join(problems)


def test_files_and_lines_are_short() -> None:
    problems = []
    for path in find_files(".py", ".pyi", ".rs", ".sh"):
        lines = path.read_text().splitlines()
        if len(lines) > FILE_LINES_MAX:
            problems.append(say(path, 1, f"{len(lines)} lines"))
        long = [i for i, line in enumerate(lines, 1) if len(line) > LINE_LENGTH_MAX]
        problems += [say(path, number, "line is too long") for number in long]
    assert not problems, "\n".join(problems)


def test_the_measures_measure() -> None:
    python = (
        "def f():\n  if a:\n    pass\n  elif b:\n    for c in d:\n      with e:\n        pass\n"
    )
    assert list(measure_python(python)) == [("f", 1, 7, 3)]
    rust = "impl A for B {\n fn f(x: [u8; 2]) {\n  if x {\n   match y {\n    '{' => {}\n"
    rust += "    Z if w => { loop { // {\n } }\n }\n  }\n }\n}\n"
    assert list(measure_rust(rust)) == [("f", 2, 9, 3)]


# --- packages and names ------------------------------------------------------------------------


def test_every_package_has_its_card() -> None:
    problems = []
    for path in (ROOT / "src").rglob("__init__.py"):
        text = path.read_text()
        if ast.get_docstring(ast.parse(text)) is None:
            problems.append(say(path, 1, "no docstring: who comes in, what goes out, who imports"))
        if len(text.splitlines()) > CARD_LINES_MAX:
            problems.append(say(path, 1, f"more than {CARD_LINES_MAX} lines"))
    assert not problems, "\n".join(problems)


def test_no_name_that_says_nothing() -> None:
    paths = [path.relative_to(ROOT) for path in find_files(".py", ".rs")]
    assert [path for path in paths if NAMES_REFUSED & {path.stem, *path.parent.parts}] == []


def test_only_crypto_imports_the_kernel() -> None:
    """Import-linter sees the rest of the layers, but not modules that are not Python."""
    problems = []
    for path in (ROOT / "src/specie").rglob("*.py"):
        imports = (ast.Import, ast.ImportFrom)
        nodes = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, imports)]
        found = [node.lineno for node in nodes if re.search(r"\b_kernel\b", ast.unparse(node))]
        if path.parent.name != "crypto":
            problems += [say(path, line, "imports the kernel") for line in found]
    assert not problems, "\n".join(problems)


def test_mypy_sees_every_folder() -> None:
    files = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["files"]
    folders = {path.relative_to(ROOT).parts[0] for path in find_files(".py")}
    assert folders <= set(files)


# --- reasons given -----------------------------------------------------------------------------


def find_comments(text: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of every comment of a Python file."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def test_every_suppression_has_a_reason() -> None:
    suppression = re.compile(r"#\s*(noqa|type:\s*ignore|mypy:|ruff:|fmt:)")
    with_reason = re.compile(r"# (noqa: [A-Z0-9, ]+|type: ignore\[[a-z, -]+\])\s+# \S.{9,}")
    problems = [
        say(path, line, comment)
        for path in find_files(".py", ".pyi")
        for line, comment in find_comments(path.read_text())
        if suppression.search(comment) and not with_reason.search(comment)
    ]
    attribute = re.compile(r"#!?\[(?:allow|expect)\(([^\]]*)\)\]([^\n]*)")
    for path in find_files(".rs"):
        text = path.read_text()
        for found in attribute.finditer(text):
            if "reason =" not in found[1] and "//" not in found[2]:
                problems.append(say(path, text.count("\n", 0, found.start()) + 1, found[0]))
    assert not problems, "\n".join(problems)


# --- nothing of one machine ----------------------------------------------------------------------


def test_no_path_of_a_machine() -> None:
    machine = re.compile(r"(?<![\w.-])/(work|home|root)/")
    problems = []
    for path in find_files():
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if machine.search(line):
                problems.append(say(path, number, line.strip()))
    assert not problems, "\n".join(problems)


def test_locks_hold_no_address() -> None:
    for path in find_files(".lock"):
        assert "://" not in path.read_text().replace(CARGO_REGISTRY, ""), path


# --- references ------------------------------------------------------------------------------


def test_every_page_of_the_specification_has_its_vectors() -> None:
    problems = []
    for page in (ROOT / "docs/spec").glob("[0-9]*.md"):
        paragraphs = page.read_text().split("\n\n")
        named = [text for text in paragraphs if text.startswith("Normative. Vectors: ")]
        files = re.findall(r"`(tests/vectors/[^`]+)`", "".join(named))
        missing = [name for name in files if not (ROOT / name).is_file()]
        if missing or not files:
            problems.append(say(page, 1, f"vectors missing: {missing or 'none named'}"))
    assert not problems, "\n".join(problems)


def test_rows_named_in_tests_exist() -> None:
    """A comment such as `# T8` or `# P8, P9: why` names rows of the requirements."""
    rows = re.compile(r"#\s*((?:[TPRX]\d+(?:,\s*|\b))+)")
    known = {f"{letter}{number}" for letter, last in ROWS.items() for number in range(1, last + 1)}
    problems = []
    for path in (ROOT / "tests").rglob("*.py"):
        for line, comment in find_comments(path.read_text()):
            named = rows.match(comment)
            unknown = set(re.findall(r"[TPRX]\d+", named[1] if named else "")) - known
            problems += [say(path, line, f"no row {row}") for row in unknown]
    assert not problems, "\n".join(problems)


def test_every_error_code_is_documented() -> None:
    page = (ROOT / "docs/reference/errors.md").read_text()
    codes = {code.value for code in ErrorCode}
    missing = sorted(code for code in codes if f"`{code}`" not in page)
    assert not missing, "\n".join(missing)
    unknown = set(re.findall(r"^\| `([a-z0-9_]+)` \|", page, re.MULTILINE)) - codes
    assert not unknown, "\n".join(unknown)


def find_codes(text: str) -> Iterator[str]:
    """Yield names and values of codes that a test asks for: `ErrorCode.X`, or the code's string.

    A string counts where something is called or compared with it, or in a case of a list of
    them, and not as a docstring or inside a sentence.
    """
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value).endswith("ErrorCode"):
            yield node.attr
        if isinstance(node, ast.Call | ast.Compare | ast.Tuple):
            constants = (one for one in ast.walk(node) if isinstance(one, ast.Constant))
            yield from (one.value for one in constants if isinstance(one.value, str))


def test_every_error_code_is_tested() -> None:
    tests = [path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)]
    named = {code for path in tests for code in find_codes(path.read_text())}
    missing = {c.value for c in ErrorCode if c.name not in named and c.value not in named}
    assert missing <= CODES_NOT_BY_INPUT, "\n".join(missing - CODES_NOT_BY_INPUT)


def test_a_code_in_a_comment_is_not_tested() -> None:
    text = '"""ErrorCode.A"""\n# ErrorCode.B\nx = ["c"]\nrefused(ErrorCode.D, "e")\ny == "f"\n'
    assert set(find_codes(text)) == {"D", "e", "f"}
