"""The reference solutions of HumanEval and MBPP pass their own tests, and none passes with its result replaced."""

import os
import sys
import unittest

import datasets
import support
import polestar_judge
import polestar_load_check

SHARED = os.environ.get("POLESTAR_SHARED")
# Some take a tenth of a second; a machine that does much else besides may take long.
support.DEADLINE = 60


class References(unittest.TestCase):
    def all_pass(self, problems, number):
        problems = list(problems)
        self.assertEqual(len(problems), number)
        failed = []
        for name, job, solution in problems:
            self.assertIsNone(polestar_load_check.problem_of(dict(polestar_judge.DEFAULTS, **job)), name)
            report = support.outcome(job, solution)
            if report is None or report["outcome"] != "pass" or report["passed"] != report["total"]:
                failed.append((name, report))
        self.assertEqual(failed, [])

    def test_human_eval(self):
        self.all_pass(datasets.human_eval(SHARED), 164)

    def test_mbpp(self):
        self.all_pass(datasets.mbpp(SHARED), 724)

    def test_solutions_that_return_nothing_pass_none(self):
        for name, job, _ in datasets.human_eval(SHARED):
            report = support.outcome(job, job["prompt"] + "\n    return None\n")
            self.assertEqual((report["outcome"], report["message"] is None), ("fail", False), name)


if __name__ == "__main__":
    if SHARED is None:
        print("skipped: POLESTAR_SHARED is not set, so the reference solutions are not run")
        sys.exit(0)
    unittest.main()
