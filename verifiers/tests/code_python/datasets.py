"""The problems of HumanEval and MBPP as jobs of the judge, with their reference solutions."""

import gzip
import json
import pathlib


def rows(path):
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def human_eval(shared):
    """Name, job and sources of each problem."""
    for row in rows(pathlib.Path(shared) / "humaneval" / "HumanEval.jsonl.gz"):
        job = {
            "form": "check",
            "prompt": row["prompt"],
            "entry_point": row["entry_point"],
            "test": row["test"],
        }
        yield row["task_id"], job, row["prompt"] + row["canonical_solution"]


def mbpp(shared):
    """Name, job and sources of each problem; the harder tests that some have are run as well."""
    for name in ("prompt.jsonl", "train.jsonl.gz", "validation.jsonl.gz", "test.jsonl.gz"):
        for row in rows(pathlib.Path(shared) / "mbpp" / name):
            job = {"form": "asserts", "tests": row["test_list"], "setup": row["test_setup_code"]}
            yield "MBPP/{}".format(row["task_id"]), job, row["code"]
