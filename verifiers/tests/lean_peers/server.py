"""A stand-in for Lean's language server: answers as it does, and misbehaves where a document asks for it.

What it is to do stands in the text of the document behind `--peer `, one thing on each line. `used THING` does it only
from the third version on: the first is the header alone. `header THING` does it in the first alone.
"""

import json
import os
import re
import sys
import threading
import time

NORMAL, FATAL = 1, 2
WORKER_CRASHED = -32902
num_versions = 0


def put(text):
    sys.stdout.buffer.write(text.encode())


def flush():
    sys.stdout.buffer.flush()


def framed(message):
    text = json.dumps(dict(message, jsonrpc="2.0"), ensure_ascii=False)
    return "Content-Length: %d\r\n\r\n%s" % (len(text.encode()), text)


def send(**message):
    put(framed(message))


def receive():
    length = None
    while True:
        line = sys.stdin.buffer.readline()
        if not line:
            sys.exit(0)
        if not line.strip():
            break
        name, value = line.split(b":")
        assert name == b"Content-Length"
        length = int(value)
    message = json.loads(sys.stdin.buffer.read(length))
    assert message["jsonrpc"] == "2.0"
    return message


def diagnostic(severity, line, column, text, **more):
    start = {"line": line, "character": column}
    return dict(range={"start": start, "end": start}, fullRange={}, severity=severity, message=text, source="Lean 4", **more)


def publish(uri, version, diagnostics, **more):
    params = dict(uri=uri, version=version, diagnostics=diagnostics, **more)
    send(method="textDocument/publishDiagnostics", params=params)


def progress(uri, version, *kinds):
    processing = [{"range": {"start": {"line": 0, "character": 0}, "end": {"line": 9, "character": 0}}, "kind": kind}
                  for kind in kinds]
    send(method="$/lean/fileProgress", params={"textDocument": {"uri": uri, "version": version}, "processing": processing})


def things(text):
    """What a document asks for, with the line."""
    for number, line in enumerate(text.split("\n")):
        found = re.search(r"--peer (\w+) ?(.*)", line)
        if not found:
            continue
        word, rest = found.groups()
        wanted = {"used": num_versions > 2, "header": num_versions == 1}
        if word in wanted:
            if not wanted[word]:
                continue
            word, _, rest = rest.partition(" ")
        yield number, word, rest


def elaborate(document, text):
    """Says all of a version up to the answer to the question for its diagnostics."""
    global num_versions
    num_versions += 1
    uri, version = document["uri"], document["version"]
    question = receive()
    assert question["method"] == "textDocument/waitForDiagnostics"
    assert question["params"] == {"uri": uri, "version": version}, question
    answer = dict(id=question["id"], result={})
    diagnostics, is_fatal = [], False
    progress(uri, version, NORMAL)
    for number, word, rest in things(text):
        if word == "say":
            severity, column, said = rest.split(" ", 2)
            diagnostics.append(diagnostic(int(severity), number, int(column), said))
        elif word == "count":
            said = "%d bodies after %r" % (num_versions - 1, text[: text.index("--peer count")])
            diagnostics.append(diagnostic(3, number, 0, said))
        elif word == "unsaid":
            diagnostics.append(diagnostic(3, number, 0, rest, isSilent=True))
        elif word == "early":
            diagnostics.append(diagnostic(int(rest), 0, 0, "of the header"))
        elif word == "part":
            publish(uri, version, diagnostics)
            put(framed({"method": "textDocument/publishDiagnostics", "params": {
                "uri": uri, "version": version, "isIncremental": True,
                "diagnostics": [diagnostic(1, number, 0, rest)]}}))
            diagnostics = None
        elif word == "stale":
            # All of an earlier version that could be taken for the end of this one.
            publish(uri, version - 1, [diagnostic(1, number, 0, "of before")])
            progress(uri, version - 1)
            progress(uri, version - 1, FATAL)
        elif word == "elsewhere":
            publish("file:///other", version, [diagnostic(1, number, 0, "of another document")])
            progress("file:///other", version, FATAL)
        elif word == "version":
            publish(uri, None if rest == "none" else version + int(rest), [])
        elif word == "progress":
            progress(uri, version + int(rest))
        elif word == "ask":
            send(id="ours", method="workspace/inlayHint/refresh")
            flush()
            assert receive()["id"] == "ours"
        elif word == "worker":
            progress(uri, version, FATAL)
            if rest != "mute":
                send(id=question["id"], error={"code": WORKER_CRASHED, "message": "Server process for the file crashed"})
            return
        elif word == "fatal":
            progress(uri, version)
            progress(uri, version, FATAL)
            is_fatal = True
        elif word == "refuse":
            answer = dict(id=question["id"], error={"code": -32801, "message": rest})
        elif word == "id":
            send(id=int(rest), result={})
        elif word == "twice":
            publish(uri, version, [])
            progress(uri, version)
            send(**answer)
        elif word == "unpublished":
            diagnostics = None
        elif word == "unfinished":
            is_fatal = True
        elif word == "mute":
            answer = None
        elif word == "slow":
            flush()
            time.sleep(float(rest))
        elif word == "hang":
            flush()
            time.sleep(1000)
        elif word == "die":
            flush()
            print("Watchdog error: " + rest, file=sys.stderr, flush=True)
            os._exit(1)
        elif word == "flood":
            while True:
                put("x" * 65536 if rest else framed({"method": "x/" + "x" * 65536}))
        elif word == "pile":
            while True:
                publish(uri, version, [diagnostic(3, number, 0, "x" * 4096)], isIncremental=True)
        elif word == "nag":
            while True:
                send(id="x" * 4096, method="workspace/inlayHint/refresh")
        elif word == "raw":
            put(rest.encode().decode("unicode_escape"))
        elif word == "half":
            put(framed(answer)[: int(rest)])
            flush()
            os._exit(0)
        elif word == "late":
            later = {
                "rubbish": "rubbish\r\n",
                "answer": framed(answer),
                "hint": framed({"id": 7, "method": "workspace/inlayHint/refresh"}),
                "half": "Content-Length: 30\r\n\r\n{",
                "progress": framed({"method": "$/lean/fileProgress", "params": {
                    "textDocument": {"uri": uri, "version": version}, "processing": [{"kind": FATAL}]}}),
                "next": framed({"method": "textDocument/publishDiagnostics", "params": {
                    "uri": uri, "version": version + 1, "diagnostics": [diagnostic(1, 0, 0, "forged")]}}),
            }[rest]
            threading.Thread(target=lambda: (time.sleep(0.05), put(later), flush())).start()
        else:
            raise SystemExit("no such thing: " + word)
    if diagnostics is not None:
        publish(uri, version, [])
        publish(uri, version, diagnostics)
    if not is_fatal:
        progress(uri, version)
        progress(uri, version)
    if answer:
        send(**answer)


def main():
    text = None
    while True:
        message = receive()
        method, params = message.get("method"), message.get("params")
        if method == "initialize":
            assert "capabilities" in params
            send(id=message["id"], result={"capabilities": {"textDocumentSync": {"change": 2}}})
            send(id="register", method="client/registerCapability", params={})
        elif method == "textDocument/didOpen":
            elaborate(params["textDocument"], params["textDocument"]["text"])
        elif method == "textDocument/didChange":
            (change,) = params["contentChanges"]
            elaborate(params["textDocument"], change["text"])
        else:
            assert method in (None, "initialized"), message
        flush()


main()
