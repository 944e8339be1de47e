"""The solution as the tests see it: names and objects that are asked of the solution's process, one request at a time.

Nothing that comes back does more than be a value. A value of the solution's own types is a `Handle`: it can be passed
in again, and its attributes and methods are asked of the solution, but comparing, hashing, iterating or testing it for
truth runs no code of the solution. A solution that breaks the protocol is `Gone` for good, whatever the test does then.
"""

import functools
import importlib
import os
import sys
import types
from _thread import RLock

import polestar_errors as errors
import polestar_wire as wire

MAX_REQUEST_BYTES = 256 * 1024 * 1024
MAX_REQUEST_ITEMS = 20000000
MAX_HANDLES = 200000
LRU_WRAPPER = type(functools.lru_cache(None)(lambda: None))
# Attributes with two underscores at both ends that are asked of the solution; all others belong to Python's machinery.
ASKED = frozenset(("__dict__", "__annotations__", "__members__", "__defaults__", "__qualname__", "__version__"))


# What test runners look for on every object that they meet.
OF_RUNNERS = ("_pytest", "pytest", "_mock")


class Gone(BaseException):
    """The solution's process has ended or broke the protocol: nothing more can be asked of it."""


class Handle:
    """An object of the solution."""

    __slots__ = ("__polestar__", "__weakref__")

    def __init__(self, solution, number, kind, name):
        object.__setattr__(self, "__polestar__", (solution, number, kind, name))

    def __getattr__(self, name):
        of_python = name.startswith("__") and name.endswith("__") and name not in ASKED
        if of_python or name.startswith(OF_RUNNERS):
            raise AttributeError("{!r} has no attribute {}".format(self, name))
        solution = self.__polestar__[0]
        return solution.classes.tied(solution.request(b"G", (self, name)))

    def __setattr__(self, name, value):
        self.__polestar__[0].request(b"S", (self, name, value))

    def __delattr__(self, name):
        self.__polestar__[0].request(b"D", (self, name))

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
    "bool len iter next contains getitem setitem delitem lt le gt ge int float index complex abs neg enter exit add "
    "radd sub rsub mul rmul truediv floordiv mod pow and or xor"
).split():
    setattr(Handle, "__{}__".format(_name), refuse("__{}__".format(_name)))


class Function(Handle):
    """A function, method or other callable object of the solution."""

    __slots__ = ()

    def __call__(self, *arguments, **named):
        return self.__polestar__[0].request(b"C", (self, arguments, named))

    @property
    def __name__(self):
        # The solution's choice.
        self.__polestar__[0].involved = True
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

    def __init__(self, fd, max_reply_bytes=wire.MAX_REPLY_BYTES, in_place=False):
        self.channel = wire.Channel(fd)
        self.max_reply_bytes = max_reply_bytes
        # Whether what the solution changes in its arguments is changed here too.
        self.in_place = in_place
        self.calls = 0
        # What was wrong with the solution's side, once it is lost.
        self.lost_by = None
        # Whether anything came from the solution that a test's course can hang on; handles of functions are no such.
        self.involved = False
        # Whether the test has anything of the solution, be it handles of functions alone.
        self.is_met = False
        self.missing = set()
        self.sent = 0
        self.lock = RLock()
        self.reader = Reader(self)
        self.handles = {}
        self.classes = errors.Classes()
        self.callbacks = []
        self.callback_numbers = {}
        self.callback_errors = []
        # Set by the judge: whether a failed assert of the test made an exception, and the names of the test's sources.
        self.is_failed_assert = lambda error: False
        self.own_sources = ()

    def start(self):
        """Waits until the solution is loaded; raises what it raised."""
        try:
            self.exchange(b"H", (self.max_reply_bytes, self.in_place))
        finally:
            self.calls = 0
            self.involved = False

    def lookup(self, name):
        """What the solution's module has under that name; raises `KeyError` where it has nothing."""
        before, self.is_met = self.involved, True
        kind, value = self.exchange(b"L", name)
        if kind == b"?":
            self.missing.add(name)
            raise KeyError(name)
        if isinstance(value, type) and not issubclass(value, BaseException):
            # Calling it would run it here.
            self.lose("the solution's process broke the protocol: a builtin type instead of a handle")
        self.involved = before or not isinstance(value, Function)
        return self.classes.tied(value)

    def public_names(self):
        """The names that `from solution import *` takes."""
        names = self.request(b"A", None)
        if type(names) is not list or not all(type(name) is str for name in names):
            self.lose("its list of names is none")
        return names

    def request(self, kind, value):
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
                # Only names can be modules: the attributes of a value are the solution's to give.
                self.reader.takes_modules = asked == b"L"
                decoder = wire.Decoder(body, self.reader, kept, None, wire.MAX_ITEMS)
                answer = decoder.run()
                value = self.settle(answer, kept, decoder.num_refs)
                error = self.raised(value, first_error) if kind == b"!" else None
            except wire.Closed:
                self.lose("the solution's process ended before it answered")
            except wire.Malformed as malformed:
                self.lose("the solution's process broke the protocol: {}".format(malformed))
            for inside in self.callback_errors[first_error:]:
                if self.is_failed_assert(inside):
                    # It counts even where the solution swallowed it.
                    raise inside
            if error is not None:
                raise error
            return kind, value

    def raised(self, description, first_error):
        """The exception to raise for one of the solution; one that a function of the test raised is that one itself."""
        error, index = self.classes.rebuilt(description)
        if index is not None and first_error <= index < len(self.callback_errors):
            if not errors.is_special(type(self.callback_errors[index])):
                return self.callback_errors[index]
        return error

    def converse(self, kind, body):
        """Sends one request and runs the callbacks that come before its reply."""
        self.calls += 1
        self.sent += 1
        self.involved = True
        # A reply must repeat these bytes, so none can be written before its request is known.
        number, secret = self.sent & 0xFFFFFFFF, os.urandom(8)
        self.channel.send(kind, number, secret, body)
        while True:
            kind, *ours, body = self.channel.receive(self.max_reply_bytes + 1024)
            if ours != [number, secret]:
                raise wire.Malformed("an answer to something else than the last request")
            if kind in (b"=", b"!", b"?"):
                return kind, body
            if kind != b"B":
                raise wire.Malformed("an unknown kind of message")
            self.reader.takes_modules = False
            answer_kind, answer = self.run_callback(wire.decode(body, self.reader))
            self.channel.send(answer_kind, number, secret, answer)

    def run_callback(self, request):
        if type(request) is not tuple or [type(part) for part in request[1:]] != [tuple, dict]:
            raise wire.Malformed("a callback of a wrong shape")
        index, arguments, named = request
        known = type(index) is int and 0 <= index < len(self.callbacks)
        if not known or any(type(name) is not str for name in named):
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
        if changes and not self.in_place:
            raise wire.Malformed("a change of an argument, which is not wanted")
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
        if isinstance(value, errors.Tied) and value.polestar_of is not None:
            encoder.put_type(value.polestar_of, depth)
            return
        if isinstance(value, type) and value in self.classes.numbers:
            encoder.put_handle(self.classes.numbers[value], wire.CLASS, "")
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
        elif callable(value) and self.is_own(value):
            encoder.put_callback(self.callback_number(value))
        elif callable(value) and reference_to(value) is not None:
            # Python's own functions run in the solution's process: here they would obey its arguments.
            encoder.put_tagged(b"g", reference_to(value), depth)
        else:
            raise wire.NotPlain(
                "a {} of the test cannot be passed to the solution: plain data, functions and the solution's own "
                "objects can".format(kind.__name__)
            )

    def is_own(self, value):
        """Whether a callable is of the test's own making, so that the solution may have it called."""
        for _ in range(20):
            kind = type(value)
            if kind is types.FunctionType:
                return value.__code__.co_filename in self.own_sources
            if isinstance(value, type):
                return False
            if kind is types.MethodType:
                value = value.__func__
            elif kind is functools.partial:
                value = value.func
            elif kind is types.BuiltinMethodType:
                return type(value.__self__) in (list, dict, set, bytearray)
            elif kind is LRU_WRAPPER:
                value = value.__wrapped__
            elif kind.__module__ in ("unittest.mock", "operator"):
                return True
            else:
                value = getattr(kind, "__call__", None)
        return False

    def callback_number(self, value):
        number = self.callback_numbers.get(id(value))
        if number is None:
            number = self.callback_numbers[id(value)] = len(self.callbacks)
            self.callbacks.append(value)
        return number


class Reader(wire.Hooks):
    """What the solution may send besides plain data."""

    def __init__(self, solution):
        self.solution = solution
        self.takes_modules = False

    def handle(self, number, kind, type_name):
        known = self.solution.handles.get(number)
        if known is None:
            if kind not in HANDLES:
                raise wire.Malformed("an unknown kind of handle")
            if len(self.solution.handles) >= MAX_HANDLES:
                raise wire.Malformed("more than {} objects".format(MAX_HANDLES))
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
        if type(name) is not str or name not in wire.MODULES or not self.takes_modules:
            raise wire.Malformed("a module that is not on the list")
        return importlib.import_module(name)

    def exception_class(self, description):
        return self.solution.classes.of(description)[0]


def reference_to(value):
    """Module and name under which both processes find a function or class of Python's library, if it has them."""
    module = getattr(value, "__module__", None) or getattr(getattr(value, "__objclass__", None), "__module__", None)
    path = getattr(value, "__qualname__", None)
    if type(module) is not str or type(path) is not str:
        return None
    found = sys.modules.get(module)
    for name in path.split("."):
        found = getattr(found, name, None)
    return (module, path) if found is value and module.split(".")[0] not in ("__main__", "test") else None


def taken(iterator):
    """All items of an iterator of the test; the solution gets an iterator over them."""
    items = []
    for item in iterator:
        items.append(item)
        if len(items) > wire.MAX_ITEMS:
            raise wire.TooMuch("an iterator of more than {} items cannot be passed in".format(wire.MAX_ITEMS))
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


CONTAINERS = (list, tuple, dict, set, frozenset)


def check_size(root):
    """Refuses values that hold themselves, or that are very many items because parts of them occur again."""
    sizes, open_ones = {}, set()
    stack = [(root, False)]
    while stack:
        value, done = stack.pop()
        key = id(value)
        if done:
            open_ones.discard(key)
            inner = [sizes.get(id(part), (1, 0)) for part in parts_of(value)]
            count, depth = 1 + sum(part[0] for part in inner), 1 + max((part[1] for part in inner), default=0)
            sizes[key] = count, depth
            if count > wire.MAX_ITEMS:
                raise wire.Malformed("too many items")
            if depth > 2 * wire.MAX_DEPTH:
                raise wire.Malformed("an argument was changed so that it is nested too deep")
        elif key in open_ones:
            raise wire.Malformed("an argument was changed so that it holds itself")
        elif key not in sizes:
            open_ones.add(key)
            stack.append((value, True))
            stack.extend((part, False) for part in parts_of(value) if isinstance(part, CONTAINERS))


def parts_of(value):
    return [part for pair in value.items() for part in pair] if isinstance(value, dict) else value
