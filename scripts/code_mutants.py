"""Writes the reference solutions of HumanEval and MBPP, each with one small mistake, as responses to judge.

usage: python3 scripts/code_mutants.py --data DIR [--seed N] [--unchanged] >responses.jsonl

DIR has the folders humaneval/ and mbpp/. A line is {"id", "reference", "response", "change"}: one operator, comparison
or constant of the solution is another one, at a place that the seed and the id choose. With --unchanged the solutions
stand as they are. A solution with no such place is left out and named on standard error. Needs Python 3.9 or newer.
"""

import argparse
import ast
import gzip
import json
import pathlib
import random
import sys

OPERATORS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitAnd,
    ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.And: ast.Or, ast.Or: ast.And, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Is: ast.IsNot,
    ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}


def rows(path):
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def problems(data):
    """Id, reference, program, and the number of lines at its head that are given and not the solution's."""
    for row in rows(data / "humaneval" / "HumanEval.jsonl.gz"):
        reference = {key: row[key] for key in ("prompt", "entry_point", "test")}
        yield row["task_id"], reference, row["prompt"] + row["canonical_solution"], row["prompt"].count("\n")
    for name in ("prompt.jsonl", "train.jsonl.gz", "validation.jsonl.gz", "test.jsonl.gz"):
        for row in rows(data / "mbpp" / name):
            reference = {"tests": row["test_list"], "setup": row["test_setup_code"]}
            yield "MBPP/{}".format(row["task_id"]), reference, row["code"].replace("\r\n", "\n"), 0


def places(tree, num_given):
    """What can be changed, in the order of the source: pairs of a node and the index of its operator."""
    found, skipped = [], set()
    for node in ast.walk(tree):
        # Texts that only document, and annotations, mean nothing to the tests.
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(id(node.value))
        for field in ("annotation", "returns"):
            part = getattr(node, field, None)
            skipped.update(map(id, ast.walk(part)) if isinstance(part, ast.AST) else ())
        if isinstance(node, ast.JoinedStr):
            skipped.update(id(part) for part in node.values if isinstance(part, ast.Constant))
    for node in ast.walk(tree):
        if id(node) in skipped or getattr(node, "lineno", 0) <= num_given:
            continue
        if isinstance(node, ast.Compare):
            found += [(node, index) for index in range(len(node.ops))]
        elif isinstance(node, (ast.BinOp, ast.AugAssign)) and type(node.op) in OPERATORS:
            found.append((node, 0))
        elif isinstance(node, ast.BoolOp):
            found.append((node, 0))
        elif isinstance(node, ast.Constant) and type(node.value) in (bool, int, float, str):
            found.append((node, 0))
    return sorted(found, key=lambda place: (place[0].lineno, place[0].col_offset, type(place[0]).__name__, place[1]))


def change(node, index):
    """Makes the change and says what it is."""
    line = node.lineno
    if isinstance(node, ast.Constant):
        before = node.value
        if type(before) is bool:
            node.value = not before
        else:
            node.value = before + "x" if type(before) is str else before + 1
        return "line {}: {!r} became {!r}".format(line, before, node.value)
    before = node.ops[index] if isinstance(node, ast.Compare) else node.op
    after = OPERATORS[type(before)]()
    if isinstance(node, ast.Compare):
        node.ops[index] = after
    else:
        node.op = after
    return "line {}: {} became {}".format(line, type(before).__name__, type(after).__name__)


def mutant(name, program, num_given, seed):
    """The program with a mistake, and what that is; None where there is no place for one."""
    tree = ast.parse(program)
    found = places(tree, num_given)
    if not found:
        return None
    made = change(*random.Random("{}/{}".format(seed, name)).choice(found))
    return ast.unparse(tree), made


def main():
    parser = argparse.ArgumentParser(description="Reference solutions with one mistake each, as JSON lines.")
    parser.add_argument("--data", type=pathlib.Path, required=True, help="the folder with humaneval/ and mbpp/")
    parser.add_argument("--seed", type=int, default=0, help="another seed chooses other places (default 0)")
    parser.add_argument("--unchanged", action="store_true", help="the solutions as they are")
    arguments = parser.parse_args()
    for name, reference, program, num_given in problems(arguments.data):
        entry = {"id": name, "reference": reference}
        if not arguments.unchanged:
            made = mutant(name, program, num_given, arguments.seed)
            if made is None:
                print("{}: nothing to change".format(name), file=sys.stderr)
                continue
            program, entry["change"] = made
        entry["response"] = "```python\n{}\n```\n".format(program.rstrip("\n"))
        print(json.dumps(entry))


if __name__ == "__main__":
    main()
