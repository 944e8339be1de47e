"""Tests that are files for pytest: the solution is a module whose attributes are asked of the solution's process.

Pytest runs in the judge's process with nothing of the outside: no cache, no plugins, no configuration but that of the
files. The files are imported through a loader of our own, so that their asserts tell values as in the other forms.
"""

import ast
import builtins
import importlib.machinery
import importlib.util
import io
import os
import sys
import types

import polestar_asserts as asserts
import polestar_proxy as proxy

STAR = "@star"
CONFIGURATIONS = ("pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")
SWITCHED_OFF = ("cacheprovider", "faulthandler", "doctest", "junitxml", "pastebin", "stepwise")


def run(judge):
    """Runs the files of a job and leaves the outcome in the judge."""
    try:
        import pytest
    except ImportError as error:
        raise judge.fault("pytest cannot be imported: {}".format(error)) from None
    files = judge.job["files"]
    for name, text in files.items():
        if name.endswith(".py"):
            judge.compiled(text, name, rewrite=False)
    root = os.getcwd()
    for name, text in files.items():
        write_file(root, name, text)
    configuration = next((name for name in CONFIGURATIONS if name in files), None)
    if configuration is None:
        configuration = CONFIGURATIONS[0]
        write_file(root, configuration, "[pytest]\n")
    judge.load_solution()
    install(judge, root)
    # Nothing of these may come from the environment.
    for name in [name for name in os.environ if name.startswith("PYTEST")]:
        del os.environ[name]
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    arguments = ["-q", "--assert=plain", "--capture=sys", "--tb=short", "--rootdir=" + root, "-c", configuration]
    for name in SWITCHED_OFF:
        arguments += ["-p", "no:" + name]
    arguments += ["--continue-on-collection-errors"] if judge.job["partial"] else ["-x"]
    outcomes = Outcomes(judge)
    streams, sys.stdout, sys.stderr = (sys.stdout, sys.stderr), Silence(), Silence()
    try:
        status = pytest.main(arguments + test_files(files), [outcomes])
    finally:
        sys.stdout, sys.stderr = streams
    outcomes.conclude(int(status))


def write_file(root, name, text):
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8", errors="surrogatepass", newline="") as stream:
        stream.write(text)


def test_files(files):
    """The files with tests by pytest's rule for names; where none is called so, all that are no helpers by name."""
    sources = sorted(name for name in files if name.endswith(".py"))
    bases = {name: name.rsplit("/", 1)[-1][:-3] for name in sources}
    chosen = [name for name in sources if bases[name].startswith("test_") or bases[name].endswith("_test")]
    return chosen or [name for name in sources if bases[name] not in ("conftest", "__init__")]


class Silence(io.TextIOBase):
    """Where pytest writes its own output to."""

    encoding = "utf-8"

    def write(self, text):
        return len(text)


# ---------------------------------------------------------------------------------------------------- imports


def install(judge, root):
    """Makes the solution and the files importable."""
    run = asserts.Asserts()
    name = judge.job["module"]
    module = SolutionModule(name)
    module.__dict__.update({"@solution": judge.solution, "@before": {}})
    sys.modules[name] = module
    parts = name.split(".")
    for count in range(len(parts) - 1, 0, -1):
        parent = types.ModuleType(".".join(parts[:count]))
        parent.__path__ = [os.path.join(root, *parts[:count])]
        parent.__dict__[parts[count]] = module
        module = sys.modules.setdefault(parent.__name__, parent)
    sys.dont_write_bytecode = True
    sys.path.insert(0, root)
    sys.meta_path.insert(0, Finder(judge, run, root))


ABSENT = object()


class SolutionModule(types.ModuleType):
    """The solution's module: every name is asked of the solution's process."""

    def __getattr__(self, name):
        if name.startswith(("__", *proxy.OF_RUNNERS)):
            raise AttributeError(name)
        try:
            return self.__dict__["@solution"].lookup(name)
        except KeyError:
            raise AttributeError("the solution does not define {}".format(name)) from None

    def __setattr__(self, name, value):
        if name.startswith("__"):
            self.__dict__[name] = value
        else:
            if name not in self.__dict__["@before"]:
                self.__dict__["@before"][name] = getattr(self, name, ABSENT)
            self.__dict__["@solution"].request(b"S", (None, name, value))

    def __delattr__(self, name):
        """Puts back what the solution had under a name that the test has set, as pytest's monkeypatch wants."""
        if name not in self.__dict__["@before"]:
            raise AttributeError("the test cannot delete {} of the solution".format(name))
        value = self.__dict__["@before"].pop(name)
        kind, request = (b"D", (None, name)) if value is ABSENT else (b"S", (None, name, value))
        self.__dict__["@solution"].request(kind, request)


class Finder:
    """Finds modules as Python does, and gives those below the tests' folder the loader of this file."""

    def __init__(self, judge, run, root):
        self.judge = judge
        self.run = run
        self.root = root + os.sep

    def find_spec(self, name, path=None, target=None):
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or type(spec.loader) is not importlib.machinery.SourceFileLoader:
            return None
        if not (spec.origin or "").startswith(self.root):
            return None
        spec.loader = Loader(spec.loader.name, spec.loader.path, self.judge, self.run)
        spec.cached = None
        return spec


class Loader(importlib.machinery.SourceFileLoader):
    """Compiles a file with its asserts rewritten."""

    def __init__(self, name, path, judge, run):
        super().__init__(name, path)
        self.judge = judge
        self.run = run
        self.used = set()

    def get_code(self, fullname):
        # No compiled file is read or written.
        text = importlib.util.decode_source(self.get_data(self.path))
        self.judge.sources[self.path] = text
        return self.run.compiled(text, self.path, self.prepare)

    def prepare(self, tree):
        """Has `from solution import *` take only names that the file uses and does not know yet, and no builtins."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                self.used.add(node.id)
            for field in ("body", "orelse", "finalbody"):
                block = getattr(node, field, None)
                for index, statement in enumerate(block if isinstance(block, list) else ()):
                    if self.takes_all(statement):
                        taking = ast.Expr(ast.Call(ast.Name(STAR, ast.Load()), [], []))
                        for part in ast.walk(taking):
                            ast.copy_location(part, statement)
                        block[index] = taking

    def takes_all(self, statement):
        return (
            isinstance(statement, ast.ImportFrom) and statement.module == self.judge.job["module"]
            and not statement.level and statement.names[0].name == "*"
        )

    def exec_module(self, module):
        names = module.__dict__
        names.update(self.run.globals())
        names[STAR] = lambda: self.take_all(names)
        super().exec_module(module)

    def take_all(self, names):
        solution = self.judge.solution
        public = set(solution.public_names())
        for name in sorted(self.used & public):
            if name not in names and not hasattr(builtins, name) and not name.startswith(("__", "pytest")):
                try:
                    names[name] = solution.lookup(name)
                except KeyError:
                    continue


# ---------------------------------------------------------------------------------------------------- outcomes


class Outcomes:
    """A plugin of pytest that takes down what became of each test."""

    def __init__(self, judge):
        self.judge = judge
        self.num_items = 0
        self.states = {}
        self.errors = {}
        self.first = None
        # Whether the solution may have a part in the first failure.
        self.is_involved = False

    def conclude(self, status):
        judge, states = self.judge, list(self.states.values())
        involved = judge.solution.involved or self.is_involved
        judge.passed = states.count("passed")
        judge.total = self.num_items - states.count("skipped") + self.num_uncollected()
        if judge.solution.lost_by is not None:
            judge.outcome, judge.message = "gone", judge.solution.lost_by
        elif self.first is not None:
            judge.outcome = "fail" if involved else "test-error"
            judge.test, judge.message, judge.raised = self.first
        elif judge.passed and status == 0:
            judge.outcome = "pass"
        else:
            judge.outcome = "fail" if involved else "test-error"
            what = "{} of {} tests were skipped or expected to fail".format(states.count("skipped"), self.num_items)
            judge.message = "no test passed: " + (what if self.num_items else "none was found")
            if judge.passed:
                judge.message = "pytest ended with status {}".format(status)

    def num_uncollected(self):
        """The tests that are written in files that could not be collected."""
        count = 0
        for name in (name for name, state in self.states.items() if state == "uncollected"):
            text = self.judge.job["files"].get(name.split("::")[0], "")
            try:
                nodes = ast.walk(ast.parse(text))
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                nodes = ()
            functions = (ast.FunctionDef, ast.AsyncFunctionDef)
            count += max(1, sum(isinstance(node, functions) and node.name.startswith("test") for node in nodes))
        return count

    def failed(self, name, error):
        """Takes down the first failure."""
        if self.first is not None or self.judge.solution.lost_by is not None:
            return
        # Pytest wraps what an import in a test file raised.
        while type(error).__name__ == "CollectError" and error.__cause__ is not None:
            error = error.__cause__
        source, message, raised = self.judge.explained(error)
        if source:
            message = "{}: {}".format(source, message)
        self.first = (name, message, raised)
        self.is_involved = self.judge.is_involved(error)

    def pytest_collection_finish(self, session):
        self.num_items = len(session.items)

    def pytest_exception_interact(self, call, report):
        self.failed(report.nodeid, call.excinfo.value)

    def pytest_runtest_makereport(self, item, call):
        self.errors[item.nodeid] = call.excinfo and call.excinfo.value

    def pytest_keyboard_interrupt(self, excinfo):
        self.failed(None, excinfo.value)

    def pytest_internalerror(self, excinfo):
        self.failed(None, excinfo.value)

    def pytest_collectreport(self, report):
        if report.failed:
            self.states[report.nodeid] = "uncollected"

    def pytest_runtest_logstart(self, nodeid):
        self.judge.announce(nodeid)

    def pytest_runtest_logreport(self, report):
        name = report.nodeid
        if report.failed:
            self.states[name] = "failed"
            error = self.errors.pop(name, None)
            if error is not None:
                self.failed(name, error)
            elif self.first is None:
                # A test that should fail did not.
                self.first = (name, str(report.longrepr)[:1000], None)
        elif self.states.get(name) != "failed":
            if report.skipped or hasattr(report, "wasxfail"):
                self.states[name] = "skipped"
            elif report.when == "call":
                self.states.setdefault(name, "passed")
