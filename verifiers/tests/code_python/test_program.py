"""Programs that read standard input and write standard output end as the interpreter would end them."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

import support

RUN = """
import sys
sys.path.insert(0, {tests!r})
import support, polestar_guest
polestar_guest.run_program(sys.argv[1].encode())
"""


def ran(*texts, data=b"", **options):
    sources = [
        {"name": "<answer>" if index == len(texts) - 1 else "<prompt>", "text": text}
        for index, text in enumerate(texts)
    ]
    code = RUN.format(tests=os.path.dirname(os.path.abspath(support.__file__)))
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps({"sources": sources})],
        input=data,
        capture_output=True,
        timeout=30,
        env={},
        **options
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def plain(text, data=b""):
    done = subprocess.run([sys.executable, "-c", text], input=data, capture_output=True, timeout=30, env={})
    return done.returncode, done.stdout.decode(), done.stderr.decode()


class Programs(unittest.TestCase):
    def test_programs_end_as_in_python(self):
        for text, data in [
            ("print(int(input()) + 1)", b"41\n"),
            ("import sys\nfor line in sys.stdin: print(line.strip()[::-1])", "añb\nxy\n".encode()),
            ("import sys\nsys.stdout.buffer.write(sys.stdin.buffer.read())", bytes(range(256))[:128]),
            ("if __name__ == '__main__': print('main')", b""),
            ("import sys\nsys.exit(3)", b""),
            ("import sys\nprint('x', end='')\nsys.exit()", b""),
            ("import sys\nsys.exit('why')", b""),
            ("import sys\nsys.exit(257)", b""),
            ("import atexit\natexit.register(print, 'last')\nprint('first')", b""),
            ("import threading, time\nthreading.Thread(target=lambda: (time.sleep(0.2), print('late'))).start()", b""),
            ("import os\nprint('gone')\nos._exit(0)", b""),
            ("import __main__\nx = 5\nprint(__main__.x, __main__.__name__)", b""),
            ("print('a')\nraise ValueError('b')", b""),
            ("def f(n): return f(n + 1)\ntry:\n    f(0)\nexcept RecursionError: print('deep')", b""),
        ]:
            expected, found = plain(text, data), ran(text, data=data)
            self.assertEqual(found[:2], expected[:2], text)
            self.assertEqual(found[2].splitlines()[-1:], expected[2].splitlines()[-1:], text)

    def test_tracebacks_name_the_answer_only(self):
        status, _, text = ran("def f():\n    return 1 // 0\n\n\nf()\n")
        self.assertEqual(status, 1)
        self.assertEqual(
            [line for line in text.splitlines() if "File" in line],
            [
                '  File "<answer>", line 5, in <module>',
                '  File "<answer>", line 2, in f',
            ],
        )
        self.assertIn("return 1 // 0", text)
        status, _, text = ran("def f(x) return")
        self.assertEqual(status, 1)
        self.assertIn('File "<answer>", line 1', text)
        self.assertIn("SyntaxError", text)

    def test_sources_share_one_namespace(self):
        self.assertEqual(
            ran("from __future__ import annotations\nx = 2", "def f(a: no_such): return a\nprint(f(x))"), (0, "2\n", "")
        )

    def test_output_that_nobody_takes(self):
        self.assertEqual(ran("import sys\nsys.stdout.close()")[0], 0)
        self.assertNotEqual(ran("import os\nos.close(1)\nprint('x')")[0], 0)

    def test_output_of_any_size_and_sign(self):
        status, out, _ = ran("print('x' * 10**6, '\\u00e9\\U0001f600')")
        self.assertEqual((status, len(out), out[-3:]), (0, 10**6 + 4, "é\U0001f600\n"))
        with tempfile.TemporaryFile() as stream:
            code = "print(repr(open(0).read()))"
            stream.write("é".encode())
            stream.seek(0)
            self.assertEqual(plain(code, "é".encode())[1], ran(code, data="é".encode())[1])


if __name__ == "__main__":
    unittest.main()
