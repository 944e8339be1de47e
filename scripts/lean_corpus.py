#!/usr/bin/env python3
"""Runs the corpus of proofs through Lean alone and shows what it says, beside what must be judged.

usage: scripts/lean_corpus.py LEAN [CORPUS] [--only TEXT] [--verbose] [--fix]

LEAN is a binary as scripts/bare_lean.sh makes it. For each case the file that header, statement and response make is
compiled, in a folder of its own, with 10 seconds and 10 GB of addresses. Compared are the head's `plain` and, for what must be right,
that Lean accepts it and that its axioms are the usual three. Ends with 1 if something differs. --fix writes what Lean
said into the heads.

This runs what the cases hold, without a sandbox: they write files and try to end processes. Run it where that is fine.
"""

import argparse
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import tomllib

USUAL = {"propext", "Classical.choice", "Quot.sound"}
IMPORT = re.compile(r"\s*(public\s+)?import\s+\S+[^\n]*(\n|$)")


def read_case(path):
    """The head and the response, with what it is filled with."""
    text = path.read_bytes().decode("utf-8")
    head, body = text.removeprefix("+++\n").split("\n+++\n", 1)
    head = tomllib.loads(head)
    for fill in head.get("fill", []):
        assert fill["mark"] in body, f"{path}: {fill['mark']} is nowhere"
        body = body.replace(fill["mark"], fill["text"] * fill.get("times", 1))
    return head, body


def proof_text(response):
    """What a response holds: its last block, or all of it."""
    blocks = re.findall(r"^```(?:lean4?|)\n(.*?)^```", response, re.S | re.M)
    return blocks[-1] if blocks else response


def assemble(task, mode, response):
    """The file that is compiled."""
    text = proof_text(response)
    header = task.get("header", "")
    own_name = re.escape(task["statement"].split()[1].split(".{")[0].removeprefix("«").split()[0])
    if IMPORT.match(text):
        while found := IMPORT.match(text):
            text = text[found.end():]
        return text
    if mode == "file" or re.search(rf"^\s*(theorem|lemma)\s+«?{own_name}", text, re.M):
        return f"{header}\n{text}"
    if text.lstrip().startswith(":="):
        return f"{header}\n{task['statement']} {text}"
    return f"{header}\n{task['statement']} := {text}"


def limits():
    resource.setrlimit(resource.RLIMIT_AS, (10 << 30, 10 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def lean(binary, folder, text):
    """What Lean says: accepts, errors or dies, and its output."""
    (folder / "Case.lean").write_bytes(text.encode("utf-8", "surrogatepass"))
    command = [binary, "-o", "Case.olean", "Case.lean"]
    try:
        # In a process group of its own: what a case starts is not ended with this script.
        done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=10, preexec_fn=limits, env={"LEAN_BACKTRACE": "0"}, start_new_session=True)
    except subprocess.TimeoutExpired as late:
        return "dies", (late.stdout or b"").decode("utf-8", "replace") + "\n(not in time)"
    said = done.stdout.decode("utf-8", "replace")
    return {0: "accepts", 1: "errors"}.get(done.returncode, "dies"), f"{said}\n(status {done.returncode})"


def axioms(binary, folder, text, name):
    """The axioms that Lean names, as a set; none if it does not know the name."""
    _, said = lean(binary, folder, f"{text}\n\n#print axioms {name}\n")
    if "does not depend on any axioms" in said:
        return set()
    found = re.search(r"depends on axioms: \[(.*?)\]", said, re.S)
    return {part.strip() for part in found.group(1).split(",")} if found else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lean")
    parser.add_argument("corpus", nargs="?", default="verifiers/tests/lean_corpus")
    parser.add_argument("--only", default="", help="cases whose name has this text")
    parser.add_argument("--verbose", action="store_true", help="show what Lean prints")
    parser.add_argument("--fix", action="store_true", help="write Lean's answer into the heads")
    options = parser.parse_args()
    binary = str(pathlib.Path(options.lean).resolve())
    corpus = pathlib.Path(options.corpus)
    tasks = tomllib.loads((corpus / "tasks.toml").read_text(encoding="utf-8"))
    different, count = 0, {}
    for path in sorted(corpus.glob("h*/*.md")):
        name = f"{path.parent.name}/{path.stem}"
        if options.only not in name:
            continue
        head, response = read_case(path)
        task = tasks[head["task"]]
        text = assemble(task, head.get("mode", "proof"), response)
        right = head["expect"] == "right"
        with tempfile.TemporaryDirectory() as folder:
            said, output = lean(binary, pathlib.Path(folder), text)
            problems = []
            if said != head.get("plain"):
                problems.append(f"plain is {head.get('plain')}, Lean {said}")
            if right and said == "accepts" and "#exit" not in text:
                found = axioms(binary, pathlib.Path(folder), text, f"_root_.{task['name']}")
                if found is None or not found <= USUAL:
                    problems.append(f"is to be right and has the axioms {found}")
        if right and said != "accepts":
            problems.append("is to be right, and Lean does not accept it")
        count[name.split("/")[0], said] = count.get((name.split("/")[0], said), 0) + 1
        mark = "DIFFERS" if problems else "ok"
        print(f"{mark:8} {said:8} {'right' if right else 'not right':10} {name} {'; '.join(problems)}", flush=True)
        if options.verbose:
            print("    " + output[:3000].replace("\n", "\n    "))
        if options.fix and said != head.get("plain"):
            whole = path.read_text(encoding="utf-8")
            whole = re.sub(r'^plain = ".*"\n', "", whole, count=1, flags=re.M)
            whole = whole.replace("\nwhy = ", f'\nplain = "{said}"\nwhy = ', 1)
            path.write_text(whole, encoding="utf-8")
        different += bool(problems)
    print(", ".join(f"{kind} {said}: {n}" for (kind, said), n in sorted(count.items())))
    sys.exit(different > 0)


if __name__ == "__main__":
    main()
