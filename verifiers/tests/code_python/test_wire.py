"""Values travel as they are, and no bytes whatever do more than make values or end in `Malformed`."""

import math
import random
import sys
import time
import unittest

import support  # noqa: F401 (loads the modules)
import polestar_wire as wire


class Handles(wire.Hooks):
    """Takes everything that a frame may hold besides plain data."""

    def handle(self, number, kind, type_name):
        return ("handle", number, kind, type_name)

    def callback(self, number):
        return ("callback", number)


def refuse(encoder, value, depth):
    raise wire.NotPlain(type(value).__name__)


def encoded(value, **options):
    return wire.Encoder(refuse, **options).encode(value)


def decoded(data, **options):
    return wire.decode(data, Handles(), **options)


def ops(value):
    return encoded(value)[:-1]


def same(one, other):
    """Equal, of the same types, in the same order, with nan equal to nan and -0.0 apart from 0.0."""
    if type(one) is not type(other):
        return False
    if type(one) is float:
        return (math.isnan(one) and math.isnan(other)) or (
            one == other and math.copysign(1, one) == math.copysign(1, other)
        )
    if type(one) is complex:
        return same(one.real, other.real) and same(one.imag, other.imag)
    if type(one) in (list, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if type(one) is dict:
        return same(list(one.items()), list(other.items()))
    return one == other


def random_value(rng, depth=0):
    kinds = 17 if depth < 4 else 11
    kind = rng.randrange(kinds)
    size = rng.randrange(5)
    if kind < 3:
        return rng.choice([None, True, False, Ellipsis, 0, -1])
    if kind == 3:
        return rng.randrange(-(10 ** rng.randrange(1, 60)), 10 ** rng.randrange(1, 60))
    if kind == 4:
        return rng.choice([0.0, -0.0, math.inf, -math.inf, 1e308, 5e-324, rng.random()])
    if kind == 5:
        return complex(rng.random(), -0.0)
    if kind == 6:
        return "".join(chr(rng.choice([65, 0, 0xE9, 0xD800, 0xDFFF, 0x1F600])) for _ in range(size))
    if kind == 7:
        return bytes(rng.randrange(256) for _ in range(size))
    if kind == 8:
        return range(rng.randrange(-9, 9), rng.randrange(10**30), rng.choice([-2, 1, 10**20]))
    if kind == 9:
        return rng.choice([int, str, type(None), ValueError, BaseException, object])
    if kind == 10:
        return bytearray(b"x" * size)
    items = [random_value(rng, depth + 1) for _ in range(size)]
    keys = [("key", rng.choice([index, str(index), None, (1, index), float(index)])) for index in range(size)]
    if kind in (11, 12):
        return items
    if kind == 13:
        return tuple(items)
    if kind == 14:
        return dict(zip(keys, items))
    return {15: set, 16: frozenset}[kind](keys)


class RoundTrips(unittest.TestCase):
    def test_random_values_come_back_as_they_were(self):
        rng = random.Random(7)
        for _ in range(3000):
            value = random_value(rng)
            self.assertTrue(same(decoded(encoded(value)), value), repr(value)[:300])

    def test_nan_and_huge_numbers(self):
        self.assertTrue(math.isnan(decoded(encoded(math.nan))))
        for bits in (62, 63, 64, 65, 127, 128, 100000):
            for value in (2**bits, -(2**bits), 2**bits - 1, 1 - 2**bits):
                self.assertEqual(decoded(encoded(value)), value)

    def test_numbers_of_megabytes_take_linear_time(self):
        value = 1 << (8 * 4 * 1024 * 1024)
        started = time.process_time()
        self.assertEqual(decoded(encoded(value)), value)
        self.assertLess(time.process_time() - started, 1)

    def test_a_container_that_occurs_twice_stays_one_object(self):
        shared = [1]
        kept, made = [], []
        data = encoded((shared, {"a": shared}, [shared]), kept=kept)
        one, other, last = decoded(data, kept=made)
        self.assertIs(one, other["a"])
        self.assertIs(one, last[0])
        self.assertEqual([id(value) for value in kept][0], id(shared))
        self.assertEqual(len(kept), len(made))

    def test_doubling_needs_no_doubling_of_bytes(self):
        value = []
        for _ in range(100):
            value = [value, value]
        self.assertLess(len(encoded(value, kept=[])), 2000)
        with self.assertRaises(wire.TooMuch):
            encoded(value, max_bytes=100000)


class Limits(unittest.TestCase):
    def test_values_that_hold_themselves_end_in_a_message(self):
        value = []
        value.append(value)
        other = {}
        other["x"] = [other, other]
        for bad in (value, other):
            with self.assertRaisesRegex(wire.TooMuch, "holds itself"):
                encoded(bad)
            with self.assertRaisesRegex(wire.TooMuch, "holds itself"):
                encoded(bad, kept=[])

    def test_depth(self):
        value = 1
        for _ in range(wire.MAX_DEPTH):
            value = [value]
        self.assertTrue(same(decoded(encoded(value)), value))
        with self.assertRaises(wire.TooMuch):
            encoded([value])
        data = encoded(value)[:-1] + b"(" + wire.LENGTH.pack(1) + b"."
        with self.assertRaisesRegex(wire.Malformed, "deep"):
            decoded(data)
        with self.assertRaisesRegex(wire.Malformed, "deep"):
            decoded(b"N" + (b"(" + wire.LENGTH.pack(1)) * 1000000 + b".")

    def test_bytes(self):
        for value in ("x" * 1000, b"x" * 1000, bytearray(1000), [0] * 1000, 1 << 10000, ["x"] * 1000):
            with self.assertRaises(wire.TooMuch):
                encoded(value, max_bytes=900)
            self.assertEqual(decoded(encoded(value, max_bytes=20000)), value)

    def test_items(self):
        with self.assertRaisesRegex(wire.Malformed, "too many items"):
            decoded(b"N" * 1001 + b".", max_items=1000)
        # Empty sets are much memory for few bytes.
        sets = (b"<" + wire.LENGTH.pack(0)) * 400
        with self.assertRaisesRegex(wire.Malformed, "too many items"):
            decoded(sets + b"(" + wire.LENGTH.pack(400) + b".", max_items=1000)
        self.assertEqual(len(decoded(sets + b"(" + wire.LENGTH.pack(400) + b".", max_items=3000)), 400)

    def test_the_deepest_value_is_read_near_the_limit_of_recursion(self):
        value = 1
        for _ in range(wire.MAX_DEPTH):
            value = (value,)
        data = encoded(value)
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(len(__import__("inspect").stack()) + 40)
        try:
            read = decoded(data)
        finally:
            sys.setrecursionlimit(limit)
        self.assertEqual(read, value)


class Rubbish(unittest.TestCase):
    def refused(self, data, **options):
        with self.assertRaises(wire.Malformed):
            decoded(data, **options)

    def test_every_truncation_is_refused(self):
        value = [
            1,
            2**100,
            "a\ud800",
            b"b",
            {"k": (1.5, {2j}, frozenset([None]))},
            range(3),
            int,
            bytearray(b"c"),
            True,
        ]
        data = encoded(value)
        for end in range(len(data)):
            self.refused(data[:end])
        self.refused(data + b"N")

    def test_random_corruption_ends_in_a_value_or_in_malformed(self):
        rng = random.Random(11)
        seeds = [encoded(random_value(rng)) for _ in range(100)]
        malformed = 0
        for _ in range(20000):
            data = bytearray(rng.choice(seeds))
            for _ in range(rng.randrange(1, 4)):
                data[rng.randrange(len(data))] = rng.choice(
                    [rng.randrange(256), rng.choice(b"NTFidcsbatr([{<fRhkmxjg")]
                )
            try:
                decoded(bytes(data), refs=[[1], {2: 3}])
            except wire.Malformed:
                malformed += 1
        self.assertGreater(malformed, 1000)

    def test_random_operations_end_in_a_value_or_in_malformed(self):
        rng = random.Random(13)
        for _ in range(20000):
            parts = []
            for _ in range(rng.randrange(1, 12)):
                op = bytes([rng.choice(b"NTFidcsbatr([{<fRhkmxjg")])
                parts.append(op + rng.choice([b"", wire.LENGTH.pack(rng.randrange(4)), bytes(8), b"\xff" * 8]))
            try:
                decoded(b"".join(parts) + b".", refs=[[1]])
            except wire.Malformed:
                continue

    def test_what_may_not_be(self):
        self.refused(b"")
        self.refused(b"NN" + b".")
        self.refused(b"z" + b".")
        self.refused(b"[" + wire.LENGTH.pack(1) + b".")
        self.refused(b"[" + wire.LENGTH.pack(0xFFFFFFFF) + b".")
        self.refused(b"{" + wire.LENGTH.pack(0xFFFFFFFF) + b".")
        self.refused(b"s" + wire.LENGTH.pack(0xFFFFFFFF) + b"x" + b".")
        self.refused(b"s" + wire.LENGTH.pack(1) + b"\xff" + b".")
        # A list as a key, a set of lists, a range of texts, a step of nothing.
        self.refused(ops([]) + b"N{" + wire.LENGTH.pack(1) + b".")
        self.refused(ops([]) + b"<" + wire.LENGTH.pack(1) + b".")
        self.refused(ops("a") + ops(1) + ops(1) + b"r" + b".")
        self.refused(ops(1) + ops(True) + ops(1) + b"r" + b".")
        self.refused(ops(1) + ops(1) + ops(0) + b"r" + b".")
        self.refused(b"R" + wire.LENGTH.pack(0) + b".")
        self.refused(b"R" + wire.LENGTH.pack(1) + b".", refs=[[]])
        for name in (b"eval", b"exec", b"Handles", b"polestar_wire", b"int\x00", b""):
            self.refused(b"t" + wire.LENGTH.pack(len(name)) + name + b".")
        # What this side does not take: a module, an exception class, an iterator, a name.
        for op in b"mxjg":
            self.refused(b"N" + bytes([op]) + b".")


if __name__ == "__main__":
    unittest.main()
