#!/usr/bin/env python3
"""Renders chat templates with Python's jinja2, as transformers sets it up, so that the Rust renderer can be compared byte for byte.

    scripts/golden_templates.py                                rewrites tests/golden/templates/expected.json
    scripts/golden_templates.py --check                        fails when it would change that file
    scripts/golden_templates.py --out DIR --trl-wheel FILE.whl renders the templates inside a trl wheel into DIR
    scripts/golden_templates.py --out DIR --trl                the same, from the trl that this Python can import

Needs jinja2 (3.1 or newer) and nothing else; trl itself is never imported. A folder of goldens holds *.jinja, cases.json
(conversations, special tokens, the time) and expected.json: for each "template/conversation" the text, or the message
given to raise_exception, or the class of any other error.
"""

import argparse
import datetime
import importlib.util
import json
import pathlib
import shutil
import sys
import zipfile

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.sandbox

GOLDEN_FOLDER = pathlib.Path(__file__).resolve().parent.parent / "tests" / "golden" / "templates"


class GenerationTag(jinja2.ext.Extension):
    """{% generation %}...{% endgeneration %}: marks what the assistant wrote; the text passes through unchanged."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_pass_through"), [], [], body).set_lineno(line)

    def _pass_through(self, caller):
        return caller()


class Raised(jinja2.TemplateError):
    """What raise_exception throws."""


def raise_exception(message):
    raise Raised(message)


def environment(now):
    """The environment that transformers compiles chat templates in, with a clock that stands still."""

    def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(
            value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
        )

    env = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[GenerationTag, jinja2.ext.loopcontrols]
    )
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = now.strftime
    return env


def render(env, source, conversation, special_tokens):
    """One golden: {"text"}, {"raises"} (raise_exception's message) or {"fails"} (the class of another error)."""
    variables = dict(special_tokens)
    variables.update(conversation.get("extra", {}))
    try:
        text = env.from_string(source).render(
            messages=conversation["messages"],
            tools=conversation.get("tools"),
            documents=None,
            add_generation_prompt=conversation.get("add_generation_prompt", False),
            **variables,
        )
    except Raised as error:
        return {"raises": error.message}
    except Exception as error:  # Whatever class it has: the Rust side must fail too.
        return {"fails": type(error).__name__}
    return {"text": text}


def expected(folder, cases):
    """The goldens of every template in the folder with every conversation."""
    env = environment(datetime.datetime.fromisoformat(cases["now"]))
    goldens = {}
    for path in sorted(folder.glob("*.jinja")):
        # newline="" keeps carriage returns, which jinja2 itself normalizes.
        with path.open(encoding="utf-8", newline="") as file:
            source = file.read()
        conversations = list(cases["conversations"].items())
        if "messages" not in source:
            conversations = conversations[:1]  # All would give the same.
        for name, conversation in conversations:
            golden = render(env, source, conversation, cases["special_tokens"])
            goldens[f"{path.stem}/{name}"] = golden
    return goldens


def as_text(goldens):
    return json.dumps(goldens, ensure_ascii=False, indent=1) + "\n"


def trl_templates(wheel):
    """Names and bytes of the chat templates that a trl wheel, or the importable trl, carries."""
    if wheel is not None:
        with zipfile.ZipFile(wheel) as archive:
            names = [n for n in archive.namelist() if n.startswith("trl/") and n.endswith(".jinja")]
            return {pathlib.PurePosixPath(name).name: archive.read(name) for name in names}
    spec = importlib.util.find_spec("trl")
    if spec is None or spec.origin is None:
        sys.exit("golden_templates: no trl here; download it (pip download --no-deps trl) and give --trl-wheel FILE.whl")
    return {path.name: path.read_bytes() for path in pathlib.Path(spec.origin).parent.rglob("*.jinja")}


def write_trl(out, wheel):
    templates = trl_templates(wheel)
    if not templates:
        sys.exit(f"golden_templates: expected *.jinja files below trl/ in {wheel or 'the importable trl'}, found none")
    out.mkdir(parents=True, exist_ok=True)
    for name, source in templates.items():
        (out / name).write_bytes(source)
    shutil.copyfile(GOLDEN_FOLDER / "cases.json", out / "cases.json")
    cases = json.loads((out / "cases.json").read_text(encoding="utf-8"))
    goldens = expected(out, cases)
    (out / "expected.json").write_text(as_text(goldens), encoding="utf-8")
    rendered = sum("text" in golden for golden in goldens.values())
    print(f"{len(templates)} templates, {len(goldens)} renders, {rendered} of them with text, in {out}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    parser.add_argument("--out", type=pathlib.Path, help="folder for trl's goldens")
    parser.add_argument("--trl", action="store_true", help="take the templates of the importable trl")
    parser.add_argument("--trl-wheel", type=pathlib.Path, help="take the templates inside this wheel")
    options = parser.parse_args()
    if options.trl or options.trl_wheel:
        if options.out is None:
            parser.error("--trl and --trl-wheel need --out DIR: trl's templates are not ours to keep here")
        write_trl(options.out, options.trl_wheel)
        return
    cases = json.loads((GOLDEN_FOLDER / "cases.json").read_text(encoding="utf-8"))
    text = as_text(expected(GOLDEN_FOLDER, cases))
    target = GOLDEN_FOLDER / "expected.json"
    if options.check:
        if target.read_text(encoding="utf-8") != text:
            sys.exit(f"golden_templates: {target} is out of date; run scripts/golden_templates.py")
        return
    target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
