"""Reads answers of MATH and GSM8K as far as scripts/math_pairs.py needs it: their sort, their value, whether two differ.

A reader of its own, so that what is compared with Math-Verify does not come from Math-Verify. Needs sympy.
"""

import re
from itertools import islice, permutations

import sympy


class Unread(Exception):
    """The text is not in the small language that this file reads."""


TOKEN = re.compile(r"\s+|\\[,;! ]|\\(?:left|right|!)|(\d+(?:\.\d+)?|\.\d+|\\[a-zA-Z]+|.)", re.S)


def tokens(text):
    """The tokens of a piece of LaTeX without blanks and sizes."""
    return [m.group(1) for m in TOKEN.finditer(text.strip().rstrip(".")) if m.group(1)]


class Reader:
    """A reader of plain expressions: numbers, letters, roots, fractions, powers."""

    def __init__(self, text):
        self.tokens, self.i = tokens(text), 0

    def peek(self):
        return self.tokens[self.i] if self.i < len(self.tokens) else ""

    def take(self, wanted=None):
        token = self.peek()
        if not token or (wanted and token != wanted):
            raise Unread(token)
        self.i += 1
        return token

    def whole(self):
        value = self.sum()
        if self.peek():
            raise Unread(self.peek())
        return value

    def sum(self):
        sign = -1 if self.peek() == "-" else 1
        if self.peek() in ("-", "+"):
            self.take()
        value = sign * self.product()
        while self.peek() in ("+", "-"):
            value = value + self.product() if self.take() == "+" else value - self.product()
        return value

    def product(self):
        value, last = self.power()
        while True:
            token = self.peek()
            if token in ("\\cdot", "\\times", "*"):
                self.take()
                factor, last = self.power()
                value *= factor
            elif token == "/":
                self.take()
                factor, last = self.power()
                value /= factor
            elif token and (token in "({|" or token[0].isalnum() or token[0] == "\\"):
                if token[0].isdigit() and last != "bracket":
                    raise Unread(token)
                mixed = last == "number" and re.fullmatch(r"\\[dt]?frac", token)
                factor, last = self.power()
                value = value + factor if mixed and factor.is_Rational else value * factor
            else:
                return value

    def power(self):
        value, sort = self.atom()
        if self.peek() == "^":
            self.take()
            value, sort = value ** self.argument(), "bracket"
        return value, sort

    def argument(self):
        """What follows a command: a group, or one token, of which a number gives one digit."""
        token = self.take()
        if token == "{":
            value = self.sum()
            self.take("}")
            return value
        if token[0].isdigit() and len(token) > 1:
            if not token.isdigit():
                raise Unread(token)
            self.i -= 1
            self.tokens[self.i] = token[1:]
            token = token[0]
        self.i -= 1
        self.tokens[self.i] = token
        return self.atom()[0]

    def atom(self):
        token = self.take()
        if token[0].isdigit() or token[0] == ".":
            return sympy.Rational(token), "number"
        if token in ("(", "{"):
            value = self.sum()
            self.take(")" if token == "(" else "}")
            return value, "bracket"
        if re.fullmatch(r"\\[dtc]?frac", token):
            top = self.argument()
            return top / self.argument(), "fraction"
        if token == "\\sqrt":
            index = 2
            if self.peek() == "[":
                self.take()
                index = sympy.Rational(self.take())
                self.take("]")
            return self.argument() ** sympy.Rational(1, index), "bracket"
        if token == "\\pi":
            return sympy.pi, "letter"
        if token == "i":
            return sympy.I, "letter"
        if token.isascii() and token.isalpha() and token != "e" and self.peek() != "_":
            return sympy.Symbol(token), "letter"
        raise Unread(token)


def read(text):
    """The value of an expression, or None."""
    try:
        value = Reader(text).whole()
    except (Unread, ZeroDivisionError, ValueError, TypeError, RecursionError):
        return None
    return None if value.has(sympy.zoo, sympy.nan) else value


def equal(a, b):
    """Whether two values are equal; by numbers put in for the letters, which is enough for what is made here."""
    letters = sorted(a.free_symbols | b.free_symbols, key=str)
    for point in ((3, 7, 11, 5, 13, 17), (2.5, 1.25, 0.75, 9.5, 4.25, 6.5)):
        put = dict(zip(letters, map(sympy.Rational, point)))
        if abs(sympy.N((a - b).subs(put), 40)) > 1e-25:
            return False
    return True


def bare(text):
    """The text without blanks, sizes and sorts of fractions; a word or a choice's letter without its dress."""
    word = re.fullmatch(r"\(?(?:\\(?:text|mbox|textbf|mathrm)\{)?\s*\(?([A-Za-z ]+?)\)?\s*\}?\)?", text)
    return word[1] if word else "".join(tokens(re.sub(r"\\[dtc]frac", r"\\frac", text)))


def members(text):
    """What stands between the commas outside of all brackets."""
    parts, depth, start = [], 0, 0
    for i, sign in enumerate(text):
        depth += (sign in "([{") - (sign in ")]}")
        if sign == "," and depth == 0:
            parts.append(text[start:i].strip())
            start = i + 1
    return [*parts, text[start:].strip()]


TUPLE = re.compile(r"\s*(?:\\left)?([(\[])(.*?)(?:\\right)?([)\]])\s*", re.S)
MATRIX = re.compile(r"\s*\\begin\{(pmatrix|bmatrix)\}(.*)\\end\{\1\}\s*", re.S)


def surely_differs(a, b):
    """Whether two answers of one shape differ, member by member where there are several."""
    if bare(a) == bare(b):
        return False
    x, y = read(a), read(b)
    if x is not None and y is not None:
        return not equal(x, y)
    s, t = TUPLE.fullmatch(a), TUPLE.fullmatch(b)
    if s and t and (s[1], s[3]) == (t[1], t[3]):
        return lists_differ(members(s[2]), members(t[2]))
    s, t = MATRIX.fullmatch(a), MATRIX.fullmatch(b)
    if s and t:
        return lists_differ(re.split(r"&|\\\\", s[2]), re.split(r"&|\\\\", t[2]))
    s, t = members(a), members(b)
    if len(s) > 1 and len(s) == len(t):
        return all(lists_differ(s, list(order)) for order in orders(t))
    return True


def orders(parts):
    """All orders of a short list, else the list as it is and sorted."""
    return islice(permutations(parts), 5040)


def lists_differ(a, b):
    return len(a) != len(b) or any(surely_differs(x, y) for x, y in zip(a, b))


def sort_of(gold):
    """The sort of an answer, which says how it can be changed."""
    if re.fullmatch(r"-?\d+", gold):
        return "integer"
    if re.fullmatch(r"-?\d*\.\d+", gold):
        return "decimal"
    if re.fullmatch(r"-?\\[dt]?frac\s*(\{\d+\}|\d)\s*(\{\d+\}|\d)", gold):
        return "fraction"
    if re.fullmatch(r"-?\d{1,3}(,\s*\\!\s*\d{3}|,\d{3})+", gold):
        return "thousands"
    if re.fullmatch(r"\(?\\text\{\(?[A-Z]\)?\}\)?|\(?[A-Z]\)", gold):
        return "letter"
    if re.fullmatch(r"\\(text|mbox)\{\s*[A-Za-z ]+\}", gold):
        return "text"
    if MATRIX.fullmatch(gold):
        return "matrix"
    if re.search(r"\\(text|mbox)\{[^}]*\b(and|or)\b", gold):
        return "other"
    if re.search(r"\\circ|\\%|\\\$|\\(text|mbox)\{", gold):
        return "unit" if re.match(r"(\\\$\s*)?[-\d.,\\!a-z{}]+", gold) and "," not in bare(gold) else "other"
    if re.fullmatch(r"[0-9A-F]+_\{?\d+\}?", gold):
        return "base"
    if "=" in gold or re.search(r"\\(le|ge|leq|geq)\b|<|>", gold):
        return "relation"
    if "\\cup" in gold or re.search(r"\\infty", gold) or re.match(r"(\\left)?\[", gold) or gold.endswith("]"):
        return "interval"
    if TUPLE.fullmatch(gold) and len(members(TUPLE.fullmatch(gold)[2])) > 1:
        return "tuple"
    if len(members(gold)) > 1:
        return "list" if all(read(part) is not None for part in members(gold)) else "other"
    value = read(gold)
    if value is None:
        return "other"
    return "polynomial" if value.free_symbols else "expression"
