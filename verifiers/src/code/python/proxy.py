"""The solution as the tests see it: names and objects that are asked of the solution's process, one request at a time.

Nothing that comes back does more than be a value. A value of the solution's own types is a `Handle`: it can be passed in
again, and its attributes and methods are asked of the solution, but comparing, hashing, iterating or testing it for truth
runs no code of the solution. A solution that breaks the protocol is `Gone` for good, whatever the test does about it.
"""

import importlib
import os
from _thread import RLock

import polestar_wire as wire

MAX_REQUEST_BYTES = 256 * 1024 * 1024
MAX_REQUEST_ITEMS = 20000000
MAX_CLASSES = 1000
MODULES = frozenset((
    "bisect", "cmath", "collections", "copy", "datetime", "decimal", "fractions", "functools", "heapq", "itertools", "json",
    "math", "operator", "random", "re", "statistics", "string", "sys", "time", "typing",
))
# Attributes with two underscores at both ends that are asked of the solution; all others belong to Python's machinery.
ASKED = frozenset(("__dict__", "__annotations__", "__members__", "__defaults__", "__qualname__", "__all__", "__version__"))
SCALARS = (type(None), bool, int, float, str)


class Gone(BaseException):
    """The solution's process has ended or broke the protocol: nothing more can be asked of it."""


class GuestRaised:
    """The mark of exception classes that were made here for the solution's; never a class of the test's machinery."""

    def __str__(self):
        raised = getattr(self, "polestar_raised", None)
        return super().__str__() if raised is None else raised[1]


# Exceptions that mean something to a loop, a generator or a test runner, and what the solution's stand as.
STAND_INS = {
    AssertionError: AssertionError, SystemExit: SystemExit, KeyboardInterrupt: KeyboardInterrupt,
    StopIteration: RuntimeError, StopAsyncIteration: RuntimeError, GeneratorExit: RuntimeError, BaseException: Exception,
}


def raised_by_solution(error):
    """Name, text and place of an exception that the solution raised; None for every other."""
    return getattr(error, "polestar_raised", None)


class Handle:
    """An object of the solution."""

    __slots__ = ("__polestar__", "__weakref__")

    def __init__(self, solution, number, kind, name):
        object.__setattr__(self, "__polestar__", (solution, number, kind, name))

    def __getattr__(self, name):
        if name.startswith("__") and name.endswith("__") and name not in ASKED or name.startswith(("_pytest", "pytest")):
            raise AttributeError("{!r} has no attribute {}".format(self, name))
        return self.__polestar__[0].request(b"G", (self, name))

    def __setattr__(self, name, value):
        self.__polestar__[0].request(b"S", (self, name, value))

    def __delattr__(self, name):
        raise TypeError("an attribute of {!r} cannot be deleted by a test".format(self))

    def __repr__(self):
        return "<{} of the solution>".format(self.__polestar__[3])

    def __reduce_ex__(self, _protocol):
        raise TypeError("{!r} cannot be copied: it can only be passed in again".format(self))


def refuse(name):
    def method(self, *_arguments):
        raise TypeError(
            "{!r} does not allow {}: a test can pass it in again and use its attributes and methods".format(self, name)
        )

    method.__name__ = name
    return method


for _name in (
    "bool len iter next contains getitem setitem delitem lt le gt ge int float index complex abs neg enter exit add radd "
    "sub rsub mul rmul truediv floordiv mod pow and or xor"
).split():
    setattr(Handle, "__{}__".format(_name), refuse("__{}__".format(_name)))


class Function(Handle):
    """A function, method or other callable object of the solution."""

    __slots__ = ()

    def __call__(self, *arguments, **named):
        return self.__polestar__[0].request(b"C", (self, arguments, named))

    @property
    def __name__(self):
        return self.__polestar__[3]


class Class(Function):
    """A class of the solution: a call makes an object, and only objects of the solution are instances."""

    __slots__ = ()

    def __instancecheck__(self, value):
        if not isinstance(value, Handle):
            return False
        return self.__polestar__[0].request(b"I", (value, self)) is True


HANDLES = {wire.OBJECT: Handle, wire.FUNCTION: Function, wire.CLASS: Class}


class Solution:
    """The judge's end of the channel."""

    def __init__(self, fd, max_reply_bytes=wire.MAX_REPLY_BYTES):
        self.fd = fd
        self.max_reply_bytes = max_reply_bytes
        self.calls = 0
        # What was wrong with the solution's side, once it is lost.
        self.lost_by = None
        # Whether anything came from the solution that a test's course can hang on; handles of functions are no such thing.
        self.involved = False
        self.missing = set()
        self.sent = 0
        self.lock = RLock()
        self.reader = Reader(self)
        self.handles = {}
        self.classes = {}
        self.class_numbers = {}
        self.callbacks = []
        self.callback_numbers = {}
        self.callback_errors = []
        self.on_callback_error = lambda error: False

    def start(self):
        """Waits until the solution is loaded; raises what it raised."""
        try:
            self.exchange(b"H", self.max_reply_bytes)
        finally:
            self.calls = 0

    def lookup(self, name):
        """What the solution's module has under that name; raises `KeyError` where it has nothing."""
        kind, value = self.exchange(b"L", name)
        if kind == b"?":
            self.involved = True
            self.missing.add(name)
            raise KeyError(name)
        inert = isinstance(value, Function) or isinstance(value, type) and issubclass(value, GuestRaised)
        self.involved = self.involved or not inert
        return value

    def public_names(self):
        """The names that `from solution import *` takes."""
        names = self.request(b"A", None)
        if type(names) is not list or not all(type(name) is str for name in names):
            self.lose("its list of names is none")
        return names

    def request(self, kind, value):
        self.involved = True
        return self.exchange(kind, value)[1]

    def exchange(self, kind, value):
        """Asks one thing and gives back the kind of the answer and its value; raises what the solution raised."""
        kept = []
        encoder = wire.Encoder(self.put_other, kept=kept, max_bytes=MAX_REQUEST_BYTES, max_items=MAX_REQUEST_ITEMS)
        body = encoder.encode(value)
        with self.lock:
            if self.lost_by is not None:
                raise Gone(self.lost_by)
            first_error = len(self.callback_errors)
            asked = kind
            try:
                kind, body = self.converse(kind, body)
                if kind == b"?" and asked != b"L":
                    raise wire.Malformed("no answer to what was asked")
                decoder = wire.Decoder(body, self.reader, kept, None, wire.MAX_ITEMS)
                answer = decoder.run()
                value = self.settle(answer, kept, decoder.num_refs)
            except wire.Closed:
                self.lose("the solution's process ended before it answered")
            except wire.Malformed as error:
                self.lose("the solution's process broke the protocol: {}".format(error))
            failed_inside = [error for error in self.callback_errors[first_error:] if self.on_callback_error(error)]
            if failed_inside:
                # A failed assert in a function of the test counts even where the solution swallowed it.
                raise failed_inside[0]
            if kind == b"!":
                raise self.rebuilt(value, self.callback_errors[first_error:])
            return kind, value

    def converse(self, kind, body):
        """Sends one request and runs the callbacks that come before its reply."""
        self.calls += 1
        self.sent += 1
        # A reply must repeat these bytes, so none can be written before its request is known.
        number, secret = self.sent & 0xFFFFFFFF, os.urandom(8)
        wire.send(self.fd, kind, number, secret, body)
        while True:
            kind, *ours, body = wire.receive(self.fd, self.max_reply_bytes + 1024)
            if ours != [number, secret]:
                raise wire.Malformed("an answer to something else than the last request")
            if kind in (b"=", b"!", b"?"):
                return kind, body
            if kind != b"B":
                raise wire.Malformed("an unknown kind of message")
            answer_kind, answer = self.run_callback(wire.decode(body, self.reader))
            wire.send(self.fd, answer_kind, number, secret, answer)

    def run_callback(self, request):
        if type(request) is not tuple or [type(part) for part in request[1:]] != [tuple, dict]:
            raise wire.Malformed("a callback of a wrong shape")
        index, arguments, named = request
        if type(index) is not int or not 0 <= index < len(self.callbacks) or any(type(name) is not str for name in named):
            raise wire.Malformed("a callback to nothing")
        self.involved = True
        try:
            value = self.callbacks[index](*arguments, **named)
            return b"R", wire.Encoder(self.put_other, max_bytes=MAX_REQUEST_BYTES).encode(value)
        except Exception as error:
            self.callback_errors.append(error)
            kind = next(base for base in type(error).__mro__ if base in wire.NAMES_OF_TYPES)
            texts = tuple(str(part)[:2000] for part in error.args[:10])
            answer = (len(self.callback_errors) - 1, wire.NAMES_OF_TYPES[kind], texts)
            return b"E", wire.Encoder(self.put_other).encode(answer)

    def lose(self, why):
        self.lost_by = why
        raise Gone(why)

    def settle(self, answer, kept, num_refs):
        """The value of an answer, after the changes that the solution made in its arguments are made here too."""
        if type(answer) is not tuple or len(answer) != 2 or type(answer[1]) is not tuple or len(answer[1]) > len(kept):
            raise wire.Malformed("an answer of a wrong shape")
        value, changes = answer
        for change in changes:
            if type(change) is not tuple or len(change) != 2 or type(change[0]) is not int:
                raise wire.Malformed("a change of a wrong shape")
            if not 0 <= change[0] < len(kept):
                raise wire.Malformed("a change of something that was not passed in")
            put_contents(kept[change[0]], change[1])
        if num_refs:
            check_size([value, kept])
        return value

    # ------------------------------------------------------------------------------------------------ values

    def put_other(self, encoder, value, depth):
        """Writes what a test passes in and has no exact builtin type."""
        kind = type(value)
        if isinstance(value, Handle):
            encoder.put_handle(value.__polestar__[1], value.__polestar__[2], "")
            return
        if isinstance(value, type) and value in self.class_numbers:
            encoder.put_handle(self.class_numbers[value], wire.CLASS, "")
            return
        for base, reduced in wire.REDUCED:
            if issubclass(kind, base):
                changes = base in (list, dict, set, bytearray)
                wire.WRITERS[base](encoder, value if changes else reduced(value), depth)
                return
        if hasattr(kind, "__next__"):
            encoder.put_tagged(b"j", taken(value), depth)
        elif kind in (type({}.keys()), type({}.values()), type({}.items())):
            encoder.put(list(value), depth)
        elif callable(value):
            encoder.put_callback(self.callback_number(value))
        else:
            raise wire.NotPlain(
                "a {} of the test cannot be passed to the solution: plain data, functions and the solution's own "
                "objects can".format(kind.__name__)
            )

    def callback_number(self, value):
        number = self.callback_numbers.get(id(value))
        if number is None:
            number = self.callback_numbers[id(value)] = len(self.callbacks)
            self.callbacks.append(value)
        return number

    # ------------------------------------------------------------------------------------------------ exceptions

    def rebuilt(self, description, callback_errors):
        """The exception that stands for one of the solution."""
        if type(description) is not tuple or len(description) != 6:
            self.lose("the solution's process broke the protocol: an exception of a wrong shape")
        ancestry, arguments, text, attributes, place, callback = description
        whole = type(arguments) is tuple and all(type(part) in SCALARS for part in arguments) and type(text) is str
        try:
            kind, name = self.exception_class(ancestry)
        except wire.Malformed as error:
            self.lose("the solution's process broke the protocol: {}".format(error))
        if not whole or type(attributes) is not dict:
            self.lose("the solution's process broke the protocol: an exception of a wrong shape")
        if type(callback) is int:
            for error in callback_errors:
                if error is self.callback_errors[callback % len(self.callback_errors)] and not special(type(error)):
                    return error
        error = instance(kind, name, arguments, text)
        for key, value in attributes.items():
            if type(key) is str and key.isidentifier() and not key.startswith(("_", "polestar")):
                if type(value) in SCALARS and not hasattr(error, key):
                    setattr(error, key, value)
        if type(place) is not tuple or [type(part) for part in place] != [str, int]:
            place = None
        error.polestar_raised = (name, text, place)
        return error

    def exception_class(self, ancestry):
        """A class for the solution's exception class of that ancestry, and its name."""
        if type(ancestry) is not tuple or [type(part) for part in ancestry] != [tuple, tuple]:
            raise wire.Malformed("an exception class of a wrong shape")
        own, names = ancestry
        if len(own) > 30 or not all(
            type(part) is tuple and [type(field) for field in part] == [int, str] for part in own
        ):
            raise wire.Malformed("an exception class of a wrong shape")
        if not names or not all(type(name) is str and name in wire.EXCEPTIONS for name in names):
            raise wire.Malformed("an exception class that is none")
        if not own:
            return wire.EXCEPTIONS[names[0]], names[0]
        bases = nearest([wire.EXCEPTIONS[name] for name in names])
        for number, name in reversed(own):
            if number not in self.classes:
                if len(self.classes) >= MAX_CLASSES:
                    raise wire.Malformed("more than {} exception classes".format(MAX_CLASSES))
                made = new_class(name if name.isidentifier() else "Unnamed", bases)
                self.classes[number] = made
                self.class_numbers[made] = number
            bases = [self.classes[number]]
        return bases[0], bases[0].__name__


class Reader(wire.Hooks):
    """What the solution may send besides plain data."""

    def __init__(self, solution):
        self.solution = solution

    def handle(self, number, kind, type_name):
        known = self.solution.handles.get(number)
        if known is None:
            if kind not in HANDLES:
                raise wire.Malformed("an unknown kind of handle")
            name = type_name if type_name.isidentifier() and len(type_name) <= 100 else "object"
            known = self.solution.handles[number] = HANDLES[kind](self.solution, number, kind, name)
        elif known.__polestar__[2] != kind:
            raise wire.Malformed("a handle that changes its kind")
        return known

    def callback(self, number):
        if number >= len(self.solution.callbacks):
            raise wire.Malformed("a callback to nothing")
        return self.solution.callbacks[number]

    def module(self, name):
        if type(name) is not str or name not in MODULES:
            raise wire.Malformed("a module that is not on the list")
        return importlib.import_module(name)

    def exception_class(self, description):
        return self.solution.exception_class(description)[0]


def special(kind):
    """What the exceptions of that type stand as where they mean something to Python's or a test's machinery."""
    return next((stand_in for base, stand_in in STAND_INS.items() if base in (kind, *kind.__mro__[:-2])), None)


def nearest(kinds):
    """Of builtin exception classes in the order of an mro: those that are no base of an earlier one."""
    found = []
    for kind in kinds:
        stand_in = STAND_INS.get(kind, kind)
        if not any(issubclass(earlier, stand_in) for earlier in found):
            found.append(stand_in)
    return found


def new_class(name, bases):
    """A class with the mark; of bases that do not go together only the first."""
    mark = () if issubclass(bases[0], GuestRaised) else (GuestRaised,)
    try:
        return type(name, (*mark, *bases), {"__module__": "solution"})
    except TypeError:
        return type(name, (*mark, bases[0]), {"__module__": "solution"})


def instance(kind, name, arguments, text):
    """An exception of that type with these arguments and that text."""
    if not issubclass(kind, GuestRaised):
        stand_in = STAND_INS.get(kind)
        if stand_in is None:
            try:
                error = kind(*arguments)
                if type(error) is kind and str(error) == text:
                    return error
            except Exception:
                pass  # Its constructor wants something else than texts: a class of our own takes them.
        kind = new_class(name, [stand_in or kind])
    try:
        error = kind.__new__(kind, *arguments)
    except Exception:
        kind = new_class(name, [Exception])
        error = kind.__new__(kind, *arguments)
    error.args = arguments
    return error


def taken(iterator):
    """All items of an iterator of the test; the solution gets an iterator over them."""
    items = []
    for item in iterator:
        items.append(item)
        if len(items) > wire.MAX_ITEMS:
            raise wire.TooMuch("an iterator of more than {} items cannot be passed to the solution".format(wire.MAX_ITEMS))
    return tuple(items)


def put_contents(container, items):
    """Makes a container of the test hold these items."""
    if isinstance(container, bytearray):
        if type(items) is not bytes:
            raise wire.Malformed("a change of a wrong shape")
        container[:] = items
        return
    if type(items) is not tuple:
        raise wire.Malformed("a change of a wrong shape")
    try:
        if isinstance(container, list):
            container[:] = items
        elif isinstance(container, dict):
            pairs = dict(zip(items[::2], items[1::2]))
            container.clear()
            container.update(pairs)
        else:
            members = set(items)
            container.clear()
            container.update(members)
    except TypeError:
        raise wire.Malformed("a key that cannot be hashed") from None


def check_size(root):
    """Refuses values that hold themselves, or that are many more items than they have bytes because parts occur again."""
    sizes, open_ones = {}, set()
    stack = [(root, False)]
    while stack:
        value, done = stack.pop()
        key = id(value)
        if done:
            open_ones.discard(key)
            sizes[key] = 1 + sum(sizes.get(id(part), 1) for part in parts_of(value))
            if sizes[key] > wire.MAX_ITEMS:
                raise wire.Malformed("too many items")
        elif key in open_ones:
            raise wire.Malformed("an argument was changed so that it holds itself")
        elif key not in sizes:
            if len(open_ones) > 2 * wire.MAX_DEPTH:
                raise wire.Malformed("an argument was changed so that it is nested too deep")
            open_ones.add(key)
            stack.append((value, True))
            stack.extend((part, False) for part in parts_of(value) if isinstance(part, (list, tuple, dict, set, frozenset)))


def parts_of(value):
    return [part for pair in value.items() for part in pair] if isinstance(value, dict) else value
