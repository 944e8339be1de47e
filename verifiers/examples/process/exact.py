"""A verifier in ten lines: right is a response whose last line is the reference."""
import json
import sys

for line in sys.stdin:
    request = json.loads(line)
    found = request["response"].strip().split("\n")[-1].strip()
    is_right = found == str(request["reference"])
    answer = {"id": request["id"], "score": 1.0 if is_right else 0.0, "extracted": found}
    answer["reason"] = f"the last line {'is' if is_right else 'is not'} {request['reference']}"
    print(json.dumps(answer), flush=True)
