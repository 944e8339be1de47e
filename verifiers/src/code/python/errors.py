"""Exceptions of the solution as the judge raises them: builtin types where they mean nothing special, else marked ones.

What the solution raised must be caught by `except` and `pytest.raises` as the test expects, and must never be taken for
something that the test's own machinery raised: a failed assert, the end of a loop, a skipped test.
"""

import sys

import polestar_wire as wire

MAX_CLASSES = 1000
SCALARS = (type(None), bool, int, float, str)


class GuestRaised:
    """The mark of exception classes that were made here for the solution's; never a class of the test's machinery."""

    def __str__(self):
        raised = getattr(self, "polestar_raised", None)
        return super().__str__() if raised is None else raised[1]


# Exceptions that mean something to a loop, a generator or a test runner, and what the solution's stand as.
STAND_INS = {
    AssertionError: AssertionError, SystemExit: SystemExit, KeyboardInterrupt: KeyboardInterrupt,
    StopIteration: RuntimeError, StopAsyncIteration: RuntimeError, GeneratorExit: RuntimeError,
    BaseException: Exception,
}


def raised_by_solution(error):
    """Name, text and place of an exception that the solution raised; None for every other."""
    return getattr(error, "polestar_raised", None)


class Tied(type):
    """The type of classes that stand for builtin exception classes which the solution has under names of its own.

    What `except` and the like catch by such a name is only what the solution raised: a solution that calls
    AssertionError by the name of its own exception would catch the test's failure else.
    """

    @property
    def polestar_of(cls):
        """The builtin class; None for what a test derives from one."""
        return cls.__dict__.get("polestar_tied")

    def __instancecheck__(cls, value):
        return type.__instancecheck__(cls, value) or cls.catches(value)

    def __subclasscheck__(cls, kind):
        # Where a `with` decides, its exception is the current one.
        error = sys.exc_info()[1]
        return type.__subclasscheck__(cls, kind) or type(error) is kind and cls.catches(error)

    def catches(cls, error):
        of = cls.polestar_of
        return of is not None and raised_by_solution(error) is not None and isinstance(error, of)

    def __eq__(cls, other):
        return other is cls or isinstance(other, type) and other is cls.polestar_of

    def __hash__(cls):
        return type.__hash__(cls.polestar_of or cls)


def caught(kinds, is_name):
    """What an `except` clause of a test catches of the current exception where its expression gave `kinds`. One that is
    no name, as `except f():`, may have got a builtin class from the solution."""
    if type(kinds) is tuple:
        return tuple(caught(kind, is_name) for kind in kinds)
    if raised_by_solution(sys.exc_info()[1]) is not None:
        return isinstance(kinds, Tied) and kinds.polestar_of or kinds
    return kinds if is_name or not is_builtin(kinds) else ()


def is_builtin(kind):
    """Whether something is a builtin exception class."""
    return type(kind) is type and wire.EXCEPTIONS.get(kind.__name__) is kind


def is_special(kind):
    """Whether exceptions of that type mean something to Python's or a test's machinery."""
    return not issubclass(kind, Exception) or issubclass(kind, tuple(STAND_INS)[:-1])


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


class Classes:
    """The judge's classes for the solution's exception classes, by the number that these have there."""

    def __init__(self):
        self.by_number = {}
        self.numbers = {}
        self.tied_ones = {}

    def tied(self, value):
        """A value that the solution has under a name, with builtin exception classes replaced."""
        if type(value) is tuple:
            return tuple(self.tied(part) for part in value)
        if not is_builtin(value):
            return value
        if value not in self.tied_ones:
            names = {"__module__": "solution", "polestar_tied": value}
            self.tied_ones[value] = Tied(value.__name__, (GuestRaised, value), names)
        return self.tied_ones[value]

    def of(self, ancestry):
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
            if number not in self.by_number:
                if len(self.by_number) >= MAX_CLASSES:
                    raise wire.Malformed("more than {} exception classes".format(MAX_CLASSES))
                made = new_class(name if name.isidentifier() else "Unnamed", bases)
                self.by_number[number] = made
                self.numbers[made] = number
            bases = [self.by_number[number]]
        return bases[0], bases[0].__name__

    def rebuilt(self, description):
        """The exception for one of the solution, and the index of the one in a callback that it is, if it says so."""
        if type(description) is not tuple or len(description) != 6:
            raise wire.Malformed("an exception of a wrong shape")
        ancestry, arguments, text, attributes, place, callback = description
        whole = type(arguments) is tuple and all(type(part) in SCALARS for part in arguments)
        if not whole or type(text) is not str or type(attributes) is not dict:
            raise wire.Malformed("an exception of a wrong shape")
        kind, name = self.of(ancestry)
        error = instance(kind, name, arguments, text)
        for key, value in attributes.items():
            if type(key) is str and key.isidentifier() and not key.startswith(("_", "polestar")):
                if type(value) in SCALARS and not hasattr(error, key):
                    setattr(error, key, value)
        if type(place) is not tuple or [type(part) for part in place] != [str, int]:
            place = None
        error.polestar_raised = (name, text, place)
        return error, callback if type(callback) is int else None
