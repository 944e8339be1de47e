"""Looks at a test before training: what can be known to be wrong with it without running anything."""

import ast
import importlib.util
import os

import polestar_judge as judge

PYTHON = (".py",)


def problem_of(job):
    """What is wrong with the test of a job, with file and line where there is one; None where nothing is."""
    try:
        return {"check": check_problem, "asserts": asserts_problem, "pytest": pytest_problem}[job["form"]](job)
    except judge.TestFault as fault:
        return str(fault)


def check_problem(job):
    if job["prompt"].strip():
        judge.prompt_code(job["prompt"])
    tree = parsed(job["test"], "<test>")
    if not defines(tree, "check"):
        return "<test>: no function check(candidate) is defined; a test of this form must define it"
    if not job["entry_point"]:
        return "no entry_point: the name of the function that check is called with"
    return import_problem(tree, "<test>", job, ())


def asserts_problem(job):
    if job["prompt"].strip():
        judge.prompt_code(job["prompt"])
    setup = parsed(job["setup"], "<setup>")
    trees = [(parsed(text, "<test {}>".format(index + 1)), index) for index, text in enumerate(job["tests"])]
    if not any(isinstance(node, ast.Assert) for tree, _ in trees for node in ast.walk(tree)):
        return "no assert in the {} tests: at least one must have one".format(len(trees))
    problem = import_problem(setup, "<setup>", job, ())
    for tree, index in trees:
        problem = problem or import_problem(tree, "<test {}>".format(index + 1), job, ())
    return problem


def pytest_problem(job):
    if not found("pytest"):
        return "the module pytest is not found by this Python; install it, or name another python in the settings"
    sources = [(name, text) for name, text in job["files"].items() if name.endswith(PYTHON)]
    if not sources:
        return "no file of Python among the {} files".format(len(job["files"]))
    for name in job["files"]:
        if os.path.isabs(name) or ".." in name.split("/"):
            return "{}: a file must lie below the folder of the tests".format(name)
    own = {name.split("/")[0].split(".")[0] for name in job["files"]}
    own.update(name.rsplit("/", 1)[-1].split(".")[0] for name in job["files"])
    problem = None
    for name, text in sources:
        problem = problem or import_problem(parsed(text, name), name, job, own)
    return problem


def parsed(text, name):
    try:
        tree = ast.parse(text, name)
        compile(tree, name, "exec", 0, True)
        return tree
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise judge.TestFault("the test does not compile: {}".format(judge.told_syntax(error, name))) from None


def defines(tree, name):
    """Whether the top level of a module binds that name, as far as can be seen."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == name:
            return True
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id == name:
            return True
        if isinstance(node, ast.alias) and (node.asname or node.name) == name:
            return True
    return False


def import_problem(tree, name, job, own):
    """The first import at the top level of a module that finds nothing."""
    for statement in tree.body:
        if isinstance(statement, ast.Import):
            wanted = [alias.name for alias in statement.names]
        elif isinstance(statement, ast.ImportFrom) and not statement.level:
            wanted = [statement.module]
        else:
            continue
        for module in wanted:
            top = module.split(".")[0]
            if top != job["module"].split(".")[0] and top not in own and not found(top):
                return "{}, line {}: the module {} is not found by this Python".format(name, statement.lineno, top)
    return None


def found(name):
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False
