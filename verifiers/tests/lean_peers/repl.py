"""A stand-in for the REPL of the Lean community: answers as it does, and misbehaves where a text asks for it.

What it is to do stands in the text of a command or a tactic behind `--peer `, one thing on each line. `used THING` does it
only where the process has run a command besides its header, `many THING` where it has run three, `header THING` only where
the command is the header.
"""

import ctypes
import json
import os
import re
import sys
import threading
import time

commands, states = [], []


def write(text):
    """What is written by one text goes out at once, unless it is to be slow."""
    sys.stdout.write(text)


def flush():
    sys.stdout.flush()


def show(answer):
    return json.dumps(answer, indent=1, ensure_ascii=False) + "\n\n"


def later(seconds, text):
    threading.Thread(target=lambda: (time.sleep(seconds), write(text), flush())).start()


def place(line, column):
    return {"line": int(line), "column": int(column)}


def misbehave(word, rest, answer):
    """Things that any text can ask for. What it returns is the answer then; none: nothing more is said."""
    if word == "die":
        print("uncaught exception: " + rest, file=sys.stderr, flush=True)
        os._exit(1)
    elif word == "segfault":
        ctypes.string_at(0)
    elif word == "hang":
        flush()
        time.sleep(1000)
    elif word == "slow":
        flush()
        time.sleep(float(rest))
    elif word == "eat":
        bytes(int(rest)).replace(b"\0", b"x")
    elif word == "raw":
        write(rest.encode().decode("unicode_escape"))
    elif word == "late":
        later(0.05, rest.encode().decode("unicode_escape"))
    elif word == "flood":
        while True:
            write("x" * 65536)
    elif word == "half":
        write(show(answer)[: int(rest)])
        flush()
        os._exit(0)
    elif word == "twice":
        write(show(answer))
    elif word == "instead":
        return json.loads(rest)
    elif word == "mute":
        return None
    elif word == "put":
        answer.update(json.loads(rest))
    else:
        raise SystemExit("no such thing: " + word)
    return answer


def things(text):
    """What a text asks for."""
    for word, rest in re.findall(r"--peer (\w+) ?(.*)", text):
        wanted = {"used": len(commands) > 2, "many": len(commands) > 4, "header": len(commands) == 1}
        if word in wanted:
            if not wanted[word]:
                continue
            word, _, rest = rest.partition(" ")
        yield word, rest


def command(request):
    text = request["cmd"]
    if "env" in request and request["env"] not in range(len(commands)):
        return {"message": "Unknown environment."}
    if "env" in request and re.match(r"\s*import ", text):
        return {"message": "Lean error:\ninvalid 'import' command"}
    commands.append(text)
    answer = {"env": len(commands) - 1}
    messages, sorries = [], []
    theorem = re.search(r"theorem \w+ : (.*) := by sorry\s*$", text)
    if theorem:
        states.append([theorem.group(1)])
        sorries.append({"goal": states[-1][0], "proofState": len(states) - 1, "pos": place(1, 0), "endPos": place(1, 5)})
        messages.append(("warning", 1, 8, "declaration uses `sorry`"))
    for word, rest in things(text):
        if word == "say":
            severity, line, column, said = rest.split(" ", 3)
            messages.append((severity, line, column, said.replace("\\n", "\n")))
        elif word == "count":
            said = "%d bodies after %r" % (len(commands) - 1, commands[0])
            messages.append(("info", 1, 0, said))
        elif word == "sorry":
            states.append([rest])
            sorries.append({"goal": rest, "proofState": len(states) - 1, "pos": place(1, 0), "endPos": place(1, 5)})
        else:
            answer = misbehave(word, rest, answer)
            if answer is None:
                return None
    if messages:
        answer["messages"] = [
            {"severity": severity, "pos": place(line, column), "endPos": None, "data": said}
            for severity, line, column, said in messages
        ]
    if sorries:
        answer["sorries"] = sorries
    return answer


def tactic(request):
    if request["proofState"] not in range(len(states)):
        return {"message": "Unknown proof state."}
    goals = list(states[request["proofState"]])
    text = request["tactic"]
    commands.append(text)
    answer, status = {}, None
    if text.startswith("close"):
        goals = goals[1:]
    elif text.startswith("split"):
        goals = ["left of " + goals[0], "right of " + goals[0]] + goals[1:]
    elif text.startswith("intro"):
        goals = ["h : P\n⊢ " + goals[0]] + goals[1:]
    elif text.startswith("exact unknown"):
        goals, status = [], "Incomplete: contains sorry"
        answer["messages"] = [{"severity": "error", "data": "unknown identifier 'unknown'"}]
    elif text.startswith("fail"):
        return {"message": "Lean error:\n<input>:1:0: tactic 'fail' failed"}
    elif text.startswith("sorry"):
        states.append(["⊢ False"])
        answer["sorries"] = [{"goal": "⊢ False", "proofState": len(states) - 1}]
        goals, status = [], "Incomplete: contains sorry"
    elif text.startswith("admit"):
        goals, status = [], "Incomplete: contains sorry"
    elif text.startswith("warn"):
        answer["messages"] = [
            {"severity": "warning", "pos": place(1, 0), "endPos": None, "data": "this is discouraged"}
        ]
    elif text.startswith("end "):
        goals, status = [], text[4:].partition("\n")[0]
    states.append(goals)
    answer.update(proofState=len(states) - 1, goals=goals)
    answer["proofStatus"] = status or ("Incomplete: open goals remain" if goals else "Completed")
    for word, rest in things(text):
        answer = misbehave(word, rest, answer)
        if answer is None:
            return None
    if answer.get("proofStatus", "") is None:
        del answer["proofStatus"]
    return answer


def main():
    lines = []
    for line in sys.stdin:
        if line.strip() and not line.startswith(("#", "--")):
            lines.append(line.rstrip("\n"))
        if line.strip() or not lines:
            continue
        request = json.loads("".join(lines))
        lines = []
        answer = tactic(request) if "tactic" in request else command(request)
        if answer is not None:
            write(show(answer))
        flush()


main()
