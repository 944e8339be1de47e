"""What the interpreter is started with: makes the modules that descriptor 1 holds, and hands over to the fork server."""

import sys

sys.path[:] = [path for path in sys.path if path]

import json
import types

with open(1, encoding="utf-8", closefd=False) as file:
    bundle = json.load(file)
for name, source in bundle["modules"]:
    module = types.ModuleType(name)
    module.__file__ = "<%s>" % name
    sys.modules[name] = module
    exec(compile(source, module.__file__, "exec"), module.__dict__)
config = bundle["config"]
config["filter"] = config["filter"].encode("latin-1")
del bundle, file, module, source
sys.modules["polestar_zygote"].main(config)
