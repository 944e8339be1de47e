"""Rewritten asserts do what Python's do, and tell the values with which they failed."""

import io
import contextlib
import sys
import textwrap
import time
import unittest

import support  # noqa: F401 (loads the modules)
import polestar_asserts as asserts

PROGRAMS = {
    "order and number of evaluations": (
        """
        log = []
        def f(x):
            log.append(x)
            return x
        assert f(1) < f(2) < f(3)
        try:
            assert f(1) < f(0) < f(9), f("message")
        except AssertionError as error:
            log.append(error.args)
        try:
            assert f(0) and f(1), "and"
        except AssertionError as error:
            log.append(error.args)
        assert f(0) or f([1]) or f(3)
        try:
            assert not (f(1) == f(1)), f(2)
        except AssertionError as error:
            log.append(error.args)
        assert not f(0)
        assert isinstance(f(3), int)
    """
    ),
    "truth is tested once": (
        """
        log = []
        class Result:
            def __bool__(self):
                log.append("bool")
                return False
        class Thing:
            def __eq__(self, other):
                log.append("eq")
                return Result()
            def __lt__(self, other):
                log.append("lt")
                return Result()
        for condition in (lambda: Thing() == 1, lambda: Thing() < Thing()):
            try:
                assert condition()
            except AssertionError:
                log.append("failed")
        try:
            assert Thing() == 1
        except AssertionError:
            log.append("failed")
        try:
            assert 1 != 2 and Thing() < 3 < log.append("never")
        except AssertionError:
            log.append("failed")
    """
    ),
    "a message that raises": (
        """
        log = []
        try:
            assert 1 == 2, 1 // 0
        except ZeroDivisionError as error:
            log.append(str(error))
    """
    ),
    "a condition that raises": (
        """
        log = []
        try:
            assert [][1] == 2
        except IndexError as error:
            log.append(str(error))
    """
    ),
    "arguments with stars, names and walrus": (
        """
        log = []
        def f(*a, **k):
            log.append((a, k))
            return a
        assert f(1, *[2, 3], x=4)
        assert (y := f(5)) == (5,) and y == (5,)
        assert f(6, key=len)[0] == 6
        log.append(y)
    """
    ),
    "generators, comprehensions, classes and closures": (
        """
        log = []
        def gen():
            got = yield 1
            assert (yield got) == 3, "gen"
            yield "after"
        g = gen()
        log += [next(g), g.send(2), g.send(3)]
        class C:
            limit = 3
            assert limit == 3
            assert all(x < 9 for x in [limit])
            def m(self):
                assert __class__ is C and super().__init__() is None
                return 5
        log.append(C().m())
        def outer(n):
            def inner():
                nonlocal n
                n += 1
                assert n > 0
                return n
            assert inner() == inner() - 1
            return n
        log.append(outer(1))
        assert all(v % 2 == 0 for v in range(0, 10, 2))
        assert sorted(x for x in (3, 1)) == [1, 3]
        assert eval("1 + 1") == 2
    """
    ),
    "loops with break, else, finally and with": (
        """
        log = []
        import contextlib
        for i in range(3):
            try:
                assert i != 1, i
            except AssertionError as error:
                log.append(error.args)
                continue
            else:
                log.append("else")
            finally:
                log.append("finally")
        else:
            assert i == 2
        while True:
            assert i
            break
        with contextlib.suppress(AssertionError):
            assert 0
            log.append("never")
        async def a():
            assert 1
            return 2
        try:
            a().send(None)
        except StopIteration as stop:
            log.append(stop.value)
    """
    ),
}


def ran(text, code):
    names = {}
    names.update(code[1])
    exec(code[0], names)
    return names["log"]


class Semantics(unittest.TestCase):
    def test_programs_run_as_in_python(self):
        for name, text in PROGRAMS.items():
            text = textwrap.dedent(text)
            plain = ran(text, (compile(text, "<plain>", "exec"), {}))
            run = asserts.Asserts()
            self.assertEqual(repr(ran(text, (run.compiled(text, "<test>"), run.globals()))), repr(plain), name)
            self.assertGreater(run.evaluated, 0)
            self.assertTrue(any(entry for entry in plain), name)

    def test_arguments_and_traceback_of_the_error(self):
        run = asserts.Asserts()
        code = run.compiled("x = 1\n\nassert x == 2, ('a', 1)\n", "<test>")
        try:
            exec(code, run.globals())
            self.fail("nothing was raised")
        except AssertionError as error:
            self.assertIs(type(error), AssertionError)
            self.assertEqual(error.args, (("a", 1),))
            self.assertEqual(error.__traceback__.tb_next.tb_lineno, 3)

    def test_a_source_of_any_depth(self):
        run = asserts.Asserts()
        text = "assert 0 == " + "+".join("1" for _ in range(300)) + "\n"
        with self.assertRaises(AssertionError):
            exec(run.compiled(text, "<test>"), run.globals())

    def test_every_kind_of_line_end(self):
        for end in ("\n", "\r\n", "\r"):
            run = asserts.Asserts()
            text = end.join(["a = '\u2028\x0c'", "assert 1", "def f():", "  assert a == (", "    2)", ""])
            run.compiled(text, "<test>")
            self.assertEqual([plan[0] for plan in run.plans], ["assert 1", "assert a == ( 2)"])


class Messages(unittest.TestCase):
    def message(self, text, **names):
        run = asserts.Asserts()
        names.update(run.globals())
        with self.assertRaises(AssertionError) as caught:
            exec(run.compiled(text, "<test>"), names)
        return caught.exception.polestar_assert

    def says(self, text, expected, **names):
        self.assertEqual(self.message(text, **names)[1], expected)

    def test_what_is_said(self):
        two = lambda *_: 2  # noqa: E731
        self.says("assert f(2) == 3", "got 2, expected 3", f=two)
        self.says("assert 3 == f(2)", "got 2, expected 3", f=two)
        self.says("assert f(2) is None", "got 2, expected None", f=two)
        self.says("assert f(2) != 2", "got 2, expected it != 2", f=two)
        self.says("assert f(2) > 5", "got 2, expected it > 5", f=two)
        self.says("assert 0 < f(2) < 2", "got 2, expected it < 2", f=two)
        self.says("assert 5 < f(2) < 9", "got 5, expected it < 2", f=two)
        self.says("assert f(2) in (3, 4)", "got 2, expected it in (3, 4)", f=two)
        self.says("assert not f(2)", "f(2) gave 2, expected a false value", f=two)
        self.says("assert not f(2) == 2", "got 2, expected it not == 2", f=two)
        self.says("assert f", "got [], expected a true value", f=[])
        self.says("assert f(2) == 2 and f(1) == 3", "got 2, expected 3", f=two)
        self.says("assert f(2) == 1 or f(1) == 3", "got 2, expected 3", f=two)
        self.says("assert f(2) == 3, 'why'", "got 2, expected 3 (why)", f=two)
        self.says("assert abs(f(2) - 2.5) < 1e-6", "got 0.5, which is abs(2 - 2.5), expected it < 1e-06", f=two)
        self.says("assert f(2) - 3 == 1", "got -1, which is 2 - 3, expected 1", f=two)
        self.says("assert len(f) == 3", "got 2, which is len([1, 2]), expected 3", f=[1, 2])
        self.says("assert sum(x for x in f) == 1", "got 3, expected 1", f=[1, 2])
        self.says(
            "import math\nassert math.isclose(f(2), 3.0)",
            "math.isclose(2, 3.0) gave False, expected a true value",
            f=two,
        )
        self.says("assert isinstance(f(2), str)", "isinstance(2, str) gave False, expected a true value", f=two)
        self.says("assert [f(1)] == [3]", "got [2], expected [3]", f=two)

    def test_the_source_of_the_assert(self):
        source, _ = self.message("if 1:\n    assert 'é' == (\n        1)  # no\n")
        self.assertEqual(source, "assert 'é' == ( 1)")
        source, _ = self.message("assert 0 == [" + "1, " * 1000 + "]")
        self.assertEqual(len(source), asserts.MAX_SOURCE)

    def test_long_values_are_cut_and_their_difference_is_told(self):
        text = self.message("assert a == b", a="x" * 10**6 + "y", b="x" * 10**6 + "z")[1]
        self.assertLess(len(text), 800)
        self.assertIn("they differ first at index 1000000: 'y' and 'z'", text)
        text = self.message("assert a == b", a=list(range(10**5)), b=list(range(10**5 - 1)))[1]
        self.assertLess(len(text), 800)
        self.assertIn("one has 100000 items, the other 99999", text)

    def test_shown(self):
        for value in ((), (1,), [1, (2, "a")], {1: [2]}, {1}, set(), frozenset({1}), b"x", None, 1.5, {}, [], ...):
            self.assertEqual(asserts.shown(value), repr(value))
        self.assertEqual(asserts.shown(1 << 100000), "a number of 100001 bits")
        self.assertEqual(asserts.shown(int), "int")
        own = []
        own.append(own)
        self.assertLess(len(asserts.shown(own)), 100)
        wide = 1
        for _ in range(100):
            wide = [wide, wide]
        self.assertLess(len(asserts.shown(wide)), 2000)

    def test_showing_takes_no_longer_for_huge_values(self):
        values = ["x" * 10**7, [0] * 10**6, {n: n for n in range(10**5)}, 1 << 10**7, [["y" * 10**6] * 1000] * 1000]
        started = time.process_time()
        for value in values:
            self.assertLess(len(asserts.shown(value)), 1000)
        self.assertLess(time.process_time() - started, 0.5)

    def test_a_value_that_cannot_be_shown(self):
        class Bad:
            def __repr__(self):
                raise KeyError("no")

        self.says("assert a == 1", "got a Bad, expected 1", a=Bad())


class Partial(unittest.TestCase):
    def counted(self, text, **names):
        run = asserts.Asserts(partial=True)
        run.swallowed = lambda error: isinstance(error, ZeroDivisionError)
        names.update(run.globals())
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(run.compiled(text, "<test>"), names)
            ended = None
        except BaseException as error:
            ended = type(error).__name__
        return run.evaluated, run.passed, ended

    def test_a_failed_assert_does_not_end_the_test(self):
        self.assertEqual(self.counted("assert 1\nassert 0\nassert 2\nassert 0, 'x'"), (4, 2, None))
        self.assertEqual(self.counted("for i in range(5):\n    assert i % 2"), (5, 2, None))
        self.assertEqual(self.counted("def f():\n    assert 0\n    assert 1\nf()\nassert 1"), (3, 2, None))

    def test_an_exception_of_the_solution_fails_one_assert_only(self):
        self.assertEqual(self.counted("assert 1 // 0 == 2\nassert 1"), (2, 1, None))
        self.assertEqual(self.counted("assert {}[1]\nassert 1"), (1, 0, "KeyError"))

    def test_what_the_test_itself_may_catch_is_raised(self):
        self.assertEqual(
            self.counted("try:\n    assert 0\n    assert 1\nexcept AssertionError:\n    assert 2"), (2, 1, None)
        )
        self.assertEqual(
            self.counted("import contextlib\nwith contextlib.suppress(AssertionError):\n    assert 0\nassert 1"),
            (2, 1, None),
        )


class Deep(unittest.TestCase):
    def test_near_the_limit_of_recursion_an_assert_raises_what_python_does(self):
        text = "def f(n):\n    assert n >= 0\n    return f(n + 1)\n"
        run = asserts.Asserts()
        names = run.globals()
        exec(run.compiled(text, "<test>"), names)
        with self.assertRaises(RecursionError):
            names["f"](0)
        self.assertLess(run.evaluated, sys.getrecursionlimit())


if __name__ == "__main__":
    unittest.main()
