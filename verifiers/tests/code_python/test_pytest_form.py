"""Verifications by files for pytest."""

import unittest

import support
import polestar_judge
import polestar_load_check

try:
    import pytest
except ImportError:
    pytest = None
    print("skipped: the tests of pytest files need a Python with pytest (POLESTAR_PYTEST_PYTHON)")

ADD = "def f(x): return x + 1"


def run(files, solution, **more):
    files = files if isinstance(files, dict) else {"test_it.py": files}
    return support.outcome(dict(form="pytest", files=files, **more), solution)


@unittest.skipIf(pytest is None, "no pytest")
class PytestForm(unittest.TestCase):
    def ends(self, files, solution, outcome, message=None, **more):
        report = run(files, solution, **more)
        self.assertIsNotNone(report, "no report")
        self.assertEqual(report["outcome"], outcome, report)
        if message is not None:
            self.assertIn(message, report["message"])
        return report

    def test_ways_to_import(self):
        for head in (
            "from solution import f",
            "import solution\nf = solution.f",
            "import solution as s\nf = s.f",
            "from solution import *",
            "import importlib\nf = importlib.import_module('solution').f",
            "import pytest\nf = pytest.importorskip('solution').f",
        ):
            report = self.ends(head + "\ndef test_a():\n    assert f(2) == 3\n", ADD, "pass")
            self.assertEqual((report["passed"], report["total"]), (1, 1), head)
        self.ends(
            "from pkg.mod import f\nimport pkg.mod\ndef test_a():\n    assert f(2) == pkg.mod.f(2)\n",
            ADD,
            "pass",
            module="pkg.mod",
        )

    def test_failures_tell_values(self):
        test = (
            "from solution import f\ndef test_a():\n    assert f(2) == 3\ndef test_b():\n    assert f(3) == 5\ndef"
            " test_c():\n    assert f(4) == 6"
        )
        report = self.ends(test, ADD, "fail", "assert f(3) == 5: got 4, expected 5")
        self.assertEqual((report["passed"], report["total"], report["test"]), (1, 3, "test_it.py::test_b"))
        report = self.ends(test, ADD, "fail", "got 4, expected 5", partial=True)
        self.assertEqual((report["passed"], report["total"]), (1, 3))
        report = self.ends(test, "def f(x): return 1 // (x - 3)", "fail", "got -1", partial=True)
        report = self.ends(
            "from solution import f\ndef test_a():\n    f(3)",
            "def f(x): return 1 // (x - 3)",
            "fail",
            "(<answer>, line 1)",
        )
        self.assertEqual(report["raised"], "ZeroDivisionError")

    def test_tests_are_announced(self):
        entries = support.judged(
            {"form": "pytest", "files": {"test_it.py": "from solution import f\ndef test_a():\n    assert f(2) == 3"}},
            ADD,
        )
        self.assertEqual(entries[0], {"at": "test_it.py::test_a", "n": 1})

    def test_what_pytest_offers(self):
        files = {
            "conftest.py": "import pytest\n@pytest.fixture\ndef three():\n    return 3\n",
            "helper.py": "def same(a, b):\n    assert a == b\n",
            "sub/__init__.py": "",
            "sub/test_more.py": "from helper import same\nimport solution\ndef test_d():\n    same(solution.f(1), 2)\n",
            "test_it.py": (
                "import pytest, unittest\nfrom helper import same\nfrom solution import f, MyError,"
                " Point\n@pytest.mark.parametrize('x', [1, 2])\ndef test_a(x, three):\n    assert f(x) == x + 1 and"
                " three == 3\nclass TestB:\n    def setup_method(self):\n        self.p = Point(1)\n    def"
                " test_b(self):\n        assert self.p.x == 1\nclass C(unittest.TestCase):\n    def test_c(self):\n    "
                "    self.assertEqual(f(1), 2)\n        with self.assertRaises(MyError):\n            f('a')\ndef"
                " test_e(monkeypatch, capsys, tmp_path):\n    import solution\n    monkeypatch.setattr(solution,"
                " 'STEP', 5)\n    monkeypatch.setattr(solution, 'NEW', 1, raising=False)\n    assert f(1) == 6 and"
                " solution.NEW == 1\ndef test_e2():\n    import solution\n    assert f(1) == 2 and not"
                " hasattr(solution, 'NEW')\ndef test_f():\n    assert f(1) == pytest.approx(2.0)\n    with"
                " pytest.raises(MyError, match='bad a') as e:\n        f('a')\n    assert e.value.code == 7\n"
            ),
        }
        solution = (
            "STEP = 1\nclass MyError(Exception): code = None\nclass Point:\n    def __init__(self, x): self.x = x\n"
            "def f(x):\n    if x == 'a':\n        e = MyError('bad a'); e.code = 7; raise e\n    return x + STEP\n"
        )
        report = self.ends(files, solution, "pass")
        self.assertEqual((report["passed"], report["total"]), (8, 8))

    def test_skipped_and_expected_failures(self):
        head = "import pytest\nfrom solution import f\n"
        skip = "def test_s():\n    pytest.skip('no')\n"
        expected = "@pytest.mark.xfail\ndef test_x():\n    assert f(1) == 5\n"
        good = "def test_a():\n    assert f(1) == 2\n"
        report = self.ends(head + skip + expected + good, ADD, "pass")
        self.assertEqual((report["passed"], report["total"]), (1, 1))
        self.ends(head + expected, ADD, "fail", "no test passed")
        self.ends(head + skip, ADD, "test-error", "no test passed")
        self.ends(head + "@pytest.mark.xfail(strict=True)\ndef test_x():\n    assert f(1) == 2\n", ADD, "fail", "XPASS")
        self.ends("x = 1", ADD, "test-error", "none was found")
        self.ends(
            head
            + "def test_a():\n    assert f(1) == 2\n@pytest.fixture\ndef t():\n    yield 1\n    assert f(1) == 3\ndef"
            " test_b(t): pass",
            ADD,
            "fail",
            "got 2, expected 3",
        )

    def test_a_solution_cannot_play_the_runner(self):
        solution = "import pytest, unittest\ndef f(x):\n    {}\n"
        test = "from solution import f\ndef test_a():\n    assert f(1) == 2\n"
        for how in (
            "pytest.skip('x')",
            "pytest.xfail('x')",
            "pytest.exit('x', 0)",
            "raise unittest.SkipTest('x')",
            "raise pytest.skip.Exception('x')",
            "raise SystemExit(0)",
            "raise KeyboardInterrupt",
            "raise GeneratorExit",
            "raise StopIteration",
            "raise BaseException",
        ):
            report = self.ends(test, solution.format(how), "fail", "the solution raised")
            self.assertEqual((report["passed"], report["total"]), (0, 1), how)
            case = (
                "import unittest\nfrom solution import f\nclass A(unittest.TestCase):\n    def test_a(self):\n       "
                " f(1)\n"
            )
            self.ends(case, solution.format(how), "fail", "the solution raised")
            self.ends(
                "from solution import f\nX = f(1)\ndef test_a(): pass\n",
                solution.format(how),
                "fail",
                "the solution raised",
            )
        self.ends(test, solution.format("import os; os._exit(0)"), "gone", "ended before it answered")

    def test_star_imports_take_no_more_than_is_used(self):
        solution = (
            "def f(x): return 5\ndef test_z(): pass\ndef test_y(): pass\npytestmark = 'x'\ndef approx(x): return 5\ndef"
            " isclose(*a): return True\ndef abs(x): return 0\ndef setup_module(): raise ValueError\n"
        )
        test = (
            "from math import isclose\nfrom solution import *\nfrom pytest import approx\ndef test_a():\n    assert"
            " abs(f(2)) == 5\ndef test_b():\n    assert isclose(f(2), 3)\n"
        )
        report = self.ends(test, solution, "fail", "isclose(5, 3) gave False", partial=True)
        self.assertEqual((report["passed"], report["total"]), (1, 2))
        self.ends(
            "from solution import *\ndef test_a():\n    assert f(2) == 5\n",
            "__all__ = ['g']\ndef f(x): return 5",
            "fail",
            "name 'f' is not defined",
        )

    def test_files_that_cannot_be_collected(self):
        self.ends("from solution import g\ndef test_a(): pass\n", ADD, "fail", "the solution does not define g")
        self.ends(
            "import solution\nG = solution.g\ndef test_a(): pass\n", ADD, "fail", "the solution does not define g"
        )
        self.ends("def test_a(:\n", ADD, "test-error", "test_it.py, line 1")
        self.ends("import no_such_module\ndef test_a(): pass\n", ADD, "test-error", "no_such_module")
        files = {
            "test_a.py": "from solution import g\ndef test_a(): pass\ndef test_b(): pass\n",
            "test_b.py": "from solution import f\ndef test_c():\n    assert f(1) == 2\n",
        }
        report = self.ends(files, ADD, "fail", "does not define g", partial=True)
        self.assertEqual((report["passed"], report["total"]), (1, 3))
        self.ends("from solution import f\ndef test_a(): pass\n", "def f(x) return", "load-error", "SyntaxError")

    def test_configuration_and_names_of_files(self):
        self.ends(
            {
                "pytest.ini": "[pytest]\npython_functions = check_*\n",
                "checks.py": "from solution import f\ndef check_a():\n    assert f(1) == 2\n",
            },
            ADD,
            "pass",
        )
        self.ends(
            {"tests/test_a.py": "from solution import f\ndef test_a():\n    assert f(1) == 3\n"},
            ADD,
            "fail",
            "got 2, expected 3",
        )

    def test_load_check(self):
        def problem(files):
            return polestar_load_check.problem_of(dict(polestar_judge.DEFAULTS, form="pytest", files=files))

        self.assertIsNone(
            problem(
                {"test_a.py": "import helper, solution, pytest\nfrom . import x\n", "helper.py": "", "sub/x.py": ""}
            )
        )
        self.assertIn("test_a.py, line 2: the module no_such", problem({"test_a.py": "\nimport no_such"}))
        self.assertIn("test_a.py, line 1", problem({"test_a.py": "x = = 1"}))
        self.assertIn("no file of Python", problem({"a.txt": ""}))
        self.assertIn("must lie below", problem({"../test_a.py": ""}))


if __name__ == "__main__":
    unittest.main()
