"""A solution's process that writes whatever it likes: the judge is never confused, and nothing of it is a pass."""

import os
import random
import time
import unittest

import support
import polestar_wire as wire

JOB = {"form": "asserts", "tests": ["assert f(2) == 3", "assert f(3) == 4"]}
FUNCTION = b"h" + wire.HANDLE.pack(0, wire.FUNCTION, 1) + b"f"
MARKER = "polestar-hostile"


def other(encoder, value, depth):
    raise TypeError(value)


def body(value):
    return wire.Encoder(other).encode(value)


def raw(*ops):
    return b"".join(ops) + b"."


def packed(form, number):
    return form.pack(number)


EMPTY = b"(" + wire.LENGTH.pack(0)
PAIR = b"(" + wire.LENGTH.pack(2)
GOOD = {b"H": body((None, ())), b"L": raw(FUNCTION, EMPTY, PAIR)}


class Peer:
    """Answers as an honest solution of `f(x) = x + 1` would, but for what a test overrides."""

    def __init__(self, fd):
        self.channel = wire.Channel(fd)

    def next(self):
        return self.channel.receive(1 << 30)

    def answer(self, frame, kind=b"=", reply=None):
        asked, number, secret, _ = frame
        self.requests.append(frame)
        self.channel.send(kind, number, secret, GOOD.get(asked) if reply is None else reply)

    requests = []

    def load(self):
        """Answers until the first call comes, and gives that back."""
        while True:
            frame = self.next()
            if frame[0] == b"C":
                return frame
            self.answer(frame)


def reply_to_first_call(reply, kind=b"="):
    """A peer that answers the first call with these bytes, and goes on honestly with wrong values."""

    def run(fd):
        peer = Peer(fd)
        peer.answer(peer.load(), kind, reply)
        while True:
            peer.answer(peer.next(), b"=", None if peer.requests[-1][0] != b"C" else body((None, ())))

    return run


class Hostile(unittest.TestCase):
    def ends(self, guest, outcome, message, job=JOB, **more):
        report = support.outcome(dict(job, **more), "", guest)
        self.assertIsNotNone(report, "the judge ended without a report")
        self.assertEqual(report["outcome"], outcome, report)
        self.assertIn(message, report["message"])
        return report

    def gone(self, reply, message="broke the protocol", kind=b"=", **more):
        return self.ends(reply_to_first_call(reply, kind), "gone", message, **more)

    # ------------------------------------------------------------------------------------------------ frames

    def test_the_peer_of_these_tests_can_pass(self):
        def guest(fd):
            peer = Peer(fd)
            frame = peer.load()
            for value in (3, 4):
                peer.answer(frame, b"=", body((value, ())))
                frame = peer.next()

        report = support.outcome(JOB, "", guest)
        self.assertEqual((report["outcome"], report["passed"]), ("pass", 2))

    def test_a_reply_before_its_request(self):
        def guest(fd):
            peer = Peer(fd)
            frame = peer.load()
            for number in range(frame[1], frame[1] + 5):
                wire.Channel(fd).send(b"=", number, frame[2], body((3, ())))
            time.sleep(5)

        self.ends(guest, "gone", "an answer to something else than the last request")

    def test_two_replies(self):
        def guest(fd):
            peer = Peer(fd)
            frame = peer.load()
            peer.answer(frame, b"=", body((3, ())))
            peer.answer(frame, b"=", body((4, ())))
            time.sleep(5)

        self.ends(guest, "gone", "an answer to something else")

    def test_a_reply_before_anything(self):
        def guest(fd):
            for number in range(10):
                wire.Channel(fd).send(b"=", number, bytes(8), body((None, ())))
            time.sleep(5)

        self.ends(guest, "gone", "an answer to something else")

    def test_wrong_number_secret_or_kind(self):
        for change in ("number", "secret", "kind", "missing"):

            def guest(fd):
                peer = Peer(fd)
                kind, number, secret, _ = peer.load()
                if change == "number":
                    wire.Channel(fd).send(b"=", number + 1, secret, body((3, ())))
                elif change == "secret":
                    wire.Channel(fd).send(b"=", number, bytes(8), body((3, ())))
                else:
                    wire.Channel(fd).send(b"?" if change == "missing" else b"C", number, secret, body((3, ())))
                time.sleep(5)

            self.ends(guest, "gone", "broke the protocol")

    def test_a_huge_length_is_not_read(self):
        def guest(fd):
            frame = Peer(fd).load()
            os.write(fd, wire.HEADER.pack(b"=", frame[1], frame[2], 0xFFFFFFFF) + b"x" * 1000)
            time.sleep(5)

        self.ends(guest, "gone", "a message of 4294967295 bytes")
        self.gone(body(("x" * 5000, ())), "a message of", max_reply_bytes=2000)

    def test_rubbish_and_a_flood(self):
        def rubbish(fd):
            Peer(fd).next()
            os.write(
                fd, random.Random(1).randbytes(100000) if hasattr(random.Random, "randbytes") else os.urandom(100000)
            )
            time.sleep(5)

        def flood(fd):
            while True:
                os.write(fd, b"=" * 65536)

        self.ends(rubbish, "gone", "broke the protocol")
        self.ends(flood, "gone", "broke the protocol")

    def test_closing_in_the_middle(self):
        for count in (0, 1, wire.HEADER.size - 1, wire.HEADER.size, wire.HEADER.size + 3):

            def guest(fd):
                _, number, secret, _ = Peer(fd).load()
                reply = body((3, ()))
                os.write(fd, (wire.HEADER.pack(b"=", number, secret, len(reply)) + reply)[:count])

            self.ends(guest, "gone", "ended before it answered")
        self.ends(lambda fd: None, "gone", "ended before it answered")

    # ------------------------------------------------------------------------------------------------ values

    def test_replies_of_a_wrong_shape(self):
        for value in (
            None,
            3,
            [3, ()],
            (3,),
            (3, (), ()),
            (3, [()]),
            (3, 5),
            (3, ((0, 7),)),
            (3, ((0,),)),
            (3, (("0", ()),)),
            (3, ((-1, ()),)),
            (3, ((True, ()),)),
            (3, (5,)),
            (3, ((9, ()),) * 9),
        ):
            self.gone(body(value))
        for reply in (
            b"",
            b".",
            b"N",
            raw(b"N"),
            raw(b"NN"),
            raw(b"h" + wire.HANDLE.pack(7, 9, 0), EMPTY, PAIR),
            raw(b"R" + bytes(4) + b"\xff", EMPTY, PAIR),
        ):
            self.gone(reply)

    def test_names_of_things_here_are_not_looked_up(self):
        for op, name in [
            (b"m", "os"),
            (b"m", "polestar_judge"),
            (b"m", "subprocess"),
            (b"g", ("os", "system")),
            (b"g", ("builtins", "eval")),
        ]:
            self.gone(raw(body(name)[:-1], op, EMPTY, PAIR))
        for name in (b"eval", b"Exception.__subclasses__", b"os"):
            self.gone(raw(b"t" + wire.LENGTH.pack(len(name)) + name, EMPTY, PAIR))
        for ancestry in (
            ((), ()),
            ((), ("eval",)),
            ((), ("int",)),
            ((), "ValueError"),
            (((1, "x"),), ()),
            (((1, 2),), ("ValueError",)),
            (tuple((n, "x") for n in range(31)), ("ValueError",)),
            ((), ("os.system",)),
            None,
        ):
            self.gone(raw(body(ancestry)[:-1], b"x", EMPTY, PAIR))

    def test_a_builtin_type_is_no_function(self):
        def guest(fd):
            peer = Peer(fd)
            peer.answer(peer.next())
            peer.answer(peer.next(), b"=", body((int, ())))
            time.sleep(5)

        self.ends(guest, "gone", "a builtin type instead of a handle")

    def test_a_handle_that_changes_its_kind(self):
        self.gone(raw(b"h" + wire.HANDLE.pack(0, wire.OBJECT, 0), EMPTY, PAIR), "changes its kind")

    def test_a_name_that_would_be_code(self):
        name = "x'); __import__('os').system('touch " + MARKER + "'); ('"
        handle = b"h" + wire.HANDLE.pack(5, wire.OBJECT, len(name)) + name.encode()
        self.ends(reply_to_first_call(raw(handle, EMPTY, PAIR)), "fail", "got <object of the solution>, expected 3")
        self.assertFalse(os.path.exists(MARKER))

    # ------------------------------------------------------------------------------------------------ changes

    def changed(self, contents, outcome, message, tests=("l = [[1], {'k': 2}]\nf(l)\nassert l == 5",)):
        guest = reply_to_first_call(raw(b"N", contents, PAIR))
        return self.ends(guest, outcome, message, job=dict(JOB, tests=list(tests), in_place=True))

    def test_changes_of_arguments(self):
        def change(index, items):
            return raw(body((index,))[:-6], items, PAIR)[:-1] + b"(" + wire.LENGTH.pack(1)

        def tuple_of(*ops):
            return b"".join(ops) + b"(" + wire.LENGTH.pack(len(ops))

        ref = [b"R" + wire.LENGTH.pack(index) for index in range(4)]
        # Containers are numbered as they end: [1], {'k': 2}, then the list of both.
        self.changed(change(2, tuple_of(body(7)[:-1], ref[0])), "fail", "got [7, [1]], expected 5")
        self.changed(change(2, tuple_of(ref[2])), "gone", "holds itself")
        self.changed(change(0, tuple_of(ref[2])), "gone", "holds itself")
        self.changed(change(1, tuple_of(ref[0], body(1)[:-1])), "gone", "cannot be hashed")
        self.changed(change(1, tuple_of(body("k")[:-1], ref[2])), "gone", "holds itself")
        self.changed(change(0, body(b"x")[:-1]), "gone", "a change of a wrong shape")
        self.changed(change(77, tuple_of()), "gone", "was not passed in")

    def test_parts_that_occur_again_cannot_explode(self):
        tests = ["l = [[] for _ in range(60)]\nf(l)\nassert str(l) == ''"]
        changes = (
            b"".join(body(index)[:-1] + (b"R" + wire.LENGTH.pack(index + 1)) * 2 + PAIR + PAIR for index in range(59))
            + b"("
            + wire.LENGTH.pack(59)
        )
        self.changed(changes, "gone", "too many items", tests)
        deep = (
            b"".join(
                body(index)[:-1] + b"R" + wire.LENGTH.pack(index + 1) + b"(" + wire.LENGTH.pack(1) + PAIR
                for index in range(999)
            )
            + b"("
            + wire.LENGTH.pack(999)
        )
        self.changed(deep, "gone", "nested too deep", ["l = [[] for _ in range(1000)]\nf(l)\nassert str(l) == ''"])

    # ------------------------------------------------------------------------------------------------ exceptions

    def test_exceptions_of_a_wrong_shape(self):
        good = [((), ("ValueError",)), ("a",), "a", {}, None, None]
        self.ends(reply_to_first_call(body((tuple(good), ())), b"!"), "fail", "the solution raised ValueError: a")
        for index, bad in [
            (0, None),
            (0, ((), ("int",))),
            (0, ((), ())),
            (1, "a"),
            (1, ([],)),
            (2, 5),
            (3, []),
            (2, None),
        ]:
            parts = list(good)
            parts[index] = bad
            self.gone(body((tuple(parts), ())), kind=b"!")
        self.gone(body((tuple(good[:5]), ())), kind=b"!")
        for place in (5, ("x",), ("x", "y"), [1, 2]):
            self.ends(
                reply_to_first_call(body((tuple(good[:4] + [place, 99]), ())), b"!"), "fail", "raised ValueError: a"
            )

    def test_attributes_of_exceptions(self):
        attributes = {
            "code": 3,
            "__class__": "x",
            "_x": 1,
            "args": "y",
            "polestar_assert": "z",
            "with_traceback": 1,
            "a b": 1,
            5: 1,
        }
        error = (((1, "Mine"),), ("ValueError",)), ("a",), "text", attributes, None, None
        test = (
            "try:\n    f(1)\nexcept ValueError as e:\n    assert (vars(e).keys() - {'polestar_raised'}, e.code, e.args,"
            " str(e)) == 0"
        )
        self.ends(
            reply_to_first_call(body((error, ())), b"!"),
            "fail",
            "got ({'code'}, 3, ('a',), 'text'), expected 0",
            dict(JOB, tests=[test]),
        )

    def test_classes_of_exceptions_are_limited(self):
        classes = raw(
            *(body((((n, "E"),), ("ValueError",)))[:-1] + b"x" for n in range(1001)),
            b"(" + wire.LENGTH.pack(1001),
            EMPTY,
            PAIR
        )
        self.gone(classes, "more than 1000 exception classes")

    def test_names_of_exceptions(self):
        error = (((1, "a b"),), ("SystemExit",)), (0,), "", {}, ("\ud800\x00", 1), None
        report = self.ends(reply_to_first_call(body((error, ())), b"!"), "fail", "the solution raised Unnamed")
        self.assertEqual(report["raised"], "Unnamed")

    # ------------------------------------------------------------------------------------------------ callbacks

    def test_callbacks_of_a_wrong_shape(self):
        def calling(request):
            def guest(fd):
                peer = Peer(fd)
                frame = peer.load()
                peer.answer(frame, b"B", request)
                frame = peer.next()
                peer.answer(frame, b"=", body((3, ())))
                time.sleep(5)

            return guest

        job = dict(JOB, tests=["seen = []\nf(lambda *a: seen.append(a))\nassert seen == []"])
        for request in (
            None,
            (),
            (0,),
            (0, [], {}),
            (0, (), ()),
            (0, (), {1: 2}),
            (1, (), {}),
            (-1, (), {}),
            ("0", (), {}),
            (True, (), {}),
        ):
            self.ends(calling(body(request)), "gone", "a callback", job)
        self.ends(calling(body((0, (1,), {}))), "fail", "got [(1,)], expected []", job)

    def test_a_callback_with_none_waiting(self):
        def guest(fd):
            peer = Peer(fd)
            frame = peer.load()
            peer.answer(frame, b"=", body((3, ())))
            peer.answer(frame, b"B", body((0, (), {})))
            time.sleep(5)

        self.ends(guest, "gone", "an answer to something else")

    # ------------------------------------------------------------------------------------------------ texts

    def test_lone_surrogates_do_not_reach_the_report(self):
        report = self.ends(reply_to_first_call(body(("\ud800" * 5, ()))), "fail", "got '\\ud800")
        report["message"].encode("utf-8")
        error = ((), ("ValueError",)), ("\udfff",), "\udfff\x00" * 100000, {}, None, None
        report = self.ends(reply_to_first_call(body((error, ())), b"!"), "fail", "the solution raised ValueError: ?")
        self.assertLessEqual(len(report["message"]), 2000)

    def test_random_conversations_never_pass(self):
        rng = random.Random(5)
        replies = [
            body((3, ())),
            body((None, ((0, ()),))),
            GOOD[b"L"],
            body(((((), ("SystemExit",)), (), "", {}, None, 0), ())),
        ]
        for _ in range(60):
            seed = rng.random()

            def guest(fd):
                local = random.Random(seed)
                peer = Peer(fd)
                while True:
                    _, number, secret, _ = peer.next()
                    reply = bytearray(local.choice(replies))
                    for _ in range(local.randrange(3)):
                        reply[local.randrange(len(reply))] = local.randrange(256)
                    wire.Channel(fd).send(local.choice([b"=", b"=", b"!", b"?", b"B"]), number, secret, bytes(reply))

            # The second test cannot be passed by a value of the above.
            report = support.outcome(dict(JOB, tests=["assert f(2) == 3", "assert f(3) == 'never'"]), "", guest)
            self.assertIn(report["outcome"], ("fail", "gone", "load-error"), report)


if __name__ == "__main__":
    unittest.main()
