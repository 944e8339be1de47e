"""Asserts that can tell with which values they failed, and that are counted.

The `assert` statements of a test are rewritten in its syntax tree. Parts of the condition are passed through a function
that notes the value and gives it back, so what is evaluated, in which order and how often stays what Python does. The
message is made of the notes after the condition was found false.
"""

import ast
import builtins

import polestar_errors as errors

# Names that no source can have.
NEW, ONE, ERROR, BASE, CAUGHT = "@polestar", "@assert", "@error", "@base", "@caught"
MAX_SOURCE = 300
MAX_SHOWN = 300
MAX_MESSAGE = 2000

SYMBOLS = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Is: "is",
    ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in",
}
LITERAL = (ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.UnaryOp, ast.unaryop, ast.expr_context)
PLACE = ("lineno", "col_offset", "end_lineno", "end_col_offset")
# Functions whose one argument says more than their result does.
MEASURES = {"abs", "len", "sum", "max", "min", "round", "type", "sorted", "set", "all", "any", "bool"}


class Asserts:
    """The asserts of one run: how many there are, how many held, and how the first failure came about."""

    def __init__(self, partial=False, announce=None):
        self.partial = partial
        # Called with the source of each assert before it is evaluated.
        self.announce = announce or (lambda source: None)
        self.plans = []
        self.evaluated = 0
        self.passed = 0
        # For each assert statement how often it was evaluated, and how often it held.
        self.counts = {}
        # Of the first one that failed: its source, what to say of it, and what the solution raised in it, if anything.
        self.first = None
        # Whether an exception out of a condition is a failure of its assert, after which a partial run goes on.
        self.swallowed = lambda error: False

    def compiled(self, text, name, prepare=lambda tree: None):
        """The code of a test's source with its asserts rewritten; it runs where the names of `globals` are known."""
        tree = ast.parse(text, name)
        prepare(tree)
        Rewriter(self, text).block(tree.body, False)
        return compile(tree, name, "exec", 0, True)

    def globals(self):
        return {NEW: self.new, BASE: BaseException, CAUGHT: errors.caught}

    def new(self, index):
        """Called by the rewritten code where an assert begins."""
        self.evaluated += 1
        self.counts.setdefault(index, [0, 0])[0] += 1
        self.announce(self.plans[index][0])
        return Assert(self, index)

    def fail(self, source, message, raised):
        if self.first is None:
            self.first = (source, message, raised)

    def share(self, plain=0, plain_passed=0):
        """The share of the assert statements that held, and of the tests without one. Each statement counts the same:
        how often one is evaluated in a loop may be the solution's choice."""
        total = len(self.plans) + plain
        held = sum(passed / evaluated for evaluated, passed in self.counts.values())
        return (held + plain_passed) / total if total else 0.0


class Assert:
    """One evaluation of one assert."""

    __slots__ = ("run", "index", "notes")

    def __init__(self, run, index):
        self.run = run
        self.index = index
        self.notes = {}

    def note(self, key, value):
        self.notes[key] = value
        return value

    def held(self):
        self.run.passed += 1
        self.run.counts[self.index][1] += 1
        self.notes = {}

    def failed(self, *message):
        """The exception that the assert raises; counts the failure."""
        source, plan = self.run.plans[self.index]
        error = AssertionError(*message)
        explained = explain(plan, self.notes)
        if message:
            explained = "{} ({})".format(explained, shown(message[0]) if type(message[0]) is not str else message[0])
        error.polestar_assert = (source, explained[:MAX_MESSAGE])
        self.notes = {}
        return error

    def goes_on(self, error):
        """Whether the test goes on after that exception, which is then counted as the failure of this assert."""
        self.notes = {}
        source, message = getattr(error, "polestar_assert", None) or (self.run.plans[self.index][0], None)
        if message is None:
            if not self.run.swallowed(error):
                return False
            message = told(error)
        self.run.fail(source, message, raised_name(error))
        return True


def raised_name(error):
    """The name of the exception type where the solution raised it."""
    raised = getattr(error, "polestar_raised", None)
    return None if raised is None else raised[0]


def told(error):
    """What is said of an exception that came out of a test."""
    raised = getattr(error, "polestar_raised", None)
    name, text = type(error).__name__, ""
    try:
        text = str(error)
    except Exception:
        pass  # Then only its name is told.
    if raised is not None:
        name, text, place = raised
        name = "the solution raised " + name
        if place is not None:
            text = "{} ({}, line {})".format(text, place[0], place[1])
    return "{}: {}".format(name, text)[:MAX_MESSAGE] if text else name


# ---------------------------------------------------------------------------------------------------- rewriting


class Rewriter:
    """Rewrites the asserts of one source. Only statements are walked, so deep expressions cost no recursion."""

    def __init__(self, run, text):
        self.run = run
        # As Python counts lines: other signs that end a line for `splitlines` do not.
        self.lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self.num_notes = 0
        self.place = {}

    def block(self, body, guarded):
        """The statements of a block; `guarded` where a failure may be caught by the test, and so must be raised."""
        position = 0
        while position < len(body):
            statement = body[position]
            if isinstance(statement, ast.Assert):
                made = self.assertion(statement, guarded)
                body[position:position + 1] = made
                position += len(made)
            else:
                self.inner(statement, guarded)
                position += 1

    def inner(self, statement, guarded):
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            guarded = False
        # What stands in `with pytest.raises(...)` or under `try` may be meant to fail.
        if isinstance(statement, (ast.With, ast.AsyncWith)) or getattr(statement, "handlers", None):
            guarded = True
        for field in ("body", "orelse", "finalbody"):
            block = getattr(statement, field, None)
            if isinstance(block, list):
                self.block(block, guarded)
        if isinstance(statement, ast.Try):
            for handler in statement.handlers:
                self.handler(handler)
        for part in list(getattr(statement, "handlers", ())) + list(getattr(statement, "cases", ())):
            self.block(part.body, guarded)

    def handler(self, handler):
        """Has an `except` clause that may name the solution's classes catch only what the solution raised by these."""
        if isinstance(handler.type, ast.Tuple):
            handler.type.elts = [self.caught(part) for part in handler.type.elts]
        elif handler.type is not None:
            handler.type = self.caught(handler.type)

    def caught(self, node):
        is_name = isinstance(node, ast.Name)
        if is_name and hasattr(builtins, node.id):
            return node
        at = {name: getattr(node, name) for name in PLACE}
        return ast.Call(ast.Name(CAUGHT, ast.Load(), **at), [node, ast.Constant(is_name, **at)], [], **at)

    def assertion(self, statement, guarded):
        self.num_notes = 0
        self.place = {field: getattr(statement, field) for field in PLACE}
        source = " ".join(self.source(statement).split())[:MAX_SOURCE]
        test, plan = self.condition(statement.test)
        index = len(self.run.plans)
        self.run.plans.append((source, plan))
        message = [statement.msg] if statement.msg is not None else []
        new = self.made(ast.Call, self.name(NEW), [self.made(ast.Constant, index)], [])
        begin = self.made(ast.Assign, [self.made(ast.Name, ONE, ast.Store())], new)
        held = self.made(ast.Expr, self.ask("held", []))
        failed = self.made(ast.Raise, self.ask("failed", message), None)
        branch = self.made(ast.If, test, [held], [failed])
        if self.run.partial and not guarded:
            unless = self.made(ast.UnaryOp, ast.Not(), self.ask("goes_on", [self.name(ERROR)]))
            again = self.made(ast.If, unless, [self.made(ast.Raise, None, None)], [])
            handler = self.made(ast.ExceptHandler, self.name(BASE), ERROR, [again])
            branch = self.made(ast.Try, [branch], [handler], [], [])
        return [begin, branch]

    def made(self, kind, *fields):
        """A new node, at the place of the assert."""
        return kind(*fields, **self.place)

    def name(self, name):
        return self.made(ast.Name, name, ast.Load())

    def source(self, node):
        """The text of a node. Columns count bytes."""
        first, last = node.lineno - 1, node.end_lineno - 1
        lines = [line.encode("utf-8", "surrogatepass") for line in self.lines[first:last + 1]] or [b""]
        lines[-1] = lines[-1][:node.end_col_offset]
        lines[0] = lines[0][node.col_offset:]
        return b"\n".join(lines).decode("utf-8", "replace")

    def ask(self, method, arguments):
        return self.made(ast.Call, self.made(ast.Attribute, self.name(ONE), method, ast.Load()), arguments, [])

    def noted(self, node):
        """The node with its value noted, and the key of the note."""
        self.num_notes += 1
        return self.ask("note", [self.made(ast.Constant, self.num_notes), node]), self.num_notes

    def condition(self, node):
        """A condition with its parts noted, and the plan by which the notes are told."""
        if isinstance(node, ast.Compare):
            sides, plans = [], []
            for part in [node.left] + node.comparators:
                side, plan = self.side(part)
                sides.append(side)
                plans.append(plan)
            compare = self.made(ast.Compare, sides[0], node.ops, sides[1:])
            return compare, ("compare", [SYMBOLS[type(op)] for op in node.ops], plans)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            inner, plan = self.condition(node.operand)
            return self.made(ast.UnaryOp, node.op, inner), ("not", plan)
        if isinstance(node, ast.BoolOp):
            parts = [self.condition(part) for part in node.values]
            whole = self.made(ast.BoolOp, node.op, [part for part, _ in parts])
            return whole, ("bool", [plan for _, plan in parts])
        if isinstance(node, ast.Call) and node.args and not any(isinstance(part, ast.Starred) for part in node.args):
            arguments, keys = [], []
            for part in node.args:
                argument, key = self.noted(part)
                arguments.append(argument)
                keys.append(key)
            name = self.source(node.func)[:60]
            value, key = self.noted(self.made(ast.Call, node.func, arguments, node.keywords))
            return value, ("call", name, keys, key)
        value, key = self.noted(node)
        return value, ("value", key)

    def side(self, node):
        """One side of a comparison; of `abs(a - b)` and the like also what it was made of."""
        made_of = None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MEASURES:
            if len(node.args) == 1 and not node.keywords and not isinstance(node.args[0], ast.Starred):
                inner, made_of = self.inside(node.args[0])
                made_of = (node.func.id + "({})",) + made_of
                node = self.made(ast.Call, node.func, [inner], [])
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
            node, made_of = self.inside(node)
            made_of = ("{}",) + made_of
        value, key = self.noted(node)
        return value, (key, made_of, node)

    def inside(self, node):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
            left, first = self.noted(node.left)
            right, second = self.noted(node.right)
            return self.made(ast.BinOp, left, node.op, right), (first, second)
        value, key = self.noted(node)
        return value, (key,)


# ---------------------------------------------------------------------------------------------------- telling


def explain(plan, notes):
    """What is said of a condition that was false."""
    try:
        return PLANS[plan[0]](plan, notes, False)
    except Exception as error:
        return "the assert failed ({} while its values were shown)".format(type(error).__name__)


def explain_value(plan, notes, wanted_false):
    return "got {}, expected {}".format(shown(notes[plan[1]]), "a false value" if wanted_false else "a true value")


def explain_call(plan, notes, wanted_false):
    _, name, keys, result = plan
    values = [notes[key] for key in keys if key in notes]
    arguments = ", ".join(shown(value) for value in values)
    expected = "a false value" if wanted_false else "a true value"
    return "{}({}) gave {}, expected {}".format(name, arguments, shown(notes[result]), expected)


def explain_not(plan, notes, wanted_false):
    inner = plan[1]
    return PLANS[inner[0]](inner, notes, not wanted_false)


def explain_bool(plan, notes, wanted_false):
    """The operand that was evaluated last decided."""
    decided = [part for part in plan[1] if keys_of(part) & notes.keys()]
    return PLANS[decided[-1][0]](decided[-1], notes, wanted_false)


def explain_compare(plan, notes, wanted_false):
    _, symbols, sides = plan
    right = max(index for index, side in enumerate(sides) if side[0] in notes)
    symbol, sides = symbols[right - 1], sides[right - 1:right + 1]
    got, expected = (notes[side[0]] for side in sides)
    if symbol in ("==", "is") and not wanted_false:
        if is_literal(sides[0][2]) and not is_literal(sides[1][2]):
            got, expected, sides = expected, got, sides[::-1]
        return "got {}{}, expected {}{}".format(
            shown(got), made_of(sides[0][1], notes), shown(expected), difference(got, expected)
        )
    if wanted_false:
        symbol = "not " + symbol
    return "got {}{}, expected it {} {}".format(shown(got), made_of(sides[0][1], notes), symbol, shown(expected))


def is_literal(node):
    return all(isinstance(part, LITERAL) for part in ast.walk(node))


def keys_of(plan):
    if plan[0] == "compare":
        return {side[0] for side in plan[2]}
    if plan[0] == "call":
        return {plan[3]}
    if plan[0] == "bool":
        return set().union(*map(keys_of, plan[1]))
    return keys_of(plan[1]) if plan[0] == "not" else {plan[1]}


PLANS = {
    "compare": explain_compare, "not": explain_not, "bool": explain_bool, "call": explain_call, "value": explain_value,
}


def made_of(part, notes):
    if part is None or any(key not in notes for key in part[1:]):
        return ""
    values = [notes[key] for key in part[1:]]
    if any(type(value).__name__ == "generator" for value in values):
        return ""
    return ", which is " + part[0].format(" - ".join(shown(value) for value in values))


def difference(got, expected):
    """Where two long values differ first, as the shown parts of both may be equal."""
    kind = type(got)
    if kind is not type(expected) or kind not in (str, bytes, list, tuple) or max(len(got), len(expected)) < 20:
        return ""
    for index, (one, other) in enumerate(zip(got, expected)):
        if one is not other and not one == other:
            one, other = (got[index:index + 1], expected[index:index + 1]) if kind in (str, bytes) else (one, other)
            return "; they differ first at index {}: {} and {}".format(index, shown(one, 60), shown(other, 60))
    return "; one has {} items, the other {}".format(len(got), len(expected))


BRACKETS = {list: "[]", tuple: "()", set: "{}", frozenset: ("frozenset({", "})")}


def shown(value, limit=MAX_SHOWN):
    """A value as Python writes it, cut at a number of characters; takes no longer for a huge value than for a small."""
    parts = []
    show(value, parts, [limit], 0)
    return "".join(parts)


def show(value, parts, left, depth):
    """Appends pieces of text until the characters left are used up."""
    kind = type(value)
    if kind is str or kind is bytes or kind is bytearray:
        put(repr(value[:max(left[0], 1)]) + ("..." if len(value) > left[0] else ""), parts, left)
    elif kind is int:
        size = value.bit_length()
        put(repr(value) if size < 1000 else "a number of {} bits".format(size), parts, left)
    elif kind in BRACKETS or kind is dict:
        if depth > 8:
            put("...", parts, left)
            return
        show_items(value, kind, parts, left, depth)
    elif issubclass(kind, dict):
        put(kind.__name__ + "(", parts, left)
        show_items(value, dict, parts, left, depth)
        parts.append(")")
    else:
        try:
            text = value.__name__ if isinstance(value, type) else repr(value)
        except Exception:
            text = "a " + kind.__name__
        put(text, parts, left)


def show_items(value, kind, parts, left, depth):
    opened, closed = BRACKETS.get(kind, "{}")
    if not value and kind in (set, frozenset):
        put(kind.__name__ + "()", parts, left)
        return
    parts.append(opened)
    for index, item in enumerate(value):
        if index:
            parts.append(", ")
            left[0] -= 2
        if left[0] <= 0:
            parts.append("...")
            break
        show(item, parts, left, depth + 1)
        if kind is dict:
            parts.append(": ")
            show(value[item], parts, left, depth + 1)
    if kind is tuple and len(value) == 1:
        parts.append(",")
    parts.append(closed)


def put(text, parts, left):
    if len(text) > left[0] + 3:
        text = text[:max(left[0], 0)] + "..."
    left[0] -= len(text)
    parts.append(text)
