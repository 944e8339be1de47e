"""Makes pairs of a reference answer and a response whose right verdict is known by how the response was made.

Used by scripts/math_agreement.py. The answers are those of MATH and GSM8K; needs sympy. A response is the answer itself
in some phrasing, another form of the same value, or something that was made wrong. Where a change may by chance have
kept the value (a digit below a fraction's zero), the values are compared and such a response is thrown away.
"""

import gzip
import json
import random
import re

import sympy

from math_reading import MATRIX, TUPLE, members, read, sort_of, surely_differs

SCALARS = ("integer", "decimal", "fraction", "expression")
UNITS = {"cm": "m", "inches": "feet", "feet": "inches", "meters": "miles", "hours": "minutes", "dollars": "cents"}
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


# ---------------------------------------------------------------------------------------------------- equal forms


def tex(value):
    return sympy.latex(value)


def inner_joined(shape, parts, gap=", "):
    return shape[1] + gap.join(parts) + shape[3]


def terms_turned(gold):
    """A sum with its terms in the other order."""
    value = read(gold)
    if value is None or not value.is_Add:
        return None
    parts = [tex(term) for term in sympy.Add.make_args(sympy.expand(value))]
    if len(parts) < 2:
        return None
    parts.reverse()
    return "".join(part if part.startswith("-") or i == 0 else "+" + part for i, part in enumerate(parts))


def plain(gold):
    """Without LaTeX, as one would type it."""
    text = re.sub(r"\\left|\\right|\\[,;!]", "", gold)
    group = r"\{([^{}]*)\}"
    for _ in range(4):
        text = re.sub(r"\\sqrt\s*(\d)(?!\d)", r"\\sqrt{\1}", text)
        text = re.sub(r"\\sqrt" + group, r"sqrt(\1)", text)
        text = re.sub(r"\\[dt]?frac" + group + group, r"((\1)/(\2))", text)
        text = re.sub(r"\^" + group, r"^(\1)", text)
    text = text.replace("\\pi", "pi").replace("\\cdot", "*")
    text = re.sub(r"(\d|\))\s*(sqrt|pi)", r"\1*\2", text)
    return None if "\\" in text or text == gold else text


def unicode_form(gold):
    """With Unicode's signs instead of commands."""
    text = re.sub(r"\\sqrt\s*(?:\{(\d+)\}|(\d))", r"√\1\2", gold).replace("\\pi", "π")
    text = re.sub(r"\^\{?(\d)\}?", lambda m: m[1].translate(SUPERSCRIPTS), text).replace("-", "−")
    text = text.replace("\\infty", "∞").replace("\\cup", "∪").replace("^\\circ", "°").replace("^{\\circ}", "°")
    return None if "\\" in text or text == gold else text


def decimal_form(value):
    """The digits of a fraction that ends."""
    if not value.is_Rational or value.is_Integer:
        return None
    rest = value.q
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest != 1:
        return None
    places = next(n for n in range(60) if (value * 10**n).is_Integer)
    digits = str(abs(value.p) * 10**places // value.q).rjust(places + 1, "0")
    return ("-" if value < 0 else "") + digits[:-places] + "." + digits[-places:]


def mixed_form(value):
    if not value.is_Rational or value.is_Integer or abs(value) < 1:
        return None
    whole, rest = divmod(abs(value.p), value.q)
    return f"{'-' if value < 0 else ''}{whole}\\frac{{{rest}}}{{{value.q}}}"


def equal_forms(gold, sort, rng):
    """(class, text) of other forms of the same answer."""
    value = read(gold)
    yield "dfrac", re.sub(r"\\[dt]?frac", rng.choice([r"\\dfrac", r"\\tfrac"]), gold) if "frac" in gold else None
    if sort not in ("text", "letter", "thousands"):
        yield "spacing", spaced(gold, rng)
        yield "unicode", unicode_form(gold)
    if sort in (*SCALARS, "polynomial"):
        yield "prefix", rng.choice(["x", "S", "A", "m", "\\text{Area}"]) + f" = {gold}" if sort in SCALARS else None
        yield "plain", plain(gold)
        yield "brackets", f"\\left({gold}\\right)"
        yield from forms_of_value(value, sort, rng)
    if sort in ("tuple", "list", "interval", "matrix"):
        yield from forms_of_many(gold, sort, rng)
    if sort == "thousands":
        yield "separators", re.sub(r",(\s*\\!\s*)?", rng.choice(["", "{,}", ","]), gold)
    if sort == "unit":
        yield "unit dropped", without_unit(gold)
    if sort == "integer" and abs(value) < 10**6:
        yield "unit added", gold + rng.choice(["\\text{ cm}", "\\text{ apples}", " \\text{ units}"])
    if sort == "letter":
        letter = re.search(r"[A-Z]\b", gold)[0]
        yield "letter", rng.choice([letter, f"({letter})", f"\\textbf{{({letter})}}", f"\\text{{{letter}}}"])
    if sort == "text":
        word = re.search(r"\{\s*(.*?)\s*\}", gold)[1]
        yield "text", rng.choice([word, f"\\mathrm{{{word}}}" if " " not in word else word, f"\\textbf{{{word}}}"])
        yield "text's case", f"\\text{{{word.swapcase() if len(word) < 4 else word.capitalize()}}}"
    if sort == "relation" and gold.count("=") == 1 and "," not in gold and not re.search(r"\\[lg]e|<|>", gold):
        left, right = map(str.strip, gold.split("="))
        yield "equation", rng.choice([f"{right} = {left}", f"{left} - ({right}) = 0", f"3({left}) = 3({right})"])
        if re.fullmatch("[a-z]", left) and read(right) is not None and not read(right).free_symbols:
            yield "prefix dropped", right
    if sort == "base":
        digits, base = gold.split("_")
        yield "base", (
            f"{digits}_{base[1:-1]}" if base[0] == "{" and len(base) == 3 else f"{digits}_{{{base.strip('{}')}}}"
        )


def forms_of_value(value, sort, rng):
    if value.is_Rational:
        k = rng.randint(2, 9)
        yield "unreduced", f"\\frac{{{value.p * k}}}{{{value.q * k}}}"
        yield "decimal", decimal_form(value)
        yield "mixed number", mixed_form(value)
        if value.q != 1:
            yield "slash", f"{value.p}/{value.q}"
        cents = decimal_form(value * 100) or (str(value * 100) if (value * 100).is_Integer else None)
        if sort in ("decimal", "fraction") and cents:
            yield "per cent", cents + "\\%"
        if value.is_Integer:
            a = rng.randint(1, 50)
            yield "arithmetic", rng.choice([f"{value - a} + {a}", f"{value + a} - {a}", f"\\frac{{{value * 4}}}{{4}}"])
            yield "zeros", f"{value}.{'0' * rng.randint(1, 3)}"
        return
    yield "reordered", terms_turned(tex(value))
    yield "normal form", tex(sympy.radsimp(value) if sort == "expression" else sympy.expand(value))
    if sort == "polynomial":
        yield "factored", tex(sympy.factor(value))
        yield "together", tex(sympy.together(value))
        letter = sorted(value.free_symbols, key=str)[0]
        yield "added and taken away", f"{tex(sympy.expand(value + 5 * letter))} - 5{letter}"
        return
    k = rng.randint(2, 7)
    yield "root unreduced", re.sub(
        r"\\sqrt\{(\d+)\}", lambda m: f"\\frac{{\\sqrt{{{int(m[1]) * k * k}}}}}{{{k}}}", tex(value), count=1
    )
    yield "inverse", f"\\frac{{1}}{{{tex(sympy.radsimp(1 / value))}}}"
    yield "as a square root", (
        f"\\sqrt{{{tex(sympy.expand(value**2))}}}" if value.is_real and value.is_positive else None
    )
    yield "doubled and halved", f"\\frac{{{tex(sympy.expand(2 * value))}}}{{2}}"


def forms_of_many(gold, sort, rng):
    shape, matrix = TUPLE.fullmatch(gold), MATRIX.fullmatch(gold)
    if matrix:
        other = "bmatrix" if matrix[1] == "pmatrix" else "pmatrix"
        yield "brackets", f"\\begin{{{other}}}{matrix[2]}\\end{{{other}}}"
        yield "members' forms", f"\\begin{{{matrix[1]}}}{each(matrix[2], rng)}\\end{{{matrix[1]}}}"
    elif sort == "list":
        parts = members(gold)
        turned = rng.choice([list(reversed(parts)), parts[1:] + parts[:1]])
        yield "list turned", rng.choice([", ", ",", "\\text{ and }" if len(parts) == 2 else ", "]).join(turned)
        yield "members' forms", each(gold, rng)
    elif shape and sort in ("tuple", "interval") and "\\cup" not in gold:
        parts = members(shape[2])
        yield "sizes", f"\\left{shape[1]}" + ",".join(parts) + f"\\right{shape[3]}"
        yield "members' forms", inner_joined(shape, [each(part, rng) for part in parts])
        if sort == "tuple":
            yield "bare list for tuple", ", ".join(parts)
            yield "names of members", (
                ("(x,y) = " if len(parts) == 2 else "(x,y,z) = ") + gold if len(parts) < 4 else None
            )
        if sort == "interval":
            yield "name of the unknown", f"x \\in {gold}"
            yield "inequality", inequality(shape, parts)
    if "\\cup" in gold:
        yield "union turned", " \\cup ".join(reversed([part.strip() for part in gold.split("\\cup")]))


def inequality(shape, parts):
    if len(parts) != 2:
        return None
    low = parts[0] + (" < " if shape[1] == "(" else " \\le ") if "infty" not in parts[0] else ""
    high = (" < " if shape[3] == ")" else " \\le ") + parts[1] if "infty" not in parts[1] else ""
    if low and not high:
        return "x" + (" > " if shape[1] == "(" else " \\ge ") + parts[0]
    return f"{low}x{high}" if low or high else None


def each(text, rng):
    """Fractions as decimals or other fractions, integers with zeros, inside of something else."""

    def another(match):
        value = read(match[0])
        forms = [decimal_form(value), f"\\dfrac{{{value.p}}}{{{value.q}}}", f"{value.p}/{value.q}"]
        return rng.choice([form for form in forms if form])

    changed = re.sub(r"-?\\[dt]?frac\{\d+\}\{\d+\}", another, text)
    if changed == text and "_" not in text and "^" not in text:
        changed = re.sub(r"(?<![\d.{a-z])-?\d+(?![\d.}a-z])", lambda m: m[0] + ".0", text, count=1)
    return changed


def spaced(gold, rng):
    """Blanks where TeX ignores them."""
    gap = rng.choice([" ", "\\,", "\\ ", "\\;"])
    changed = re.sub(r"\s*([+,]|\\cdot|\\cup)\s*", lambda m: gap + m[1] + gap, gold) if "\\!" not in gold else gold
    return changed if changed != gold else f"{gap}{gold}{gap}"


def without_unit(gold):
    text = re.sub(r"\\(text|mbox)\{[^}]*\}(\^\{?\d\}?)?|\^\{?\\circ\}?|\\%|\\\$", "", gold).strip()
    return text if read(text) is not None and text != gold else None


# ---------------------------------------------------------------------------------------------------- wrong forms


def wrong_forms(gold, sort, rng, others):
    """(class, text) of answers that are not the gold one."""
    value = read(gold)
    numeric = sort not in ("text", "letter", "other")
    if numeric:
        yield "digit", changed_digit(gold, rng)
        yield "digit added", re.sub(r"\d+", lambda m: m[0] + str(rng.randint(0, 9)), gold, count=1)
        yield "exponent", (
            re.sub(r"\^\{?(\d+)\}?", lambda m: f"^{{{int(m[1]) + 1}}}", gold, count=1) if "circ" not in gold else None
        )
        yield "operator", swapped_operator(gold, rng)
        yield "fraction turned", re.sub(r"frac\{([^{}]*)\}\{([^{}]*)\}", r"frac{\2}{\1}", gold, count=1)
        yield "root dropped", re.sub(r"\\sqrt\{(\w+)\}", r"\1", gold, count=1) if sort != "other" else None
        yield "pi dropped", gold.replace("\\pi", "") if re.search(r"\d\s*\\pi", gold) else None
    yield "another answer", rng.choice(others)
    if value is not None:
        yield from wrong_values(gold, value, sort, rng)
    yield from wrong_many(gold, sort, rng)
    if sort == "text":
        word = re.search(r"\{\s*(.*?)\s*\}", gold)[1]
        mixed = "".join(rng.sample(word, len(word)))
        yield "anagram", mixed if mixed.lower() != word.lower() and not mixed.startswith(" ") else None
        yield "word denied", f"\\text{{not {word}}}"
        yield "word longer", f"\\text{{{word}ish}}"
        yield "word cut", f"\\text{{{word[:-1]}}}" if len(word) > 2 else None
    if sort == "letter":
        letter = re.search(r"[A-Z]\b", gold)[0]
        yield "letter", f"\\text{{({'ABCDE'[('ABCDE'.find(letter) + 1) % 5]})}}"
        yield "two letters", f"\\text{{{letter} or {'ABCDE'[('ABCDE'.find(letter) + 2) % 5]}}}"
    if sort == "unit":
        yield "unit", other_unit(gold)
        yield "sign", "-" + gold if gold[0] not in "-\\" else None
    if sort == "base":
        digits, base = gold.split("_")
        yield "base", f"{digits}_{{{(int(base.strip('{}')) + 1)}}}"


def wrong_values(gold, value, sort, rng):
    if value != 0:
        yield "sign", gold[1:] if gold.startswith("-") else f"-({gold})" if value.is_Add else "-" + gold
    if value.is_Integer:
        yield "off by one", str(value + rng.choice([-1, 1]))
        yield "off by a little", f"{value}.{'0' * rng.randint(2, 8)}1"
        yield "ten times", f"{value}0"
        yield "set for a number", f"\\{{{value}, {value + 1}\\}}"
    if not value.free_symbols and not value.is_Rational and value.is_real:
        yield "rounded", str(sympy.N(value, rng.choice([3, 4, 6])))
        yield "rounded to many digits", str(sympy.N(value, rng.choice([9, 12, 16])))
    if value.is_Rational and not value.is_Integer and decimal_form(value) is None:
        yield "fraction rounded", f"{float(value):.{rng.choice([2, 3, 5, 8])}f}"
    if value.free_symbols:
        letter = str(sorted(value.free_symbols, key=str)[0])
        other = rng.choice([x for x in "abkmntuvwyz" if x not in gold and x != letter])
        yield "another letter", re.sub(rf"(?<![a-zA-Z\\]){letter}(?![a-zA-Z])", other, gold)
        yield "constant added", f"{gold} + 1"
        yield "number for a formula", str(value.subs({x: 2 for x in value.free_symbols}))
    if value.is_Add:
        yield "term dropped", tex(value - rng.choice(value.args))


def wrong_many(gold, sort, rng):
    shape, matrix = TUPLE.fullmatch(gold), MATRIX.fullmatch(gold)
    if sort == "tuple":
        parts = members(shape[2])
        i = rng.randrange(len(parts) - 1)
        swapped = [*parts[:i], parts[i + 1], parts[i], *parts[i + 2 :]]
        yield "members swapped", inner_joined(shape, swapped) if surely_differs(parts[i], parts[i + 1]) else None
        yield "member dropped", inner_joined(shape, parts[:-1]) if len(parts) > 2 else parts[0]
        yield "member added", inner_joined(shape, [*parts, "1"])
        yield "set for tuple", "\\{" + ", ".join(parts) + "\\}"
        yield "member's sign", inner_joined(shape, [turned_sign(parts[0]), *parts[1:]])
    if sort == "list":
        parts = members(gold)
        yield "member dropped", ", ".join(parts[:-1])
        yield "member added", ", ".join([*parts, str(rng.randint(50, 99))])
        yield "member's sign", ", ".join([turned_sign(parts[0]), *parts[1:]])
    if sort == "interval" and shape and "\\cup" not in gold:
        parts = members(shape[2])
        if "infty" not in parts[0]:
            yield "bracket", ("[" if shape[1] == "(" else "(") + ",".join(parts) + shape[3]
        elif "infty" not in parts[1]:
            yield "bracket", shape[1] + ",".join(parts) + ("]" if shape[3] == ")" else ")")
    if "\\cup" in gold:
        yield "part dropped", gold.split("\\cup")[0].strip()
        yield "intersection", gold.replace("\\cup", "\\cap")
    if matrix:
        rows = [row.split("&") for row in matrix[2].split("\\\\")]
        turned = " \\\\ ".join(" & ".join(column) for column in zip(*rows))
        yield "transposed", (
            f"\\begin{{{matrix[1]}}}{turned}\\end{{{matrix[1]}}}" if len(rows) > 1 or len(rows[0]) > 1 else None
        )
        yield "row dropped", (
            f"\\begin{{{matrix[1]}}}{' & '.join(rows[0])}\\end{{{matrix[1]}}}" if len(rows) > 1 else None
        )


def turned_sign(text):
    return text[1:] if text.startswith("-") else "-" + text if not re.search(r"[+-]", text) else f"-({text})"


def changed_digit(gold, rng):
    places = [m.start() for m in re.finditer(r"\d", gold)]
    if not places:
        return None
    i = rng.choice(places)
    return gold[:i] + rng.choice([d for d in "123456789" if d != gold[i]]) + gold[i + 1 :]


def swapped_operator(gold, rng):
    places = [m.start(1) for m in re.finditer(r"[\w})]\s*([+-])\s*[\w\\({]", gold)]
    if not places:
        return None
    i = rng.choice(places)
    return gold[:i] + ("-" if gold[i] == "+" else "+") + gold[i + 1 :]


def other_unit(gold):
    for unit, other in UNITS.items():
        if re.search(rf"\b{unit}\b", gold):
            return re.sub(rf"\b{unit}\b", other, gold)
    if "\\circ" in gold:
        return re.sub(r"\^\{?\\circ\}?", r"\\text{ radians}", gold)
    return gold.replace("\\$", "€") if "\\$" in gold else None


# ---------------------------------------------------------------------------------------------------- responses

PHRASES = [
    ("box", "Therefore, the answer is $\\boxed{@}$."),
    ("box", "We get\n\\[\\boxed{@}.\\]"),
    ("box", "Adding up what was found above, we have \\boxed{@}"),
    ("box", "**Final Answer**\n\n$$\\boxed{@}$$"),
    (
        "box after thinking",
        "<think>\nFirst try: \\boxed{17}. No, that forgets a case.\n</think>\nThe result is $\\boxed{@}$.",
    ),
    ("sentence", "The answer is $@$."),
    ("sentence", "So the final answer is $@$. I hope that this helps."),
    ("label", "Final answer: $@$"),
    ("label", "We add the two parts.\n**Answer:** $@$"),
    ("mark", "Step by step this gives the result.\n#### $@$"),
]
DISHONEST = [
    ("denied", "The answer is not $@$."),
    ("denied in a box", "It cannot be $\\boxed{@}$."),
    ("doubted", "The answer might be $@$, but I am not sure."),
    ("taken back", "The answer is $@$. No, that is wrong."),
    ("in passing", "I considered $@$ at first, but I cannot solve this problem."),
    ("two answers", "The answer is $@$ or $#$."),
    ("two answers in a box", "$\\boxed{@ \\text{ or } #}$"),
    ("another box after it", "First we find $\\boxed{@}$, but with the last condition this becomes $\\boxed{#}$."),
    ("only thought", "<think>It must be \\boxed{@}.</think>\nThe answer is $\\boxed{#}$."),
]


def phrased(text, rng):
    """The text in a phrasing, most often in a box."""
    return rng.choice(PHRASES[:4] if rng.random() < 0.7 else PHRASES)[1].replace("@", text)


def candidates(row, sort, rng, others):
    """All pairs that can be made of one problem: (class, response, what was made, truth)."""
    gold = row["gold"]
    for name, phrase in PHRASES:
        if not (name == "mark" and sort in ("text", "letter")):
            yield f"as it is: {name}", phrase.replace("@", gold), gold, True
    yield "as it is: solution", row["solution"], gold, True
    other = rng.choice(others)
    for name, text in equal_forms(gold, sort, rng):
        if text and text != gold:
            yield f"form: {name}", phrased(text, rng), text, True
    for name, text in wrong_forms(gold, sort, rng, others):
        if text and surely_differs(gold, text):
            yield f"wrong: {name}", phrased(text, rng), text, False
    if surely_differs(gold, other):
        for name, phrase in DISHONEST:
            yield f"dishonest: {name}", phrase.replace("@", gold).replace("#", other), gold, False
        late = f"First we find $\\boxed{{{other}}}$, but with the last condition this becomes $\\boxed{{{gold}}}$."
        yield "as it is: the second box", late, gold, True


def rows(data):
    """The problems: gold, solution, source."""
    for name in ("math/train_4500", "math/math500", "gsm8k/train"):
        with gzip.open(data / f"{name}.jsonl.gz", "rt", encoding="utf-8", newline="\n") as lines:
            for line in lines:
                row = json.loads(line)
                gsm8k = name.startswith("gsm8k")
                solution = row["answer"] if gsm8k else row["solution"]
                gold = solution.rsplit("####")[-1].strip() if gsm8k else row["answer"].strip()
                yield {"gold": gold, "solution": solution, "source": name}


def make(data, seed, per_class):
    """The pairs: at most `per_class` of each class, spread over the sorts of answers."""
    rng = random.Random(seed)
    by_sort = {}
    for row in rows(data):
        by_sort.setdefault(sort_of(row["gold"]), []).append(row)
    by_class = {}
    for sort, group in sorted(by_sort.items()):
        answers = sorted({row["gold"] for row in group})
        for row in rng.sample(group, min(len(group), 150)):
            others = [rng.choice(answers) for _ in range(3)]
            for name, response, made, truth in candidates(row, sort, rng, others):
                pair = {"class": name, "sort": sort, "truth": truth, "gold": row["gold"], "made": made}
                by_class.setdefault(name, {}).setdefault(sort, []).append({**pair, "response": response})
    pairs = []
    for name, sorts in sorted(by_class.items()):
        queues = [rng.sample(group, len(group)) for _, group in sorted(sorts.items())]
        taken, seen = [], set()
        while any(queues) and len(taken) < per_class:
            for queue in queues:
                pair = queue.pop() if queue else None
                if pair and len(taken) < per_class and (pair["gold"], pair["response"]) not in seen:
                    seen.add((pair["gold"], pair["response"]))
                    taken.append(pair)
        pairs += taken
    return [{"id": i, **pair} for i, pair in enumerate(pairs)]
