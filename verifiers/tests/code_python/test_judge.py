"""Verifications of functions: a judge and a solution in two processes joined by a channel."""

import unittest

import support
import polestar_judge
import polestar_load_check


def asserts(tests, solution, **more):
    return support.outcome(dict(form="asserts", tests=tests if isinstance(tests, list) else [tests], **more), solution)


def check(test, solution, **more):
    return support.outcome(dict(dict(form="check", entry_point="f", test=test), **more), solution)


class Base(unittest.TestCase):
    def passes(self, tests, solution, **more):
        report = asserts(tests, solution, **more)
        self.assertEqual((report["outcome"], report["message"]), ("pass", None))
        self.assertEqual(report["passed"], report["total"])
        return report

    def fails(self, tests, solution, message=None, outcome="fail", **more):
        report = asserts(tests, solution, **more)
        self.assertEqual(report["outcome"], outcome, report)
        if message is not None:
            self.assertIn(message, report["message"])
        return report


class Forms(Base):
    def test_asserts(self):
        report = self.passes(["assert f(2) == 3", "assert f(3) == 4"], "def f(x): return x + 1")
        self.assertEqual((report["passed"], report["total"], report["calls"], report["test"]), (2, 2, 3, None))
        report = self.fails(["assert f(2) == 3", "assert f(3) == 5", "assert f(1) == 1"], "def f(x): return x + 1")
        self.assertEqual((report["passed"], report["total"], report["test"]), (1, 3, "assert f(3) == 5"))
        self.assertEqual(report["message"], "got 4, expected 5")

    def test_partial(self):
        report = self.fails(
            ["assert f(2) == 3", "assert f(3) == 5", "assert f('a') == 1", "assert f(4) == 5"], "def f(x): return x + 1",
            partial=True,
        )
        self.assertEqual((report["passed"], report["total"], report["message"]), (2, 4, "got 4, expected 5"))
        self.assertEqual(report["raised"], None)
        report = self.fails(["assert f(0) == 3", "assert f(1) == 1"], "def f(x): return 1 // x", partial=True)
        self.assertEqual((report["passed"], report["total"], report["raised"]), (1, 2, "ZeroDivisionError"))

    def test_the_tests_that_run_are_announced(self):
        entries = support.judged({"form": "asserts", "tests": ["assert f(2) == 3", "f(1)"]}, "def f(x): return x + 1")
        self.assertEqual(entries[:-1], [{"at": "assert f(2) == 3", "n": 1}, {"at": "f(1)", "n": 2}])
        self.assertEqual((entries[-1]["passed"], entries[-1]["total"]), (2, 2))
        many = "for i in range(3000):\n    assert f(i) == i + 1"
        entries = support.judged({"form": "asserts", "tests": [many]}, "def f(x): return x + 1")
        self.assertEqual(len(entries), 1001)
        self.assertEqual((entries[-1]["passed"], entries[-1]["total"]), (3000, 3000))

    def test_check(self):
        test = "import math\nLIMIT = 3\ndef check(candidate):\n    assert candidate(2) == LIMIT\n    assert math.sqrt(4) == f(1)"
        self.assertEqual(check(test, "def f(x): return x + 1")["outcome"], "pass")
        report = check(test, "def f(x): return x")
        self.assertEqual((report["passed"], report["total"], report["message"]), (0, 2, "got 2, expected 3"))
        report = check(test.replace("LIMIT\n", "LIMIT + 1\n"), "def f(x): return x + 1", partial=True)
        self.assertEqual((report["outcome"], report["passed"], report["total"]), ("fail", 1, 2))
        report = check(test, "def g(x): return x")
        self.assertEqual((report["outcome"], report["message"]), ("fail", "the solution does not define f"))

    def test_an_assert_that_is_not_reached_is_no_failure_of_a_run_that_passes(self):
        test = "def check(c):\n    try:\n        c(1)\n        assert False\n    except ValueError:\n        pass"
        report = check(test, "def f(x): raise ValueError")
        self.assertEqual((report["outcome"], report["passed"], report["total"]), ("pass", 1, 1))
        self.assertEqual(check(test, "def f(x): return 1")["outcome"], "fail")

    def test_a_method_as_entry_point(self):
        report = check("def check(c):\n    assert c(2) == 3", "class S:\n    def go(self, x): return x + 1", entry_point="S().go")
        self.assertEqual(report["outcome"], "pass")

    def test_the_prompt(self):
        prompt = "import math\n\ndef helper(x):\n    return x + 1\n\ndef f(x):\n    '''Adds one.'''\n"
        test = "def check(c):\n    assert c(2) == helper(2) == 3\n    assert math.pi > 3"
        # The judge's own helper, whatever the solution makes of it.
        solution = "def helper(x): return x\ndef f(x): return x"
        report = check(test, solution, prompt=prompt)
        self.assertEqual((report["outcome"], report["message"]), ("fail", "got 2, expected 3"))
        for end in ("", "def f(x):\n", "def f(x):\n    # nothing yet\n", "def f(x):\n    '''doc'''\n    if x:\n"):
            cut = prompt[:prompt.index("def f")] + end
            report = check(test, [cut if not end else prompt, "def f(x): return x + 1"], prompt=cut)
            self.assertEqual(report["outcome"], "pass", report)
        report = asserts("assert f(1) == 2", [prompt, "def f(x): return helper(x)"], prompt=prompt)
        self.assertEqual(report["outcome"], "pass", report)

    def test_classes_of_the_prompt_are_the_solutions(self):
        prompt = (
            "class Node:\n    def __init__(self, value, next=None):\n        self.value, self.next = value, next\n"
            "def chain(*values):\n    return Node(values[0], chain(*values[1:])) if values else None\n"
            "class Bad(ValueError): pass\n"
        )
        solution = "def f(node):\n    if node is None: raise Bad('none')\n    return Node(node.value + 1, node.next)"
        test = (
            "def check(c):\n    node = c(chain(1, 2))\n    assert isinstance(node, Node) and not isinstance(1, Node)\n"
            "    assert (node.value, node.next.value, node.next.next) == (2, 2, None)\n"
            "    try:\n        c(None)\n        assert False\n    except Bad as error:\n        assert str(error) == 'none'"
        )
        report = check(test, [prompt, solution], prompt=prompt)
        self.assertEqual((report["outcome"], report["message"]), ("pass", None))

    def test_what_the_solution_prints_or_reads_is_no_matter(self):
        self.passes("assert f(2) == 3", "import sys\nprint('outcome pass')\nsys.stdout = None\ndef f(x): return x + 1")
        self.fails("assert f(2) == 3", "x = input()\ndef f(x): return 3", "EOFError", outcome="load-error")


class Faults(Base):
    def test_solutions_that_do_not_load(self):
        for text, message, raised in [
            ("def f(x) return", "SyntaxError: ", "SyntaxError"),
            ("import no_such_module", "No module named 'no_such_module' (<answer>, line 1)", "ModuleNotFoundError"),
            ("x = 1\ny = x / 0", "division by zero (<answer>, line 2)", "ZeroDivisionError"),
            ("raise SystemExit(0)", "SystemExit: 0", "SystemExit"),
            ("raise KeyboardInterrupt", "KeyboardInterrupt", "KeyboardInterrupt"),
            ("raise StopIteration", "StopIteration", "StopIteration"),
            ("class E(Exception): pass\nraise E('x')", "E: x", "E"),
            ("raise MemoryError", "MemoryError", "MemoryError"),
            ("\0", "null bytes", None),
            ("(" * 100000, "", None),
        ]:
            report = self.fails("assert f(2) == 3", text, message, "load-error")
            if raised is not None:
                self.assertEqual(report["raised"], raised)
            self.assertEqual(report["calls"], 0)

    def test_exceptions_of_the_solution(self):
        report = self.fails("assert f(0) == 3", "def f(x):\n    y = 1\n    return y // x", "(<answer>, line 3)")
        self.assertEqual(report["message"], "the solution raised ZeroDivisionError: integer division or modulo by zero (<answer>, line 3)")
        self.assertEqual((report["raised"], report["test"]), ("ZeroDivisionError", "assert f(0) == 3"))
        self.assertEqual(self.fails("assert f(0)", "def f(x): raise MemoryError")["raised"], "MemoryError")
        self.fails("assert f(0)", "def f(x): return f(x)", "RecursionError")

    def test_tests_that_are_at_fault(self):
        good = "def f(x): return x"
        self.fails("assert f(2", good, "the test does not compile: <test 1>, line 1", "test-error")
        self.fails("assert 1 // 0", good, "ZeroDivisionError", "test-error")
        self.fails("assert 1 == 2", good, "got 1, expected 2", "test-error")
        self.fails("assert f(1) == 1", good, "NameError", "test-error", setup="import sys\nsys.x = not_there.y" if 0 else "del nothing")
        report = check("x = 1", good)
        self.assertEqual((report["outcome"], report["message"]), ("test-error", "the test defines no function check"))
        report = check("def check(c):\n    pass", good, prompt="1 +\n\n")
        self.assertEqual(report["outcome"], "pass")
        self.assertEqual(check("def check(c):\n    [][1]", good)["outcome"], "test-error")
        # From the moment that the solution's data came in, it may be the cause.
        self.assertEqual(check("def check(c):\n    c(1)\n    [][1]", good)["outcome"], "fail")
        self.fails("assert g(2) == 2", good, "the solution does not define g")

    def test_a_failed_assert_of_the_solution_is_its_exception(self):
        report = self.fails("assert f(0) == 1", "def f(x): assert x, 'no'", "the solution raised AssertionError: no")
        self.assertEqual(report["raised"], "AssertionError")


class Names(Base):
    def test_builtins_are_never_the_solutions(self):
        names = ["abs", "len", "sorted", "isinstance", "all", "any", "AssertionError", "print", "type", "sum", "__build_class__"]
        hostile = "".join("{0} = lambda *a, **k: True\n".format(name) for name in names) + "def f(x): return x"
        tests = ["assert abs(f(-2)) == 2", "assert len(f([1])) == 1", "assert isinstance(f(2), int)", "assert sorted(f([2, 1])) == [1, 2]"]
        self.passes(tests, hostile)
        self.fails("assert not all([f(1)])", hostile, "all([1]) gave True")

    def test_what_the_test_and_setup_define_wins(self):
        self.fails("assert f(g(1)) == 2", "def g(x): return 2\ndef f(x): return x", "got 1, expected 2", setup="def g(x): return x")

    def test_values_modules_and_types_of_the_solution(self):
        solution = "import math, sys\nLIMIT = [1]\nclass P: pass\nInt = int\ndef kind(x): return type(x)\ndef f(): LIMIT.append(2)"
        self.passes(
            ["assert LIMIT == [1]", "f()", "assert LIMIT == [1, 2]", "assert math.floor(2.5) == 2", "assert kind(1) is int",
             "assert sys.getsizeof(()) > 0", "assert Int('3') == 3", "assert kind(P()) is P"],
            solution,
        )


class Objects(Base):
    SOLUTION = """
class Point:
    def __init__(self, x, y=0): self.x, self._y = x, y
    @property
    def y(self): return self._y
    def moved(self, by): return Point(self.x + by, self._y)
    def __eq__(self, other): return True
    def __hash__(self): return 1
    def __len__(self): return 3
    def __bool__(self): return True
    def __iter__(self): return iter([1])
    def __getitem__(self, key): return 1
    def __contains__(self, key): return True
    def __lt__(self, other): return True
    def __add__(self, other): return 5
    def __float__(self): return 5.0
    def __instancecheck__(self, other): return True
class Sub(Point): pass
import enum
class Color(enum.Enum):
    RED = 1
    BLUE = 2
def same(p): return p
def color(): return Color.RED
def total(points): return sum(p.x for p in points)
def table(): return {'a': [Point(1), Point(2)]}
def kind(): return Point
"""

    def test_attributes_methods_and_passing_in(self):
        self.passes(
            ["assert p.x == 1 and p.y == 2", "assert p.moved(3).x == 4", "assert same(p) is p", "assert total([p, Point(5)]) == 6",
             "assert table()['a'][1].x == 2", "p.x = 9\nassert p.x == 9", "assert p.z == [1]", "assert hasattr(p, 'x')",
             "assert not hasattr(p, 'w')", "assert getattr(p, 'w', 5) == 5", "m = p.moved\nassert m(1).x == 10", "p.t = 1\ndel p.t\nassert not hasattr(p, 't')",
             "assert isinstance(p, Point) and isinstance(Sub(1), Point) and not isinstance(p, Sub)", "assert kind() is Point",
             "assert color() == Color.RED and color() is not Color.BLUE and color().value == 1", "assert Point.__name__ == 'Point'",
             "assert p.__dict__ == {'x': 9, '_y': 2, 'z': [1]}"],
            self.SOLUTION, setup="p = Point(1, 2)\np.z = [1]",
        )

    def test_no_code_of_the_solution_runs_on_objects_here(self):
        self.passes(["assert p != Point(1)", "assert not p == 1", "assert p not in [1, Point(1)]", "assert len({p, same(p), Point(1)}) == 2"],
                    self.SOLUTION, setup="p = Point(1)")
        for test in ("assert p", "assert not p", "assert len(p)", "assert 1 in p", "assert p < p", "list(p)", "p[0]", "p + 1", "1 + p",
                     "float(p)", "import copy; copy.deepcopy(p)", "iter(p)", "with p: pass", "p()", "p.__secret__"):
            report = self.fails(test if "assert" in test else test + "\nassert 1", self.SOLUTION, setup="p = Point(1)")
            self.assertRegex(report["message"], "TypeError|AttributeError", test)

    def test_a_handle_is_shown_by_its_type(self):
        self.fails("assert same(Point(1)) == 3", self.SOLUTION, "got <Point of the solution>, expected 3")


class Arguments(Base):
    def test_changes_in_place_come_back(self):
        solution = """
def f(a):
    a.sort(); a.append([0]); return a
def g(d, s, b):
    d['x'] = 1; del d['y']; s.add(2); b.extend(b'!')
def rows(m):
    m[0], m[1] = m[1], m[0]; m[0][0] = 'new'
def fill(a):
    a[0].append(1)
def broken(a):
    a.append(1); raise ValueError
def nested(t):
    t[0]['k'].append(1)
"""
        self.passes(
            ["l = [3, 1]\nassert f(l) is l and l == [1, 3, [0]]",
             "d, s, b = {'y': 0, 'z': 5}, {1}, bytearray(b'a')\nassert g(d, s, b) is None\nassert (d, s, b) == ({'z': 5, 'x': 1}, {1, 2}, b'a!')",
             "m = [[1], [2]]\nfirst = m[0]\nrows(m)\nassert m == [['new'], [1]] and m[1] is first",
             "one = []\ntwo = [one, one]\nfill(two)\nassert one == [1] and two[1] is one",
             "l = []\ntry:\n    broken(l)\nexcept ValueError:\n    assert l == [1]",
             "t = ({'k': []},)\nnested(t)\nassert t == ({'k': [1]},)",
             "from collections import defaultdict, OrderedDict\nd = OrderedDict(y=2, a=1)\ng(d, set(), bytearray())\nassert type(d) is OrderedDict and list(d) == ['a', 'x']"],
            solution,
            in_place=True,
        )

    def test_values_are_as_they_were_sent(self):
        solution = "def f(x): return repr(x), type(x).__name__\ndef g(*a, **k): return a, k\ndef same(x): return x"
        self.passes(
            ["assert f(-0.0) == ('-0.0', 'float')", "assert f({1: (2, [3])}) == ('{1: (2, [3])}', 'dict')",
             "assert f(range(3)) == ('range(0, 3)', 'range')", "assert f(int) == (\"<class 'int'>\", 'type')",
             "assert f(10 ** 50)[0] == str(10 ** 50)", "assert g(1, b=2) == ((1,), {'b': 2})", "assert f(...)[1] == 'ellipsis'",
             "assert same(float('nan')) != same(float('nan'))", "assert same({3: 'a', 1: 'b'}) == {1: 'b', 3: 'a'}",
             "assert list(same({3: 'a', 1: 'b'})) == [3, 1]", "assert f(iter([1, 2]))[1] == 'tuple_iterator'",
             "assert f(x for x in 'ab')[1] == 'tuple_iterator'", "assert f({1: 2}.keys()) == ('[1]', 'list')",
             "assert same('\\ud800') == '\\ud800'", "assert same(2j) == 2j and same(b'a') == b'a'", "assert same(same) is same"],
            solution,
        )
        self.fails("class A: pass\nassert same(A())", solution, "a A of the test cannot be passed", "test-error")
        self.fails("l = []\nl.append(l)\nassert same(l)", solution, "holds itself", "test-error")

    def test_results_of_other_types_become_plain(self):
        solution = """
import collections, enum
class E(enum.IntEnum): A = 5
class S(str): pass
class L(list): pass
P = collections.namedtuple('P', 'x y')
def counter(): return collections.Counter('aab')
def default(): d = collections.defaultdict(list); d[1].append(2); return d
def ordered(): d = collections.OrderedDict(a=1, b=2); d.move_to_end('a'); return d
def named(): return P(1, 2)
def number(): return E.A
def text(): return S('x')
def items(): return [L([1]), {S('k'): E.A}, frozenset([1])]
def gen(): yield 1
def lazy(): return map(str, [1])
def keys(): return {1: 2}.keys()
async def later(): return 1
def inside(): return [(x for x in 'a')]
def unknown(): return NotImplemented
def own(): l = []; l.append(l); return l
def deep():
    l = []
    for _ in range(100000): l = [l]
    return l
def big(): return 'x' * 10 ** 8
def many(): return [None] * 10 ** 7
"""
        self.passes(
            ["assert counter() == {'a': 2, 'b': 1} and type(counter()) is dict", "assert default() == {1: [2]}",
             "assert list(ordered()) == ['b', 'a']", "assert named() == (1, 2) and type(named()) is tuple",
             "assert number() == 5 and type(number()) is int", "assert type(text()) is str",
             "assert items() == [[1], {'k': 5}, {1}] and type(items()[0]) is list"],
            solution,
        )
        for call, what in [("gen", "gen returned a generator; plain data are wanted"), ("lazy", "map"), ("keys", "dict_keys"),
                           ("later", "coroutine"), ("inside", "generator"), ("own", "holds itself"), ("deep", "holds itself"),
                           ("big", "too big"), ("many", "too big")]:
            self.fails("assert {}() == 1".format(call), solution, what)
        self.fails("assert unknown() == 1", solution, "got <NotImplementedType of the solution>")


class Callbacks(Base):
    SOLUTION = """
import functools
def apply(g, *a): return g(*a)
def each(g, xs): return [g(x) for x in xs]
def fold(g, xs): return functools.reduce(g, xs)
def by(xs, key): return sorted(xs, key=key)
def swallow(g, x):
    try: return g(x)
    except BaseException as e: return type(e).__name__
def later(g):
    global kept
    kept = g
    return g
def again(x): return kept(x)
def threads(g):
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(4) as pool: return sum(pool.map(g, range(20)))
def compose(g, h): return lambda x: g(h(x))
"""

    def test_functions_of_the_test_are_called(self):
        self.passes(
            ["assert each(lambda x: x * 2, [1, 2]) == [2, 4]", "assert fold(lambda a, b: a + b, [1, 2, 3]) == 6",
             "seen = []\neach(seen.append, [1, 2])\nassert seen == [1, 2]", "assert by([3, 1], key=lambda x: -x) == [3, 1]",
             "assert threads(lambda x: x + 1) == 210", "assert again(3) == 4",
             "def g(n):\n    return n if n == 0 else apply(g, n - 1)\nassert apply(g, 5) == 0",
             "assert compose(lambda x: x + 1, abs)(-3) == 4", "f = lambda x: x\nassert later(f) is f"],
            self.SOLUTION, setup="later(lambda x: x + 1)",
        )

    def test_functions_of_python_run_with_the_solution(self):
        report = self.passes(
            ["assert each(len, ['a', 'bc']) == [1, 2]", "assert each(str.upper, ['a']) == ['A']",
             "import math, operator\nassert each(math.sqrt, [4.0]) == [2.0] and fold(operator.add, [1, 2]) == 3",
             "import collections\nassert apply(collections.Counter, 'aa') == {'a': 2}", "assert apply(int, '3') == 3"],
            self.SOLUTION,
        )
        self.assertEqual(report["calls"], 6 + 3)
        self.passes("import os\nassert apply(os.getpid) != os.getpid()", self.SOLUTION)
        # A function that would obey the solution here is none of the test's.
        self.fails("import functools\nassert apply(functools.partial(eval), '1') == 1", self.SOLUTION, "cannot be passed", "test-error")

    def test_exceptions_of_callbacks(self):
        setup = "class Own(Exception): pass\nown = Own('mine', 3)\ndef bad(x):\n    raise own\ndef key(x):\n    return {}[x]"
        self.passes(
            ["try:\n    apply(bad, 1)\n    assert False\nexcept Own as error:\n    assert error is own", "assert swallow(bad, 1) == 'Exception'",
             "assert swallow(key, 1) == 'KeyError'", "try:\n    each(key, [5])\n    assert 0\nexcept KeyError as e:\n    assert e.args == (5,)"],
            self.SOLUTION, setup=setup,
        )

    def test_a_failed_assert_in_a_callback_cannot_be_swallowed(self):
        self.fails("def g(x):\n    assert x == 1\nassert swallow(g, 2) == 'AssertionError'", self.SOLUTION, "got 2, expected 1")

    def test_a_callback_after_its_call(self):
        solution = """
import threading, time
def f(g):
    def later():
        time.sleep(0.2)
        try: g(1)
        except RuntimeError as e: said.append(str(e))
    threading.Thread(target=later).start()
said = []
def wait(): time.sleep(0.6); return said
"""
        report = asserts(["f(lambda x: x)", "import time\ntime.sleep(0.5)\nassert 'had ended' in wait()[0]"], solution)
        self.assertEqual((report["outcome"], report["message"]), ("pass", None))


class Exceptions(Base):
    SOLUTION = """
class MyError(ValueError):
    def __init__(self, code): super().__init__('code %s' % code); self.code = code
class Sub(MyError): pass
class Both(KeyError, ValueError): pass
class Quiet(BaseException): pass
class Stop(StopIteration): pass
class Text(Exception):
    def __str__(self): return 'text of it'
def f(kind): raise kind
def raises(name, *args): raise (getattr(__builtins__, name, None) or globals()[name])(*args)
"""

    def caught(self, call, kind, check="True"):
        return "try:\n    {}\n    assert False, 'nothing raised'\nexcept {} as e:\n    assert {}".format(call, kind, check)

    def test_types_and_texts(self):
        self.passes(
            [self.caught("raises('MyError', 3)", "MyError", "str(e) == 'code 3' and e.code == 3 and e.args == ('code 3',)"),
             self.caught("raises('Sub', 3)", "MyError", "type(e) is Sub and type(e).__name__ == 'Sub'"),
             self.caught("raises('Sub', 3)", "ValueError"), self.caught("raises('Both', 3)", "KeyError"),
             self.caught("raises('Both', 3)", "ValueError"), self.caught("raises('Text')", "Text", "str(e) == 'text of it'"),
             self.caught("raises('Quiet')", "Quiet"), self.caught("raises('ValueError', 'a', 2)", "ValueError", "e.args == ('a', 2) and type(e) is ValueError"),
             self.caught("raises('KeyError', 'k')", "KeyError", "str(e) == repr('k')"), self.caught("raises('OSError', 2, 'no')", "OSError", "e.errno == 2"),
             self.caught("raises('FileNotFoundError', 2, 'no')", "FileNotFoundError", "e.errno == 2"),
             self.caught("raises('UnicodeDecodeError', 'utf-8', b'a', 0, 1, 'why')", "UnicodeDecodeError", "'why' in str(e)"),
             self.caught("raises('AssertionError', 'no')", "AssertionError", "str(e) == 'no'"), self.caught("raises('SystemExit', 3)", "SystemExit"),
             self.caught("raises('KeyboardInterrupt')", "KeyboardInterrupt"), self.caught("raises('RecursionError')", "RecursionError"),
             self.caught("raises('NotImplementedError', 'x')", "NotImplementedError")],
            "import builtins\n__builtins__ = builtins\n" + self.SOLUTION,
        )

    def test_ends_of_loops_are_not_believed(self):
        for kind in ("StopIteration", "GeneratorExit", "StopAsyncIteration", "Stop"):
            self.fails("assert all(map(f, [1]))", "class Stop(StopIteration): pass\ndef f(x): raise {}".format(kind), kind)
            self.fails("def g():\n    yield 1\n    f(1)\nassert [x for x in g()] == [1]", "class Stop(StopIteration): pass\ndef f(x): raise {}".format(kind))

    def test_special_exceptions_are_failures(self):
        for kind in ("AssertionError", "SystemExit(0)", "KeyboardInterrupt", "BaseException", "unittest.SkipTest('x')", "NameError(\"name 'f'\")"):
            report = self.fails(["assert f(1) == 1", "assert 1"], "import unittest\ndef f(x): raise {}".format(kind), "the solution raised", partial=True)
            self.assertEqual((report["passed"], report["total"]), (1, 2))
            self.fails(["assert f(1) == 1", "assert 1"], "import unittest\ndef f(x): raise {}".format(kind), "the solution raised")

    def test_the_solution_ends(self):
        for how in ("os._exit(0)", "os.kill(os.getpid(), 9)", "os.closerange(3, 99)", "os.close(0); os.closerange(3, 9999); [1][2]"):
            report = self.fails(["assert f(1) == 1"], "import os\ndef f(x):\n    {}".format(how), "ended before it answered", "gone")
            self.assertEqual(report["raised"], None)
        self.fails(["try:\n    f(1)\nexcept BaseException:\n    pass\nassert 1"], "import os\ndef f(x): os._exit(0)", "ended", "gone")
        self.fails("assert 1", "import os\nos._exit(0)", "ended", "gone")


class LoadCheck(unittest.TestCase):
    def problem(self, **job):
        return polestar_load_check.problem_of(dict(polestar_judge.DEFAULTS, **job))

    def test_good_tests_have_no_problem(self):
        self.assertIsNone(self.problem(form="asserts", tests=["assert f(1)", "f(2)"], setup="import math"))
        self.assertIsNone(self.problem(form="check", entry_point="f", prompt="def f(x):\n", test="import solution\ndef check(c): pass"))
        self.assertEqual(polestar_judge.inspect(b'{"form": "asserts", "tests": ["assert f(1)"]}'), {"problem": None})

    def test_bad_tests(self):
        for job, message in [
            (dict(form="asserts", tests=["assert f(1)", "assert f(2"]), "<test 2>, line 1"),
            (dict(form="asserts", tests=["f(1)"]), "no assert in the 1 tests"),
            (dict(form="asserts", tests=[]), "no assert in the 0 tests"),
            (dict(form="asserts", tests=["assert f(1)"], setup="x ="), "<setup>, line 1"),
            (dict(form="asserts", tests=["\nimport no_such_module_x\nassert f(1)"]), "<test 1>, line 2: the module no_such_module_x"),
            (dict(form="asserts", tests=["assert \0"]), "does not compile"),
            (dict(form="asserts", tests=["assert " + "(" * 5000]), "does not compile"),
            (dict(form="asserts", tests=["return 1\nassert 1"]), "'return' outside function"),
            (dict(form="check", entry_point="f", test="def chek(c): pass"), "no function check"),
            (dict(form="check", entry_point="", test="def check(c): pass"), "no entry_point"),
            (dict(form="check", entry_point="f", test="def check(c):\n  x = = 1"), "<test>, line 2"),
            (dict(form="check", entry_point="f", test="from no_such_module_x.y import z\ndef check(c): pass"), "no_such_module_x"),
            (dict(form="check", entry_point="f", prompt="x = = 2\n\ndef f():\n", test="def check(c): pass"), "the prompt does not compile: <prompt>, line 1"),
        ]:
            self.assertIn(message, self.problem(**job) or "no problem")


if __name__ == "__main__":
    unittest.main()
