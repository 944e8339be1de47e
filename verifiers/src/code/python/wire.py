"""Plain data as bytes, and the frames in which they travel between the judge and the solution's process.

The judge reads bytes that hostile code has written, so reading may do nothing but make values: no names are looked up
except those of the tables below, nothing is called but constructors of builtin types, nothing recurses, and the time
and memory it takes are linear in the bytes. Values are written in postfix order: a container follows its items and says
how many there are, so a reader needs only a stack. Whatever is not well formed raises `Malformed`.
"""

import builtins
import os
import struct

MAX_DEPTH = 200
MAX_ITEMS = 2000000
# A set or a dictionary takes much more memory than its bytes: it counts as that many items.
HASHED_COST = 4
MAX_REPLY_BYTES = 16 * 1024 * 1024

# A frame's head: kind of frame, number of the request, its secret, length of the body.
HEADER = struct.Struct(">cI8sI")
INT64 = struct.Struct(">q")
FLOAT = struct.Struct(">d")
COMPLEX = struct.Struct(">dd")
LENGTH = struct.Struct(">I")
HANDLE = struct.Struct(">IBH")

# Ends every value: without it a cut message could be a value too.
END = b"."
# Kinds of handles: what an object of the solution may be used for.
OBJECT, FUNCTION, CLASS = 0, 1, 2

TYPES = {
    kind.__name__: kind
    for kind in (
        bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, range, slice, object, type,
        type(None),
    )
}
EXCEPTIONS = {
    name: value
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException) and value.__name__ == name
}
TYPES.update(EXCEPTIONS)
NAMES_OF_TYPES = {kind: name for name, kind in TYPES.items()}


# Modules that a test may have through the solution's import of them: the judge imports its own.
MODULES = frozenset((
    "bisect", "cmath", "collections", "copy", "datetime", "decimal", "fractions", "functools", "heapq", "itertools",
    "json", "math", "operator", "random", "re", "statistics", "string", "sys", "time", "typing",
))


class Malformed(Exception):
    """The bytes are not what the other side may send."""


class NotPlain(TypeError):
    """A value that does not travel; the text says why."""


class TooMuch(ValueError):
    """A value that is too big or too deep to travel; the text says which limit it broke."""


class Closed(Exception):
    """The other side has closed the channel."""


class Channel:
    """One end of the channel: frames are sent and received whole."""

    def __init__(self, fd):
        self.fd = fd
        self.unread = b""

    def send(self, kind, number, secret, body):
        """Sends one frame; raises `Closed` where nobody reads any more."""
        view = memoryview(HEADER.pack(kind, number, secret, len(body)) + body)
        try:
            while view:
                view = view[os.write(self.fd, view[: 1 << 20]):]
        except ConnectionError:
            raise Closed() from None

    def receive(self, max_bytes):
        """The next frame: kind, number, secret and body. A body over `max_bytes` is not read."""
        kind, number, secret, length = HEADER.unpack(self.read(HEADER.size))
        if length > max_bytes:
            raise Malformed("a message of {} bytes, at most {} are allowed".format(length, max_bytes))
        return kind, number, secret, self.read(length)

    def read(self, count):
        """Exactly `count` bytes; raises `Closed` where the channel ends before. A short frame takes one read in all."""
        if len(self.unread) < count:
            parts, size = [self.unread], len(self.unread)
            while size < count:
                try:
                    part = os.read(self.fd, min(max(count - size, 1 << 16), 1 << 20))
                except ConnectionError:
                    part = b""
                if not part:
                    raise Closed()
                parts.append(part)
                size += len(part)
            self.unread = b"".join(parts)
        data, self.unread = self.unread[:count], self.unread[count:]
        return data


class Encoder:
    """Makes bytes of values.

    `other(encoder, value, depth)` writes what has no exact builtin type. `refs` maps the identity of containers that
    the reader has already to their index. With `kept` (a list), each list, dict, set and bytearray is appended to it as
    it is written, and a second occurrence becomes a reference to the first: the reader makes as many objects.
    """

    def __init__(self, other, refs=None, kept=None, max_bytes=MAX_REPLY_BYTES, max_items=MAX_ITEMS):
        self.out = bytearray()
        self.other = other
        self.refs = {} if refs is None else refs
        self.kept = kept
        self.max_bytes = max_bytes
        self.items_left = max_items

    def encode(self, value):
        self.put(value, 0)
        return bytes(self.out + END)

    def put(self, value, depth):
        write = WRITERS.get(type(value))
        self.items_left -= 1
        if self.items_left < 0 or len(self.out) > self.max_bytes:
            raise TooMuch("the value is too big: more than {} bytes or too many items".format(self.max_bytes))
        if write is None:
            self.other(self, value, depth)
        else:
            write(self, value, depth)

    def put_int(self, value, _depth):
        if -0x8000000000000000 <= value <= 0x7FFFFFFFFFFFFFFF:
            self.out += b"i" + INT64.pack(value)
        else:
            size = value.bit_length() // 8 + 1
            self.room(size)
            self.out += b"I" + LENGTH.pack(size) + value.to_bytes(size, "big", signed=True)

    def put_text(self, value, _depth):
        self.room(len(value))
        self.put_data(b"s", value.encode("utf-8", "surrogatepass"))

    def put_bytes(self, value, _depth):
        self.put_data(b"b", value)

    def put_bytearray(self, value, _depth):
        if not self.known(value):
            self.put_data(b"a", value)
            self.keep(value)

    def put_data(self, op, data):
        self.room(len(data))
        self.out += op
        self.out += LENGTH.pack(len(data))
        self.out += data

    def put_type(self, value, depth):
        name = NAMES_OF_TYPES.get(value)
        if name is None:
            self.other(self, value, depth)
        else:
            self.put_data(b"t", name.encode("ascii"))

    def put_range(self, value, depth):
        for part in (value.start, value.stop, value.step):
            self.put(part, depth)
        self.out += b"r"

    def put_tuple(self, value, depth):
        self.put_items(b"(", value, len(value), depth)

    def put_frozenset(self, value, depth):
        self.put_items(b"f", value, len(value), depth)

    def put_list(self, value, depth):
        self.put_mutable(b"[", value, value, depth)

    def put_set(self, value, depth):
        self.put_mutable(b"<", value, value, depth)

    def put_dict(self, value, depth):
        if not self.known(value):
            pairs = [part for pair in list(value.items()) for part in pair]
            self.put_items(b"{", pairs, len(pairs) // 2, depth)
            self.keep(value)

    def put_mutable(self, op, value, items, depth):
        if not self.known(value):
            items = list(items)
            self.put_items(op, items, len(items), depth)
            self.keep(value)

    def put_items(self, op, items, count, depth):
        # A container that holds itself ends here as well: reading follows the first path down.
        if depth >= MAX_DEPTH:
            raise TooMuch("the value is nested more than {} levels deep, or it holds itself".format(MAX_DEPTH))
        if op in b"{<f":
            self.items_left -= HASHED_COST
        for item in items:
            self.put(item, depth + 1)
        self.out += op
        self.out += LENGTH.pack(count)

    def put_handle(self, number, kind, type_name):
        name = type_name.encode("utf-8", "replace")[:200]
        self.out += b"h" + HANDLE.pack(number, kind, len(name)) + name

    def put_callback(self, number):
        self.out += b"k" + LENGTH.pack(number)

    def put_tagged(self, op, value, depth):
        """A value followed by an operation that makes something else of it."""
        self.put(value, depth)
        self.out += op

    def room(self, size):
        if len(self.out) + size > self.max_bytes:
            raise TooMuch("the value is too big: more than {} bytes".format(self.max_bytes))

    def known(self, value):
        index = self.refs.get(id(value))
        if index is None:
            return False
        self.out += b"R" + LENGTH.pack(index)
        return True

    def keep(self, value):
        if self.kept is not None:
            self.refs[id(value)] = len(self.kept)
            self.kept.append(value)


def own_dict(value):
    return dict(list(value.items()))


# What a value of a subclass is as a value of the builtin type.
REDUCED = (
    (int, int.__int__), (float, float.__float__), (complex, lambda value: complex(value.real, value.imag)),
    (str, str.__str__), (bytes, lambda value: bytes(memoryview(value))), (bytearray, bytearray), (list, list),
    (tuple, tuple), (dict, own_dict), (set, set), (frozenset, frozenset),
)


def constant(op):
    def put(encoder, _value, _depth):
        encoder.out += op

    return put


WRITERS = {
    type(None): constant(b"N"),
    type(Ellipsis): constant(b"E"),
    bool: lambda encoder, value, depth: encoder.out.extend(b"T" if value else b"F"),
    float: lambda encoder, value, depth: encoder.out.extend(b"d" + FLOAT.pack(value)),
    complex: lambda encoder, value, depth: encoder.out.extend(b"c" + COMPLEX.pack(value.real, value.imag)),
    int: Encoder.put_int,
    str: Encoder.put_text,
    bytes: Encoder.put_bytes,
    bytearray: Encoder.put_bytearray,
    type: Encoder.put_type,
    range: Encoder.put_range,
    tuple: Encoder.put_tuple,
    list: Encoder.put_list,
    dict: Encoder.put_dict,
    set: Encoder.put_set,
    frozenset: Encoder.put_frozenset,
}


class Hooks:
    """What a reader makes of the things that only one side may send; a side overrides what it takes."""

    def handle(self, number, kind, type_name):
        raise Malformed("a handle where none may be")

    def callback(self, number):
        raise Malformed("a callback where none may be")

    def module(self, name):
        raise Malformed("a module where none may be")

    def exception_class(self, description):
        raise Malformed("an exception class where none may be")

    def iterator(self, items):
        raise Malformed("an iterator where none may be")

    def reference(self, names):
        raise Malformed("a reference by name where none may be")


def decode(data, hooks, refs=None, kept=None, max_items=MAX_ITEMS):
    """The one value of these bytes. References point into the list `refs`; new containers are appended to `kept`."""
    return Decoder(data, hooks, refs, kept, max_items).run()


class Decoder:
    def __init__(self, data, hooks, refs, kept, max_items):
        self.data = data
        self.pos = 0
        self.hooks = hooks
        self.refs = refs
        self.kept = kept
        self.items_left = max_items
        self.stack = []
        self.depths = []
        self.num_refs = 0

    def run(self):
        data, size, readers = self.data, len(self.data) - 1, READERS
        if data[-1:] != END:
            raise Malformed("the end is missing")
        try:
            while self.pos < size:
                read = readers.get(data[self.pos])
                if read is None:
                    raise Malformed("unknown operation {} at byte {}".format(data[self.pos], self.pos))
                self.pos += 1
                self.items_left -= 1
                if self.items_left < 0:
                    raise Malformed("too many items")
                read(self)
        except (struct.error, UnicodeDecodeError):
            raise Malformed("a value is cut off or is not text at byte {}".format(self.pos)) from None
        if self.pos != size:
            raise Malformed("a value is cut off at byte {}".format(self.pos))
        if len(self.stack) != 1:
            raise Malformed("{} values where one is expected".format(len(self.stack)))
        return self.stack[0]

    def push(self, value, depth=0):
        self.stack.append(value)
        self.depths.append(depth)

    def number(self, form):
        values = form.unpack_from(self.data, self.pos)
        self.pos += form.size
        return values

    def take(self, size):
        end = self.pos + size
        if end > len(self.data):
            raise Malformed("a value is cut off at byte {}".format(self.pos))
        part = self.data[self.pos:end]
        self.pos = end
        return part

    def counted(self):
        return self.take(self.number(LENGTH)[0])

    def pop_items(self, count):
        """The last `count` values, and how deep the container of them is."""
        if count > len(self.stack):
            raise Malformed("a container of {} items where {} are left".format(count, len(self.stack)))
        if count == 0:
            return [], 1
        items, depth = self.stack[-count:], max(self.depths[-count:]) + 1
        del self.stack[-count:], self.depths[-count:]
        if depth > MAX_DEPTH:
            raise Malformed("more than {} levels deep".format(MAX_DEPTH))
        return items, depth

    def container(self, make, per_item=1, hashed=False, mutable=False):
        items, depth = self.pop_items(self.number(LENGTH)[0] * per_item)
        if hashed:
            self.items_left -= HASHED_COST
        try:
            value = make(items)
        except TypeError:
            raise Malformed("a key that cannot be hashed") from None
        if mutable and self.kept is not None:
            self.kept.append(value)
        self.push(value, depth)

    def read_text(self):
        self.push(self.counted().decode("utf-8", "surrogatepass"))

    def read_big(self):
        self.push(int.from_bytes(self.counted(), "big", signed=True))

    def read_bytearray(self):
        value = bytearray(self.counted())
        if self.kept is not None:
            self.kept.append(value)
        self.push(value)

    def read_type(self):
        kind = TYPES.get(self.counted().decode("utf-8"))
        if kind is None:
            raise Malformed("an unknown type")
        self.push(kind)

    def read_range(self):
        parts, _ = self.pop_items(3)
        if [type(part) for part in parts] != [int, int, int] or parts[2] == 0:
            raise Malformed("a range of something else than three numbers")
        self.push(range(*parts))

    def read_ref(self):
        index = self.number(LENGTH)[0]
        refs = self.kept if self.refs is None else self.refs
        if refs is None or index >= len(refs):
            raise Malformed("a reference to nothing")
        self.num_refs += 1
        self.push(refs[index])

    def read_handle(self):
        number, kind, size = self.number(HANDLE)
        self.push(self.hooks.handle(number, kind, self.take(size).decode("utf-8", "replace")))

    def popped(self):
        return self.pop_items(1)[0][0]


READERS = {
    ord(op): read
    for op, read in {
        "N": lambda d: d.push(None),
        "E": lambda d: d.push(Ellipsis),
        "T": lambda d: d.push(True),
        "F": lambda d: d.push(False),
        "i": lambda d: d.push(d.number(INT64)[0]),
        "I": Decoder.read_big,
        "d": lambda d: d.push(d.number(FLOAT)[0]),
        "c": lambda d: d.push(complex(*d.number(COMPLEX))),
        "s": Decoder.read_text,
        "b": lambda d: d.push(bytes(d.counted())),
        "a": Decoder.read_bytearray,
        "t": Decoder.read_type,
        "r": Decoder.read_range,
        "(": lambda d: d.container(tuple),
        "[": lambda d: d.container(list, mutable=True),
        "{": lambda d: d.container(lambda i: dict(zip(i[::2], i[1::2])), per_item=2, hashed=True, mutable=True),
        "<": lambda d: d.container(set, hashed=True, mutable=True),
        "f": lambda d: d.container(frozenset, hashed=True),
        "R": Decoder.read_ref,
        "h": Decoder.read_handle,
        "k": lambda d: d.push(d.hooks.callback(d.number(LENGTH)[0])),
        "m": lambda d: d.push(d.hooks.module(d.popped())),
        "x": lambda d: d.push(d.hooks.exception_class(d.popped())),
        "j": lambda d: d.push(d.hooks.iterator(d.popped())),
        "g": lambda d: d.push(d.hooks.reference(d.popped())),
    }.items()
}
