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
            ["assert f(2) == 3", "assert f(3) == 5", "assert f('a') == 1", "assert f(4) == 5"],
            "def f(x): return x + 1",
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
        test = (
            "import math\nLIMIT = 3\ndef check(candidate):\n    assert candidate(2) == LIMIT\n    assert math.sqrt(4)"
            " == f(1)"
        )
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
        report = check(
            "def check(c):\n    assert c(2) == 3", "class S:\n    def go(self, x): return x + 1", entry_point="S().go"
        )
        self.assertEqual(report["outcome"], "pass")

    def test_the_prompt(self):
        prompt = "import math\n\ndef helper(x):\n    return x + 1\n\ndef f(x):\n    '''Adds one.'''\n"
        test = "def check(c):\n    assert c(2) == helper(2) == 3\n    assert math.pi > 3"
        # The judge's own helper, whatever the solution makes of it.
        solution = "def helper(x): return x\ndef f(x): return x"
        report = check(test, solution, prompt=prompt)
        self.assertEqual((report["outcome"], report["message"]), ("fail", "got 2, expected 3"))
        for end in ("", "def f(x):\n", "def f(x):\n    # nothing yet\n", "def f(x):\n    '''doc'''\n    if x:\n"):
            cut = prompt[: prompt.index("def f")] + end
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
            "def check(c):\n    node = c(chain(1, 2))\n    assert isinstance(node, Node) and not isinstance(1, Node)\n "
            "   assert (node.value, node.next.value, node.next.next) == (2, 2, None)\n    try:\n        c(None)\n      "
            "  assert False\n    except Bad as error:\n        assert str(error) == 'none'"
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
        self.assertEqual(
            report["message"],
            "the solution raised ZeroDivisionError: integer division or modulo by zero (<answer>, line 3)",
        )
        self.assertEqual((report["raised"], report["test"]), ("ZeroDivisionError", "assert f(0) == 3"))
        self.assertEqual(self.fails("assert f(0)", "def f(x): raise MemoryError")["raised"], "MemoryError")
        self.fails("assert f(0)", "def f(x): return f(x)", "RecursionError")

    def test_tests_that_are_at_fault(self):
        good = "def f(x): return x"
        self.fails("assert f(2", good, "the test does not compile: <test 1>, line 1", "test-error")
        self.fails("assert 1 // 0", good, "ZeroDivisionError", "test-error")
        self.fails("assert 1 == 2", good, "got 1, expected 2", "test-error")
        self.fails(
            "assert f(1) == 1",
            good,
            "NameError",
            "test-error",
            setup="del nothing",
        )
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
        names = [
            "abs",
            "len",
            "sorted",
            "isinstance",
            "all",
            "any",
            "AssertionError",
            "print",
            "type",
            "sum",
            "__build_class__",
        ]
        hostile = "".join("{0} = lambda *a, **k: True\n".format(name) for name in names) + "def f(x): return x"
        tests = [
            "assert abs(f(-2)) == 2",
            "assert len(f([1])) == 1",
            "assert isinstance(f(2), int)",
            "assert sorted(f([2, 1])) == [1, 2]",
        ]
        self.passes(tests, hostile)
        self.fails("assert not all([f(1)])", hostile, "all([1]) gave True")

    def test_what_the_test_and_setup_define_wins(self):
        self.fails(
            "assert f(g(1)) == 2",
            "def g(x): return 2\ndef f(x): return x",
            "got 1, expected 2",
            setup="def g(x): return x",
        )

    def test_values_modules_and_types_of_the_solution(self):
        solution = (
            "import math, sys\nLIMIT = [1]\nclass P: pass\nInt = int\ndef kind(x): return type(x)\ndef f():"
            " LIMIT.append(2)"
        )
        self.passes(
            [
                "assert LIMIT == [1]",
                "f()",
                "assert LIMIT == [1, 2]",
                "assert math.floor(2.5) == 2",
                "assert kind(1) is int",
                "assert sys.getsizeof(()) > 0",
                "assert Int('3') == 3",
                "assert kind(P()) is P",
            ],
            solution,
        )


class LoadCheck(unittest.TestCase):
    def problem(self, **job):
        return polestar_load_check.problem_of(dict(polestar_judge.DEFAULTS, **job))

    def test_good_tests_have_no_problem(self):
        self.assertIsNone(self.problem(form="asserts", tests=["assert f(1)", "f(2)"], setup="import math"))
        self.assertIsNone(
            self.problem(
                form="check", entry_point="f", prompt="def f(x):\n", test="import solution\ndef check(c): pass"
            )
        )
        self.assertEqual(polestar_judge.inspect(b'{"form": "asserts", "tests": ["assert f(1)"]}'), {"problem": None})

    def test_bad_tests(self):
        for job, message in [
            (dict(form="asserts", tests=["assert f(1)", "assert f(2"]), "<test 2>, line 1"),
            (dict(form="asserts", tests=["f(1)"]), "no assert in the 1 tests"),
            (dict(form="asserts", tests=[]), "no assert in the 0 tests"),
            (dict(form="asserts", tests=["assert f(1)"], setup="x ="), "<setup>, line 1"),
            (
                dict(form="asserts", tests=["\nimport no_such_module_x\nassert f(1)"]),
                "<test 1>, line 2: the module no_such_module_x",
            ),
            (dict(form="asserts", tests=["assert \0"]), "does not compile"),
            (dict(form="asserts", tests=["assert " + "(" * 5000]), "does not compile"),
            (dict(form="asserts", tests=["return 1\nassert 1"]), "'return' outside function"),
            (dict(form="check", entry_point="f", test="def chek(c): pass"), "no function check"),
            (dict(form="check", entry_point="", test="def check(c): pass"), "no entry_point"),
            (dict(form="check", entry_point="f", test="def check(c):\n  x = = 1"), "<test>, line 2"),
            (
                dict(form="check", entry_point="f", test="from no_such_module_x.y import z\ndef check(c): pass"),
                "no_such_module_x",
            ),
            (
                dict(form="check", entry_point="f", prompt="x = = 2\n\ndef f():\n", test="def check(c): pass"),
                "the prompt does not compile: <prompt>, line 1",
            ),
        ]:
            self.assertIn(message, self.problem(**job) or "no problem")


if __name__ == "__main__":
    unittest.main()
