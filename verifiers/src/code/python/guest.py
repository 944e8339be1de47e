"""The solution's process: loads the solution and answers what the judge asks of it.

Everything here runs together with code that may be hostile, so nothing here protects anything: the judge's side does.
What is looked after is honest code: threads, patched builtins, replaced streams, exceptions of every sort.
"""

import __future__

import atexit
import builtins
import importlib
import json
import linecache
import os
import random
import sys
import types
from _thread import RLock

import polestar_wire as wire

MAX_TEXT = 2000
MAX_REQUEST_BYTES = 1 << 30
RESERVE_BYTES = 4 << 20
FUTURES = 0
for _name in __future__.all_feature_names:
    FUTURES |= getattr(__future__, _name).compiler_flag


def main(channel_fd, payload):
    """Loads the solution, then answers requests until the judge closes the channel."""
    random.seed(0)
    # The frames of this file stand below those of the solution.
    sys.setrecursionlimit(sys.getrecursionlimit() + 50)
    request = json.loads(payload.decode("utf-8", "surrogatepass"))
    module = new_module(request["module"])
    sources = request["sources"]
    problem = None
    try:
        execute(sources, module)
    except BaseException as error:
        problem = error
    Server(channel_fd, module, [source["name"] for source in sources], problem).serve()


def run_program(payload):
    """Runs the sources as a program of their own and ends the process as the interpreter would."""
    atexit._clear()
    random.seed(0)
    sources = json.loads(payload.decode("utf-8", "surrogatepass"))["sources"]
    sys.stdin = open(0, "r", encoding="utf-8", errors="surrogateescape", closefd=False)
    sys.stdout = open(1, "w", encoding="utf-8", errors="surrogateescape", closefd=False)
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False, buffering=1)
    sys.argv = [sources[-1]["name"]]
    leave, flush, streams = os._exit, flush_all, (sys.stdout, sys.stderr)
    status = 0
    try:
        execute(sources, new_module("__main__"))
    except SystemExit as error:
        status = exit_status(error.code)
    except BaseException as error:
        status = 1
        report_uncaught(error)
    try:
        if "threading" in sys.modules:
            sys.modules["threading"]._shutdown()
        atexit._run_exitfuncs()
    except BaseException:
        status = status or 1
    if not flush(streams + (sys.stdout, sys.stderr)):
        status = status or 120
    leave(status)


def report_uncaught(error):
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    try:
        if sys.excepthook is sys.__excepthook__:
            import traceback

            # Unlike the hook it shows the lines of sources that are no files.
            traceback.print_exception(type(error), error, trace)
        else:
            sys.excepthook(type(error), error.with_traceback(trace), trace)
    except BaseException as other:
        sys.__excepthook__(type(other), other, other.__traceback__)


def exit_status(code):
    """What the interpreter makes of the argument of `sys.exit`."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)
    return 1


def flush_all(streams):
    done = True
    for stream in streams:
        try:
            if not stream.closed:
                stream.flush()
        except BaseException:
            done = False
    return done


def new_module(name):
    """An empty module that the import statement finds, below empty packages where the name has dots."""
    module = types.ModuleType(name)
    sys.modules[name] = module
    child, parts = module, name.split(".")
    for count in range(len(parts) - 1, 0, -1):
        parent = types.ModuleType(".".join(parts[:count]))
        parent.__path__ = []
        setattr(parent, parts[count], child)
        child = sys.modules.setdefault(parent.__name__, parent)
    return module


def execute(sources, module):
    """Runs the sources one after the other in the module; an import from __future__ holds for those after it too."""
    flags = 0
    module.__builtins__ = builtins
    for source in sources:
        name, text = source["name"], source["text"]
        linecache.cache[name] = (len(text), None, text.splitlines(True), name)
        module.__file__ = name
        code = compile(text, name, "exec", flags, True)
        flags |= code.co_flags & FUTURES
        exec(code, module.__dict__)


class Server:
    """One conversation with the judge: a request, one reply, and between them calls of the test's functions."""

    def __init__(self, fd, module, names, problem):
        self.channel = wire.Channel(fd)
        self.module = module
        self.names = set(names)
        self.problem = problem
        self.max_bytes = wire.MAX_REPLY_BYTES
        self.in_place = False
        # Objects that the judge knows by number, and their numbers; what is here stays alive.
        self.objects = []
        self.numbers = {}
        self.callbacks = {}
        self.callback_numbers = {}
        self.outstanding = []
        # Given up where memory is out, so that this can be told: an interpreter with none left to handle an exception
        # turns in circles.
        self.reserve = None
        # Only one thread talks at a time: a callback of another thread waits for its result under this lock.
        self.lock = RLock()
        self.reader = Reader(self)
        self.answers = {
            b"H": self.hello, b"L": self.lookup, b"A": self.public_names, b"C": self.call, b"G": self.get,
            b"S": self.set, b"D": self.delete, b"I": self.is_instance,
        }

    def serve(self):
        try:
            while True:
                self.answer(*self.channel.receive(MAX_REQUEST_BYTES))
        except wire.Closed:
            return

    def answer(self, kind, number, secret, body):
        """Answers one request, whatever happens in it."""
        arguments = []
        self.outstanding.append((number, secret))
        before, refs = [], {}
        try:
            request = wire.decode(body, self.reader, kept=arguments, max_items=MAX_REQUEST_BYTES)
            before = [contents(argument) for argument in arguments]
            refs = {id(argument): index for index, argument in enumerate(arguments)}
            self.reserve = self.reserve or bytes(RESERVE_BYTES)
            kind, value = self.answers[kind](request)
        except BaseException as error:
            # What filled the memory is held until the exception is told, and for that some is needed.
            self.reserve = None
            kind, value = b"!", self.described(error)
        try:
            changes = changed(arguments, before)
            if changes and not self.in_place:
                # The judge's containers stay as they were, so none of them is what this value holds.
                changes, refs = (), {}
            reply = self.encode((value, changes), refs)
        except BaseException as error:
            kind, reply = b"!", self.encode((self.described(error), ()), {})
        with self.lock:
            # From here on no thread may call back on behalf of this request.
            self.outstanding.pop()
            self.channel.send(kind, number, secret, reply)

    def encode(self, value, refs):
        return wire.Encoder(self.put_other, refs=refs, max_bytes=self.max_bytes).encode(value)

    # ------------------------------------------------------------------------------------------------ requests

    def hello(self, terms):
        self.max_bytes, self.in_place = terms
        if self.problem is not None:
            raise self.problem
        return b"=", None

    def lookup(self, name):
        space = self.module.__dict__
        if name not in space:
            return b"?", None
        value = space[name]
        # A builtin type under a name of the solution is called here, as its functions are.
        by_handle = isinstance(value, type) and value in wire.NAMES_OF_TYPES and not issubclass(value, BaseException)
        return b"=", Alias(value) if by_handle else value

    def public_names(self, _request):
        names = self.module.__dict__.get("__all__")
        if names is None:
            names = [name for name in self.module.__dict__ if not name.startswith("_")]
        return b"=", [str(name) for name in names]

    def call(self, request):
        target, arguments, named = request
        value = target(*arguments, **named)
        what = unwanted(value)
        if what is not None:
            name = getattr(target, "__name__", "the solution")
            raise wire.NotPlain("{} returned a {}; plain data are wanted".format(name, what))
        return b"=", value

    def get(self, request):
        target, name = request
        return b"=", getattr(target, name)

    def set(self, request):
        target, name, value = request
        setattr(self.module if target is None else target, name, value)
        return b"=", None

    def delete(self, request):
        target, name = request
        delattr(self.module if target is None else target, name)
        return b"=", None

    def is_instance(self, request):
        return b"=", bool(isinstance(*request))

    # ------------------------------------------------------------------------------------------------ callbacks

    def callback(self, number):
        """The function that stands for the judge's function of that number; always the same one."""
        if number not in self.callbacks:
            def callback(*arguments, **named):
                return self.call_back(number, arguments, named)

            self.callbacks[number] = callback
            self.callback_numbers[id(callback)] = number
        return self.callbacks[number]

    def call_back(self, callback, arguments, named):
        """Has the judge call a function of the test, and answers what the judge asks before it returns."""
        body = self.encode((callback, arguments, named), {})
        with self.lock:
            if not self.outstanding:
                raise RuntimeError("a function of the test was called when the call that brought it had ended")
            number, secret = self.outstanding[-1]
            self.channel.send(b"B", number, secret, body)
            while True:
                kind, *rest = self.channel.receive(MAX_REQUEST_BYTES)
                if kind == b"R":
                    return wire.decode(rest[2], self.reader, max_items=MAX_REQUEST_BYTES)
                if kind == b"E":
                    index, type_name, texts = wire.decode(rest[2], self.reader)
                    error = make_error(wire.EXCEPTIONS.get(type_name, Exception), texts)
                    error.polestar_callback = index
                    raise error
                self.answer(kind, *rest)

    # ------------------------------------------------------------------------------------------------ values

    def put_other(self, encoder, value, depth):
        """Writes what has no exact builtin type: a subclass as its base, everything else as a handle."""
        if isinstance(value, type):
            self.put_class(encoder, value, depth)
            return
        if type(value) is Alias:
            encoder.put_handle(self.number(value.kind), wire.CLASS, value.kind.__name__)
            return
        if id(value) in self.callback_numbers:
            encoder.put_callback(self.callback_numbers[id(value)])
            return
        kind = type(value)
        for base, reduced in wire.REDUCED:
            if issubclass(kind, base):
                encoder.put(reduced(value), depth)
                return
        if kind.__module__.split(".")[0] == "numpy" and hasattr(value, "tolist"):
            encoder.put(value.tolist(), depth)
            return
        if isinstance(value, types.ModuleType) and value.__name__ in wire.MODULES:
            encoder.put_tagged(b"m", value.__name__, depth)
            return
        what = unwanted(value)
        if what is not None:
            raise wire.NotPlain("the value holds a {}; plain data are wanted".format(what))
        if callable(value):
            name = getattr(value, "__name__", kind.__name__)
            encoder.put_handle(self.number(value), wire.FUNCTION, name if type(name) is str else "function")
        else:
            encoder.put_handle(self.number(value), wire.OBJECT, kind.__name__)

    def put_class(self, encoder, value, depth):
        if value in wire.NAMES_OF_TYPES:
            encoder.put_type(value, depth)
        elif issubclass(value, BaseException):
            encoder.put_tagged(b"x", self.ancestry(value), depth)
        else:
            encoder.put_handle(self.number(value), wire.CLASS, value.__name__)

    def number(self, value):
        number = self.numbers.get(id(value))
        if number is None:
            number = self.numbers[id(value)] = len(self.objects)
            self.objects.append(value)
        return number

    def ancestry(self, kind):
        """An exception class as the judge rebuilds it: the solution's own classes by number and name, then the builtin
        ones by name, in the order of the mro."""
        own, known = [], []
        for base in kind.__mro__:
            if base in wire.NAMES_OF_TYPES:
                known.append(wire.NAMES_OF_TYPES[base])
            elif issubclass(base, BaseException):
                own.append((self.number(base), base.__name__[:200]))
        return tuple(own[:30]), tuple(name for name in known if name != "object")

    def described(self, error):
        """What the judge is told of an exception: plain data only."""
        try:
            # Where it happened is told apart.
            text = str(error.msg if isinstance(error, SyntaxError) else error)[:MAX_TEXT]
        except BaseException:
            text = ""
        arguments = error.args if type(error.args) is tuple else ()
        attributes = {
            name: value
            for name, value in list(getattr(error, "__dict__", {}).items())[:20]
            if name != "polestar_callback" and is_scalar(value)
        }
        return (
            self.ancestry(type(error)),
            tuple(part if is_scalar(part) else short(part) for part in arguments[:10]),
            text,
            attributes,
            self.place(error),
            getattr(error, "polestar_callback", None),
        )

    def place(self, error):
        """The last line of the solution that the exception came through: name of the source and line."""
        found = None
        if isinstance(error, SyntaxError) and error.filename in self.names and error.lineno:
            found = (error.filename, error.lineno)
        trace = error.__traceback__
        while trace is not None:
            name = trace.tb_frame.f_code.co_filename
            if name in self.names:
                found = (name, trace.tb_lineno)
            trace = trace.tb_next
        return found


class Alias:
    """A builtin type that goes to the judge as a class of the solution."""

    def __init__(self, kind):
        self.kind = kind


class Reader(wire.Hooks):
    """What the judge may send besides plain data."""

    def __init__(self, server):
        self.server = server

    def handle(self, number, kind, type_name):
        return self.server.objects[number]

    def callback(self, number):
        return self.server.callback(number)

    def iterator(self, items):
        return iter(items)

    def reference(self, names):
        module, path = names
        found = importlib.import_module(module)
        for name in path.split("."):
            found = getattr(found, name)
        return found


UNWANTED = ("coroutine", "async_generator", "dict_keys", "dict_values", "dict_items")


def unwanted(value):
    """The name of the type of an iterator or a view of the language itself, which cannot travel; None for the rest."""
    kind = type(value)
    if kind in wire.NAMES_OF_TYPES or kind.__module__ not in ("builtins", "itertools"):
        return None
    if hasattr(kind, "__next__") or kind.__name__ in UNWANTED:
        return kind.__name__
    return None


def contents(container):
    """What a container holds, to see later whether it was changed."""
    if type(container) is dict:
        return [part for pair in list(container.items()) for part in pair]
    return bytes(container) if type(container) is bytearray else list(container)


def changed(containers, before):
    """The containers that hold something else than before: their index and what they hold now."""
    changes = []
    for index, container in enumerate(containers):
        now, then = contents(container), before[index]
        if type(now) is bytes:
            if now != then:
                changes.append((index, now))
        elif len(now) != len(then) or any(one is not other for one, other in zip(now, then)):
            changes.append((index, tuple(now)))
    return tuple(changes)


def is_scalar(value):
    if type(value) is str:
        return len(value) <= MAX_TEXT
    if type(value) is int:
        return value.bit_length() < 4096
    return value is None or type(value) in (bool, float)


def short(value):
    try:
        return str(value)[:MAX_TEXT]
    except BaseException:
        return type(value).__name__


def make_error(kind, texts):
    """An exception of a builtin type; one whose constructor wants something else than texts becomes an `Exception`."""
    try:
        return kind(*texts)
    except Exception:
        return Exception(*texts)
