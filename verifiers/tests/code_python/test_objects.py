"""What passes between a test and a solution: objects, arguments, functions of the test, and exceptions."""

import unittest

from test_judge import Base, asserts


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
            [
                "assert p.x == 1 and p.y == 2",
                "assert p.moved(3).x == 4",
                "assert same(p) is p",
                "assert total([p, Point(5)]) == 6",
                "assert table()['a'][1].x == 2",
                "p.x = 9\nassert p.x == 9",
                "assert p.z == [1]",
                "assert hasattr(p, 'x')",
                "assert not hasattr(p, 'w')",
                "assert getattr(p, 'w', 5) == 5",
                "m = p.moved\nassert m(1).x == 10",
                "p.t = 1\ndel p.t\nassert not hasattr(p, 't')",
                "assert isinstance(p, Point) and isinstance(Sub(1), Point) and not isinstance(p, Sub)",
                "assert kind() is Point",
                "assert color() == Color.RED and color() is not Color.BLUE and color().value == 1",
                "assert Point.__name__ == 'Point'",
                "assert p.__dict__ == {'x': 9, '_y': 2, 'z': [1]}",
            ],
            self.SOLUTION,
            setup="p = Point(1, 2)\np.z = [1]",
        )

    def test_no_code_of_the_solution_runs_on_objects_here(self):
        self.passes(
            [
                "assert p != Point(1)",
                "assert not p == 1",
                "assert p not in [1, Point(1)]",
                "assert len({p, same(p), Point(1)}) == 2",
            ],
            self.SOLUTION,
            setup="p = Point(1)",
        )
        for test in (
            "assert p",
            "assert not p",
            "assert len(p)",
            "assert 1 in p",
            "assert p < p",
            "list(p)",
            "p[0]",
            "p + 1",
            "1 + p",
            "float(p)",
            "import copy; copy.deepcopy(p)",
            "iter(p)",
            "with p: pass",
            "p()",
            "p.__secret__",
        ):
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
            [
                "l = [3, 1]\nassert f(l) is l and l == [1, 3, [0]]",
                (
                    "d, s, b = {'y': 0, 'z': 5}, {1}, bytearray(b'a')\nassert g(d, s, b) is None\nassert (d, s, b) =="
                    " ({'z': 5, 'x': 1}, {1, 2}, b'a!')"
                ),
                "m = [[1], [2]]\nfirst = m[0]\nrows(m)\nassert m == [['new'], [1]] and m[1] is first",
                "one = []\ntwo = [one, one]\nfill(two)\nassert one == [1] and two[1] is one",
                "l = []\ntry:\n    broken(l)\nexcept ValueError:\n    assert l == [1]",
                "t = ({'k': []},)\nnested(t)\nassert t == ({'k': [1]},)",
                (
                    "from collections import defaultdict, OrderedDict\nd = OrderedDict(y=2, a=1)\ng(d, set(),"
                    " bytearray())\nassert type(d) is OrderedDict and list(d) == ['a', 'x']"
                ),
            ],
            solution,
            in_place=True,
        )

    def test_values_are_as_they_were_sent(self):
        solution = "def f(x): return repr(x), type(x).__name__\ndef g(*a, **k): return a, k\ndef same(x): return x"
        self.passes(
            [
                "assert f(-0.0) == ('-0.0', 'float')",
                "assert f({1: (2, [3])}) == ('{1: (2, [3])}', 'dict')",
                "assert f(range(3)) == ('range(0, 3)', 'range')",
                "assert f(int) == (\"<class 'int'>\", 'type')",
                "assert f(10 ** 50)[0] == str(10 ** 50)",
                "assert g(1, b=2) == ((1,), {'b': 2})",
                "assert f(...)[1] == 'ellipsis'",
                "assert same(float('nan')) != same(float('nan'))",
                "assert same({3: 'a', 1: 'b'}) == {1: 'b', 3: 'a'}",
                "assert list(same({3: 'a', 1: 'b'})) == [3, 1]",
                "assert f(iter([1, 2]))[1] == 'tuple_iterator'",
                "assert f(x for x in 'ab')[1] == 'tuple_iterator'",
                "assert f({1: 2}.keys()) == ('[1]', 'list')",
                "assert same('\\ud800') == '\\ud800'",
                "assert same(2j) == 2j and same(b'a') == b'a'",
                "assert same(same) is same",
            ],
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
            [
                "assert counter() == {'a': 2, 'b': 1} and type(counter()) is dict",
                "assert default() == {1: [2]}",
                "assert list(ordered()) == ['b', 'a']",
                "assert named() == (1, 2) and type(named()) is tuple",
                "assert number() == 5 and type(number()) is int",
                "assert type(text()) is str",
                "assert items() == [[1], {'k': 5}, {1}] and type(items()[0]) is list",
            ],
            solution,
        )
        for call, what in [
            ("gen", "gen returned a generator; plain data are wanted"),
            ("lazy", "map"),
            ("keys", "dict_keys"),
            ("later", "coroutine"),
            ("inside", "generator"),
            ("own", "holds itself"),
            ("deep", "holds itself"),
            ("big", "too big"),
            ("many", "too big"),
        ]:
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
            [
                "assert each(lambda x: x * 2, [1, 2]) == [2, 4]",
                "assert fold(lambda a, b: a + b, [1, 2, 3]) == 6",
                "seen = []\neach(seen.append, [1, 2])\nassert seen == [1, 2]",
                "assert by([3, 1], key=lambda x: -x) == [3, 1]",
                "assert threads(lambda x: x + 1) == 210",
                "assert again(3) == 4",
                "def g(n):\n    return n if n == 0 else apply(g, n - 1)\nassert apply(g, 5) == 0",
                "assert compose(lambda x: x + 1, abs)(-3) == 4",
                "f = lambda x: x\nassert later(f) is f",
            ],
            self.SOLUTION,
            setup="later(lambda x: x + 1)",
        )

    def test_functions_of_python_run_with_the_solution(self):
        report = self.passes(
            [
                "assert each(len, ['a', 'bc']) == [1, 2]",
                "assert each(str.upper, ['a']) == ['A']",
                "import math, operator\nassert each(math.sqrt, [4.0]) == [2.0] and fold(operator.add, [1, 2]) == 3",
                "import collections\nassert apply(collections.Counter, 'aa') == {'a': 2}",
                "assert apply(int, '3') == 3",
            ],
            self.SOLUTION,
        )
        self.assertEqual(report["calls"], 6 + 3)
        self.passes("import os\nassert apply(os.getpid) != os.getpid()", self.SOLUTION)
        # A function that would obey the solution here is none of the test's.
        self.fails(
            "import functools\nassert apply(functools.partial(eval), '1') == 1",
            self.SOLUTION,
            "cannot be passed",
            "test-error",
        )

    def test_exceptions_of_callbacks(self):
        setup = (
            "class Own(Exception): pass\nown = Own('mine', 3)\ndef bad(x):\n    raise own\ndef key(x):\n    return"
            " {}[x]"
        )
        self.passes(
            [
                "try:\n    apply(bad, 1)\n    assert False\nexcept Own as error:\n    assert error is own",
                "assert swallow(bad, 1) == 'Exception'",
                "assert swallow(key, 1) == 'KeyError'",
                "try:\n    each(key, [5])\n    assert 0\nexcept KeyError as e:\n    assert e.args == (5,)",
            ],
            self.SOLUTION,
            setup=setup,
        )

    def test_a_failed_assert_in_a_callback_cannot_be_swallowed(self):
        self.fails(
            "def g(x):\n    assert x == 1\nassert swallow(g, 2) == 'AssertionError'", self.SOLUTION, "got 2, expected 1"
        )

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
        return "try:\n    {}\n    assert False, 'nothing raised'\nexcept {} as e:\n    assert {}".format(
            call, kind, check
        )

    def test_types_and_texts(self):
        self.passes(
            [
                self.caught(
                    "raises('MyError', 3)", "MyError", "str(e) == 'code 3' and e.code == 3 and e.args == ('code 3',)"
                ),
                self.caught("raises('Sub', 3)", "MyError", "type(e) is Sub and type(e).__name__ == 'Sub'"),
                self.caught("raises('Sub', 3)", "ValueError"),
                self.caught("raises('Both', 3)", "KeyError"),
                self.caught("raises('Both', 3)", "ValueError"),
                self.caught("raises('Text')", "Text", "str(e) == 'text of it'"),
                self.caught("raises('Quiet')", "Quiet"),
                self.caught(
                    "raises('ValueError', 'a', 2)", "ValueError", "e.args == ('a', 2) and type(e) is ValueError"
                ),
                self.caught("raises('KeyError', 'k')", "KeyError", "str(e) == repr('k')"),
                self.caught("raises('OSError', 2, 'no')", "OSError", "e.errno == 2"),
                self.caught("raises('FileNotFoundError', 2, 'no')", "FileNotFoundError", "e.errno == 2"),
                self.caught(
                    "raises('UnicodeDecodeError', 'utf-8', b'a', 0, 1, 'why')", "UnicodeDecodeError", "'why' in str(e)"
                ),
                self.caught("raises('AssertionError', 'no')", "AssertionError", "str(e) == 'no'"),
                self.caught("raises('SystemExit', 3)", "SystemExit"),
                self.caught("raises('KeyboardInterrupt')", "KeyboardInterrupt"),
                self.caught("raises('RecursionError')", "RecursionError"),
                self.caught("raises('NotImplementedError', 'x')", "NotImplementedError"),
            ],
            "import builtins\n__builtins__ = builtins\n" + self.SOLUTION,
        )

    def test_ends_of_loops_are_not_believed(self):
        for kind in ("StopIteration", "GeneratorExit", "StopAsyncIteration", "Stop"):
            self.fails(
                "assert all(map(f, [1]))", "class Stop(StopIteration): pass\ndef f(x): raise {}".format(kind), kind
            )
            self.fails(
                "def g():\n    yield 1\n    f(1)\nassert [x for x in g()] == [1]",
                "class Stop(StopIteration): pass\ndef f(x): raise {}".format(kind),
            )

    def test_special_exceptions_are_failures(self):
        for kind in (
            "AssertionError",
            "SystemExit(0)",
            "KeyboardInterrupt",
            "BaseException",
            "unittest.SkipTest('x')",
            "NameError(\"name 'f'\")",
        ):
            report = self.fails(
                ["assert f(1) == 1", "assert 1"],
                "import unittest\ndef f(x): raise {}".format(kind),
                "the solution raised",
                partial=True,
            )
            self.assertEqual((report["passed"], report["total"]), (1, 2))
            self.fails(
                ["assert f(1) == 1", "assert 1"],
                "import unittest\ndef f(x): raise {}".format(kind),
                "the solution raised",
            )

    def test_the_solution_ends(self):
        for how in (
            "os._exit(0)",
            "os.kill(os.getpid(), 9)",
            "os.closerange(3, 99)",
            "os.close(0); os.closerange(3, 9999); [1][2]",
        ):
            report = self.fails(
                ["assert f(1) == 1"], "import os\ndef f(x):\n    {}".format(how), "ended before it answered", "gone"
            )
            self.assertEqual(report["raised"], None)
        self.fails(
            ["try:\n    f(1)\nexcept BaseException:\n    pass\nassert 1"],
            "import os\ndef f(x): os._exit(0)",
            "ended",
            "gone",
        )
        self.fails("assert 1", "import os\nos._exit(0)", "ended", "gone")


if __name__ == "__main__":
    unittest.main()
