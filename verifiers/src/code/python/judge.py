"""The judge's process: runs the tests against a solution that lives in another process, and reports what came of it.

The three forms of tests are a function `check(candidate)`, a list of `assert` statements, and files for pytest. The
report goes out over a descriptor that the solution's process does not have.
"""

import ast
import builtins
import collections
import importlib
import json
import os
import random

import polestar_asserts as asserts
import polestar_errors as errors
import polestar_proxy as proxy
import polestar_wire as wire

MAX_ANNOUNCED = 1000
MAX_AT = 300
MAX_TEST = 1000
MAX_MESSAGE = 2000
# What is said where even saying what happened failed.
LAST_WORDS = {"outcome": "gone", "passed": 0, "total": 0, "share": 0.0, "test": None, "raised": None, "calls": 0,
              "message": "the solution gave the tests more than they can hold"}
DEFAULTS = {
    "prompt": "", "entry_point": "", "test": "", "setup": "", "tests": [], "files": {}, "module": "solution",
    "partial": False, "in_place": False, "max_reply_bytes": wire.MAX_REPLY_BYTES,
}


def main(channel_fd, report_fd, payload):
    """Runs one verification and reports it."""
    random.seed(0)
    job = read_job(payload)
    judge = Judge(job, channel_fd, report_fd)
    last_words = json.dumps(LAST_WORDS).encode("ascii") + b"\n"
    try:
        try:
            judge.run()
        except BaseException as error:
            judge.conclude_by(error)
        judge.report_outcome()
    except BaseException:
        # Memory may be so full of the solution's values that nothing can be done any more.
        if not judge.solution.involved:
            raise
        os.write(report_fd, last_words)


def inspect(payload):
    """What is wrong with a test before anything is run."""
    # Only wanted before training, not in every process.
    import polestar_load_check

    return {"problem": polestar_load_check.problem_of(read_job(payload))}


def read_job(payload):
    job = dict(DEFAULTS)
    job.update(json.loads(payload.decode("utf-8", "surrogatepass")))
    return job


class TestFault(Exception):
    """The test is at fault by itself; the text says how."""


class Judge:
    """One verification: the solution's proxy, the test's namespace, the counts and the outcome."""

    def __init__(self, job, channel_fd, report_fd):
        self.job = job
        self.report_fd = report_fd
        self.solution = proxy.Solution(channel_fd, job["max_reply_bytes"], job["in_place"])
        self.solution.is_failed_assert = lambda error: hasattr(error, "polestar_assert")
        self.asserts = asserts.Asserts(job["partial"], self.announce)
        self.asserts.swallowed = self.is_failure
        self.announced = 0
        self.sources = self.solution.own_sources = {}
        self.outcome = self.test = self.message = self.raised = None
        self.passed = self.total = 0
        # Tests without an assert, and how many of them ended well.
        self.num_plain = self.plain_passed = 0
        # The attributes that the test asks of names of modules.
        self.asked_of_modules = collections.defaultdict(set)
        self.loading = False

    def run(self):
        {"check": self.run_check, "asserts": self.run_asserts, "pytest": self.run_pytest}[self.job["form"]]()

    # ------------------------------------------------------------------------------------------------ forms

    def run_check(self):
        """A test that defines `check(candidate)`."""
        code = self.compiled(self.job["test"], "<test>")
        self.total = len(self.asserts.plans)
        names = self.namespace()
        self.load_solution()
        self.take_prompt_classes(names)
        exec(code, names)
        if "check" not in names:
            raise TestFault("the test defines no function check")
        names["check"](self.candidate(names))
        self.conclude()

    def run_asserts(self):
        """Assert statements that run in one namespace, one after the other."""
        tests, counts = [], []
        for index, text in enumerate(self.job["tests"]):
            before = len(self.asserts.plans)
            tests.append(self.compiled(text, "<test {}>".format(index + 1)))
            counts.append(len(self.asserts.plans) - before)
        # A test without an assert counts as one that holds when it ends.
        plain = [index for index, count in enumerate(counts) if count == 0]
        self.num_plain = len(plain)
        self.total = len(self.asserts.plans) + self.num_plain
        setup = self.compiled(self.job["setup"], "<setup>", rewrite=False)
        names = self.namespace()
        self.load_solution()
        self.take_prompt_classes(names)
        if self.job["entry_point"]:
            self.candidate(names)
        exec(setup, names)
        for index, code in enumerate(tests):
            if index in plain:
                self.announce(self.job["tests"][index])
            try:
                exec(code, names)
            except BaseException as error:
                if not self.job["partial"] or not self.is_failure(error):
                    raise
                self.asserts.fail(*self.explained(error))
            else:
                self.plain_passed += index in plain
        self.conclude()

    def run_pytest(self):
        import polestar_pytest_form

        polestar_pytest_form.run(self)

    fault = TestFault

    def compiled(self, text, name, rewrite=True):
        self.sources[name] = text
        try:
            if rewrite:
                return self.asserts.compiled(text, name, self.note_modules)
            return compile(text, name, "exec", 0, True)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise TestFault("the test does not compile: {}".format(told_syntax(error, name))) from None

    def note_modules(self, tree):
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in wire.MODULES:
                self.asked_of_modules[node.value.id].add(node.attr)

    def namespace(self):
        """The names of a test: what it and the prompt define, then Python's builtins, then the solution's names."""
        names = {"__name__": "test", "__builtins__": Names(self.solution, self.asked_of_modules)}
        names.update(self.asserts.globals())
        if self.job["prompt"].strip():
            self.sources["<prompt>"] = self.job["prompt"]
            code, self.prompt_classes = prompt_code(self.job["prompt"])
            exec(code, names)
        names.pop(self.job["entry_point"], None)
        return names

    prompt_classes = ()

    def take_prompt_classes(self, names):
        """A class of the prompt is the solution's where it has it: its objects are of that class, not of ours."""
        for name in self.prompt_classes:
            try:
                value = self.solution.lookup(name)
            except KeyError:
                continue
            if isinstance(value, (proxy.Class, type)):
                names.pop(name, None)

    def candidate(self, names):
        """What the test is for, by name or, as in `Solution().run`, by an expression over the solution's names."""
        entry_point = self.job["entry_point"]
        try:
            value = self.solution.lookup(entry_point) if entry_point.isidentifier() else eval(entry_point, names)
        except KeyError:
            raise NameError(entry_point) from None
        if entry_point.isidentifier():
            names.setdefault(entry_point, value)
        return value

    def load_solution(self):
        self.loading = True
        self.solution.start()
        self.loading = False

    # ------------------------------------------------------------------------------------------------ outcome

    def is_failure(self, error):
        """Whether an exception out of a test is a failed test, after which a partial run may go on."""
        if self.solution.lost_by is not None or not self.is_involved(error):
            return False
        return isinstance(error, Exception) or errors.raised_by_solution(error) is not None

    def is_involved(self, error):
        """Whether the solution may have a part in an exception. A failed assert, or an operation that a value lacks,
        needs no more than a handle; other faults need something that the solution said."""
        solution = self.solution
        own = isinstance(error, wire.NotPlain) or not isinstance(error, (AssertionError, TypeError, AttributeError))
        return solution.involved or solution.is_met and not own

    def conclude(self):
        """The end of a check or asserts run that no exception ended."""
        run = self.asserts
        self.count()
        if self.solution.lost_by is not None:
            self.outcome, self.message = "gone", self.solution.lost_by
        elif run.first is not None:
            self.outcome = "fail" if self.solution.involved or self.solution.is_met else "test-error"
            self.test, self.message, self.raised = run.first
        else:
            # What the test did not reach it had no need of.
            self.outcome, self.passed = "pass", self.total

    def count(self):
        self.passed += self.asserts.passed + self.plain_passed
        self.total = max(self.total, self.asserts.evaluated + self.num_plain)

    def share(self):
        """The share of the tests that passed."""
        if self.outcome == "pass" or self.job["form"] == "pytest":
            return self.passed / max(self.total, 1)
        return self.asserts.share(self.num_plain, self.plain_passed)

    def conclude_by(self, error):
        """The end of a run that an exception ended."""
        run, solution = self.asserts, self.solution
        self.count()
        if isinstance(error, TestFault) and not solution.involved:
            self.outcome, self.message = "test-error", str(error)
        elif solution.lost_by is not None:
            self.outcome, self.message = "gone", solution.lost_by
        elif self.loading:
            self.outcome, self.message, self.raised = "load-error", asserts.told(error), asserts.raised_name(error)
        else:
            self.outcome = "fail" if run.first or self.is_involved(error) else "test-error"
            self.test, self.message, self.raised = run.first or self.explained(error)

    def explained(self, error):
        """The source of the test's statement that failed, what to say of it, and what the solution raised there."""
        explained = getattr(error, "polestar_assert", None)
        if explained is not None:
            return (*explained, None)
        if isinstance(error, (NameError, ImportError)) and errors.raised_by_solution(error) is None:
            text = str(error)
            for name in sorted(self.solution.missing):
                if text == name or "'{}'".format(name) in text:
                    return self.statement(error), "the solution does not define {}".format(name), None
        return self.statement(error), asserts.told(error), asserts.raised_name(error)

    def statement(self, error):
        """The line of the test that an exception came through last."""
        found, trace = None, error.__traceback__
        while trace is not None:
            name = trace.tb_frame.f_code.co_filename
            if name in self.sources:
                found = (name, trace.tb_lineno)
            trace = trace.tb_next
        if found is None:
            return None
        lines = self.sources[found[0]].splitlines()
        return lines[found[1] - 1].strip() if 0 < found[1] <= len(lines) else None

    # ------------------------------------------------------------------------------------------------ report

    def announce(self, source):
        self.announced += 1
        if self.announced <= MAX_ANNOUNCED:
            self.report({"at": source[:MAX_AT], "n": self.announced})

    def report_outcome(self):
        self.report({
            "outcome": self.outcome,
            "passed": self.passed,
            "total": self.total,
            "share": self.share(),
            "test": None if self.test is None else self.test[:MAX_TEST],
            "message": None if self.message is None else self.message[:MAX_MESSAGE],
            "raised": None if self.raised is None else self.raised[:100],
            "calls": self.solution.calls,
        })

    def report(self, entry):
        entry = {key: clean(value) for key, value in entry.items()}
        data = json.dumps(entry).encode("ascii") + b"\n"
        while data:
            data = data[os.write(self.report_fd, data):]


def clean(value):
    """A text without lone surrogates, which no strict reader takes."""
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value


class Names(dict):
    """The builtins of a test's namespace; a name that they lack is looked up in the solution."""

    def __init__(self, solution, asked_of_modules):
        super().__init__(vars(builtins))
        self.solution = solution
        self.asked_of_modules = asked_of_modules
        self.found = {}

    def __missing__(self, name):
        if name.startswith("__") and name.endswith("__"):
            raise KeyError(name)
        if name in self.found:
            return self.found[name]
        value = self.solution.lookup(name)
        if isinstance(value, proxy.Handle) and name in self.asked_of_modules:
            # A solution's class `math` has no say in what `math.isclose` means.
            module = importlib.import_module(name)
            if all(hasattr(module, asked) for asked in self.asked_of_modules[name]):
                value = module
        if isinstance(value, (proxy.Function, type)):
            self.found[name] = value
        return value


def prompt_code(prompt):
    """The code of a prompt, whose last function may lack its body, and the names of the classes that it defines."""
    tree, problem = None, None
    lines = prompt.rstrip().splitlines() or [""]
    indent = lines[-1][:len(lines[-1]) - len(lines[-1].lstrip())]
    heads = [index for index, line in enumerate(lines) if line.startswith(("def ", "async def ", "class ", "@"))]
    whole = "\n".join(lines)
    shorter = "\n".join(lines[:heads[-1] if heads else 0])
    # As it stands; with a body for its last function; without its last definition.
    for text in (whole, whole + "\n" + indent + "    pass", whole + "\n" + indent + "pass", shorter):
        try:
            tree = ast.parse(text, "<prompt>")
            break
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            problem = problem or error
    if tree is None:
        raise TestFault("the prompt does not compile: {}".format(told_syntax(problem, "<prompt>")))
    # A function that is to be written is no helper.
    tree.body = [statement for statement in tree.body if not is_stub(statement)]
    classes = tuple(statement.name for statement in tree.body if isinstance(statement, ast.ClassDef))
    return compile(tree, "<prompt>", "exec", 0, True), classes


def is_stub(statement):
    """Whether a statement defines a function without a body."""
    return isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)) and all(
        isinstance(part, ast.Pass) or isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant)
        for part in statement.body
    )


def told_syntax(error, name):
    if isinstance(error, SyntaxError):
        return "{}, line {}: {}".format(name, error.lineno, error.msg)
    return "{}: {}: {}".format(name, type(error).__name__, error)
