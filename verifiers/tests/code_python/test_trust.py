"""What a solution may have a say in: names that tests look up, exceptions that they catch, who is to blame, how much
counts."""

import unittest
from unittest import mock

import support
import polestar_judge


def asserts(tests, solution, **more):
    return support.outcome(dict(form="asserts", tests=tests if isinstance(tests, list) else [tests], **more), solution)


class Trust(unittest.TestCase):
    def ends(self, outcome, tests, solution, **more):
        report = asserts(tests, solution, **more)
        self.assertEqual(report["outcome"], outcome, report)
        return report

    def test_an_exception_by_another_name_catches_what_the_solution_raised(self):
        raising = "def f():\n    raise KeyError('no')\n"
        for kinds in ("E = KeyError", "E = LookupError", "E = BaseException", "class E(KeyError): pass\nKeyError = E"):
            for test in (
                "try:\n    f()\nexcept E as error:\n    assert isinstance(error, E) and issubclass(E, BaseException)\n"
                "else:\n    assert False",
                "try:\n    f()\nexcept (ZeroDivisionError, E):\n    pass",
                "import contextlib\nwith contextlib.suppress(E):\n    f()",
            ):
                with self.subTest(kinds=kinds, test=test):
                    self.ends("pass", test, kinds + "\n" + raising)

    def test_an_exception_by_another_name_catches_nothing_of_the_test(self):
        quiet = "def f(): return 3\nclass A:\n    E = AssertionError\ndef g(): return E\nK = {'a': AssertionError}\n"
        for kinds in ("E = AssertionError", "E = BaseException", "E = Exception", "E = (AssertionError,)"):
            for caught in ("E", "(KeyError, E)", "A.E", "A().E", "g()", "K['a']"):
                with self.subTest(kinds=kinds, caught=caught):
                    self.ends("fail", "try:\n    assert f() == 4\nexcept {}:\n    pass".format(caught), quiet + kinds)
            kinds_of = "*(E if type(E) is tuple else (E,))"
            test = "import contextlib\nwith contextlib.suppress({}):\n    assert f() == 4".format(kinds_of)
            self.ends("fail", test, quiet + kinds)

    def test_exceptions_by_other_names_are_passed_in_and_compared(self):
        self.ends("pass", ["assert E == ValueError and same(E) is ValueError", "assert E in (KeyError, ValueError)"],
                  "E = ValueError\ndef same(x): return x")

    def test_own_exceptions_of_the_test_are_its_own(self):
        test = "class Mine(Exception): pass\ntry:\n    f()\n    raise Mine\nexcept Mine:\n    pass"
        self.ends("pass", test, "class Mine(Exception): pass\ndef f(): pass")

    def test_modules_are_those_of_the_tests(self):
        fake = "class math:\n    isclose = lambda *a: True\ndef f(): return 3"
        self.ends("fail", "assert math.isclose(f(), 4)", fake)
        self.ends("pass", "assert math.isclose(f(), 4)", "import math\ndef f(): return 4.0")
        # A class of that name that has what the module lacks.
        self.ends("pass", "assert f(datetime.strptime('2020', '%Y')) == 2020",
                  "from datetime import datetime\ndef f(day): return day.year")
        self.ends("gone", "assert f().maxsize", "import sys\ndef f(): return sys")

    def test_who_is_to_blame(self):
        for test, solution in (
            ("assert N == 3", "def N(): pass"), ("assert N + 3 == 4", "def N(): pass"),
            ("assert 5 << N", "def N(): pass"), ("assert E.code", "class E(Exception): pass"),
            ("assert issubclass(E, ValueError)", "class E(Exception): pass"),
            ("assert {'a': 1}[f.__name__]", "def f(): pass"), ("class B(A): pass", "class A: pass"),
        ):
            with self.subTest(test=test):
                self.ends("fail", test, solution)
        for test in ("assert f(int('five'))", "assert 1 == 2", "[][1]\nassert f()"):
            self.ends("test-error", test, "def f(x): return x")

    def test_arguments_stay_as_they_were(self):
        test = "l = [3, 1]\nassert f(l) == sorted(l)"
        emptied = "def f(l):\n    l.clear()\n    return []"
        self.ends("fail", test, emptied)
        self.ends("pass", test, emptied, in_place=True)
        self.ends("pass", test, "def f(l):\n    l.sort()\n    return l")
        test = "l = [[3, 1]]\nassert f(l) == [[1, 3]] and l == [[3, 1]]"
        self.ends("pass", test, "def f(l):\n    l[0].sort()\n    return l")
        self.ends("pass", "l = [[1]]\nassert f(l) is l and f(l)[0] is l[0]", "def f(l): return l")

    def test_each_assert_statement_counts_once(self):
        test = "def check(c):\n    assert c(1) == 2\n    for x in c(5): assert x > 0"
        job = dict(form="check", entry_point="f", test=test, partial=True)
        report = support.outcome(job, "def f(x): return [1] * 1000")
        self.assertEqual((report["outcome"], report["passed"], report["share"]), ("fail", 1000, 0.5))
        test = "def check(c):\n    for n in range(4): assert c(n) == n"
        report = support.outcome(dict(job, test=test), "def f(x): return x if x else 5")
        self.assertEqual(report["share"], 0.75)
        report = asserts(["f(1)", "assert f(1) == 2", "f(0)"], "def f(x): return 1 // x", partial=True)
        self.assertAlmostEqual(report["share"], 1 / 3)

    def test_there_is_an_outcome_where_none_can_be_made(self):
        with mock.patch.object(polestar_judge.Judge, "report_outcome", side_effect=MemoryError):
            self.ends("gone", "assert f() == 3", "def f(): return 3")
            # Without a part of the solution in it, it is nobody's.
            self.assertEqual(support.judged({"form": "asserts", "tests": ["f("]}, ""), [])


if __name__ == "__main__":
    unittest.main()
