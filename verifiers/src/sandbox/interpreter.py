"""Tells what an interpreter is: one line of JSON."""

import json
import sys

missing = []
for name in ("ctypes", "resource", "socket", "fcntl", "select"):
    try:
        __import__(name)
    except ImportError:
        missing.append(name)
folders = [sys.prefix, sys.base_prefix, sys.exec_prefix] + [path for path in sys.path if path]
print(json.dumps(dict(version=list(sys.version_info[:3]), executable=sys.executable, folders=folders, missing=missing)))
